-- churn_rate: active at the start and not at the end, of those active at the start; by the customers' own labels.
-- A lost customer is voluntary or not as the cancellation says that began the gap in which the period ends.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN reason IS NULL THEN 100.0 * lost / at_start END, at_start, lost, at_start,
       jsonb_build_object(
           'customers_at_start', at_start, 'lost', lost, 'lost_new', lost_new, 'acquired', acquired,
           'reactivated', reactivated, 'cancelled', cancelled, 'redundant', redundant, 'customers_at_end', at_end,
           'lost_voluntary', voluntary, 'lost_involuntary', involuntary,
           'annualised', CASE WHEN reason IS NULL THEN 100 - 100 * power(1 - lost::float8 / nullif(at_start, 0), 12 / p.months) END),
       CASE WHEN reason IS NULL THEN wilson(lost, at_start, -1) END,
       CASE WHEN reason IS NULL THEN wilson(lost, at_start, 1) END,
       reason,
       EXISTS (SELECT FROM customer WHERE started_at < p.b)
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE x.active) AS at_start,
           count(*) FILTER (WHERE y.active) AS at_end,
           count(*) FILTER (WHERE x.active AND NOT y.active) AS lost,
           count(*) FILTER (WHERE x.active AND NOT y.active AND y.gap_voluntary) AS voluntary,
           count(*) FILTER (WHERE x.active AND NOT y.active AND NOT y.gap_voluntary) AS involuntary,
           count(*) FILTER (WHERE c.started_at >= p.a AND c.started_at < p.b) AS acquired,
           count(*) FILTER (WHERE c.started_at >= p.a AND c.started_at < p.b AND NOT y.active) AS lost_new,
           count(*) FILTER (WHERE c.started_at < p.b) AS known
    FROM customer c
    JOIN standing x ON x.t = p.a AND x.customer_id = c.id
    JOIN standing y ON y.t = p.b AND y.customer_id = c.id
    WHERE (f.segment IS NULL OR c.segment = f.segment) AND (f.channel IS NULL OR c.channel = f.channel)) AS cohort
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE e.rank = 1 AND e.effective) AS cancelled,
           count(*) FILTER (WHERE e.rank = 2 AND e.effective) AS reactivated,
           count(*) FILTER (WHERE NOT e.effective) AS redundant
    FROM life e JOIN customer c ON c.id = e.customer_id
    WHERE e.moment >= p.a AND e.moment < p.b
      AND (f.segment IS NULL OR c.segment = f.segment) AND (f.channel IS NULL OR c.channel = f.channel)) AS events
CROSS JOIN LATERAL (
    SELECT CASE WHEN known = 0 THEN 'no_data'
                WHEN NOT EXISTS (SELECT FROM cancellation) THEN 'no_cancellations'
                WHEN at_start = 0 THEN 'zero_denominator' END AS reason) AS judged
