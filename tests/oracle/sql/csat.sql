-- csat: satisfied of the headline answers given in the period.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, 100.0 * satisfied / nullif(n, 0), n, satisfied, n,
       jsonb_build_object('satisfied', satisfied, 'neutral', neutral, 'dissatisfied', dissatisfied, 'mean_on_5', mean_on_5),
       wilson(satisfied, n, -1), wilson(satisfied, n, 1),
       CASE WHEN n = 0 THEN 'no_data' END,
       EXISTS (SELECT FROM answer WHERE moment < p.b)
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS n,
           count(*) FILTER (WHERE class = 'good') AS satisfied,
           count(*) FILTER (WHERE class = 'middle') AS neutral,
           count(*) FILTER (WHERE class = 'bad') AS dissatisfied,
           avg(1 + 4 * (turned - scale_min)::numeric / (scale_max - scale_min)) AS mean_on_5
    FROM answer s
    WHERE s.type = 'csat' AND headline(f, s) AND s.answered_at >= p.a AND s.answered_at < p.b
      AND chosen(f, s.labels)) AS found
