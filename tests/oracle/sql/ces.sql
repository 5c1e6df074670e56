-- ces: easy of the headline answers, low_is_easy ones turned round; the two scales have a mean each.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, 100.0 * easy / nullif(n, 0), n, easy, n,
       jsonb_build_object('easy', easy, 'neutral', neutral, 'hard', hard, 'mean_5', mean_5, 'mean_7', mean_7),
       wilson(easy, n, -1), wilson(easy, n, 1),
       CASE WHEN n = 0 THEN 'no_data' END,
       EXISTS (SELECT FROM answer WHERE moment < p.b)
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS n,
           count(*) FILTER (WHERE class = 'good') AS easy,
           count(*) FILTER (WHERE class = 'middle') AS neutral,
           count(*) FILTER (WHERE class = 'bad') AS hard,
           avg(turned) FILTER (WHERE scale_max = 5) AS mean_5,
           avg(turned) FILTER (WHERE scale_max = 7) AS mean_7
    FROM answer s
    WHERE s.type = 'ces' AND headline(f, s) AND s.answered_at >= p.a AND s.answered_at < p.b
      AND chosen(f, s.labels)) AS found
