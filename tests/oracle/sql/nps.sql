-- nps: promoters less detractors of the headline answers; adjusted Wald interval (three quarters of an answer
-- added to promoters and to detractors, three to all), clamped and widened to hold the value.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, value, n, promoters - detractors, n,
       jsonb_build_object('promoters', promoters, 'passives', passives, 'detractors', detractors),
       CASE WHEN n > 0 THEN least(value, greatest(-100, 100 * (mean - reach))) END,
       CASE WHEN n > 0 THEN greatest(value, least(100, 100 * (mean + reach))) END,
       CASE WHEN n = 0 THEN 'no_data' END,
       EXISTS (SELECT FROM answer WHERE moment < p.b)
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS n,
           count(*) FILTER (WHERE class = 'good') AS promoters,
           count(*) FILTER (WHERE class = 'middle') AS passives,
           count(*) FILTER (WHERE class = 'bad') AS detractors
    FROM answer s
    WHERE s.type = 'nps' AND headline(f, s) AND s.answered_at >= p.a AND s.answered_at < p.b
      AND chosen(f, s.labels)) AS found
CROSS JOIN LATERAL (
    SELECT 100.0 * (promoters - detractors) / nullif(n, 0) AS value,
           (promoters + 0.75) / (n + 3.0) AS up, (detractors + 0.75) / (n + 3.0) AS down) AS shares
CROSS JOIN LATERAL (
    SELECT up - down AS mean,
           1.959963984540054 * sqrt((up + down - (up - down) * (up - down)) / (n + 3.0)) AS reach) AS spread
