-- revenue: the sum of the payments; refunds are what was paid back, unattributed what has no customer.
-- Payments have no channel.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN reason IS NULL THEN total END, n, NULL::bigint, NULL::bigint,
       jsonb_build_object('gross', gross, 'refunds', refunds, 'unattributed', unattributed),
       NULL::float8, NULL::float8, reason, dated
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS n, coalesce(sum(amount), 0) AS total,
           coalesce(sum(amount) FILTER (WHERE amount > 0), 0) AS gross,
           coalesce(-sum(amount) FILTER (WHERE amount < 0), 0) AS refunds,
           coalesce(sum(amount) FILTER (WHERE customer_id IS NULL), 0) AS unattributed
    FROM sale s
    WHERE s.paid_at >= p.a AND s.paid_at < p.b AND chosen(f, s.labels)) AS found
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM payment WHERE paid_at < p.b) AS dated) AS any_record
CROSS JOIN LATERAL (
    SELECT CASE WHEN f.channel IS NOT NULL THEN 'not_applicable_to_filter'
                WHEN NOT dated THEN 'no_data' END AS reason) AS judged
