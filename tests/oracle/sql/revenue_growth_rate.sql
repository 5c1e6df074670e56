-- revenue_growth_rate: what revenue grew by since the previous equal period, in percent of it.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN reason IS NULL THEN 100.0 * (this.total - before.total) / before.total END,
       this.n, this.total - before.total, before.total,
       jsonb_build_object('revenue', this.total, 'previous_revenue', before.total),
       NULL::float8, NULL::float8, reason, dated
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS n, coalesce(sum(amount), 0) AS total FROM sale s
    WHERE s.paid_at >= p.a AND s.paid_at < p.b AND chosen(f, s.labels)) AS this
CROSS JOIN LATERAL (
    SELECT count(*) AS n, coalesce(sum(amount), 0) AS total FROM sale s
    WHERE s.paid_at >= p.previous_a AND s.paid_at < p.a AND chosen(f, s.labels)) AS before
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM payment WHERE paid_at < p.b) AS dated) AS any_record
CROSS JOIN LATERAL (
    SELECT CASE WHEN f.channel IS NOT NULL THEN 'not_applicable_to_filter'
                WHEN NOT dated THEN 'no_data'
                WHEN before.n = 0 THEN 'no_previous'
                WHEN before.total <= 0 THEN 'zero_denominator' END AS reason) AS judged
