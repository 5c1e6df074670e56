-- arpc: what customers paid in the period, per customer: the mean of those active at its start and at its end.
-- Filters take the customers' own labels, on both sides.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN why IS NULL THEN paid.total / mean END, paid.n, paid.total, mean,
       jsonb_build_object('attributed_revenue', paid.total, 'customers_at_start', at_start, 'customers_at_end', at_end),
       NULL::float8, NULL::float8, why, dated
FROM period p CROSS JOIN filter f JOIN cohort c ON c.period = p.no AND c.filter = f.no
CROSS JOIN LATERAL (
    SELECT count(*) AS n, coalesce(sum(amount), 0) AS total, (at_start + at_end) / 2.0 AS mean FROM sale s
    WHERE s.customer_id IS NOT NULL AND s.paid_at >= p.a AND s.paid_at < p.b AND chosen(f, s.buyer)) AS paid
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM payment WHERE paid_at < p.b) AS dated) AS any_record
CROSS JOIN LATERAL (
    SELECT CASE WHEN NOT dated OR known = 0 THEN 'no_data'
                WHEN mean = 0 THEN 'zero_denominator' END AS why) AS judged
