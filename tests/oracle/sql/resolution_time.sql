-- resolution_time: median of resolved_at − opened_at over the interactions (not outbound, not a bot's) whose
-- resolved_at lies in the period; waiting_at_end: opened before its end and before that neither resolved nor closed.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, p50, n, NULL::bigint, NULL::bigint,
       jsonb_build_object('p50', p50, 'p90', p90, 'p95', p95, 'mean', mean, 'waiting_at_end', waiting),
       sorted[r], sorted[n + 1 - r],
       CASE WHEN n = 0 THEN 'no_data' END,
       EXISTS (SELECT FROM contact WHERE opened_at < p.b)
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS n, avg(seconds) AS mean,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds::float8) AS p50,
           percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds::float8) AS p90,
           percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds::float8) AS p95,
           array_agg(seconds::float8 ORDER BY seconds) AS sorted
    FROM contact i CROSS JOIN LATERAL (SELECT extract(epoch FROM i.resolved_at - i.opened_at) AS seconds) AS taken
    WHERE i.timed AND i.resolved_at >= p.a AND i.resolved_at < p.b
      AND chosen(f, i.labels)) AS found
CROSS JOIN LATERAL (
    SELECT count(*) AS waiting FROM contact i
    WHERE i.timed AND i.opened_at < p.b AND (i.resolved_at IS NULL OR i.resolved_at >= p.b)
      AND (i.closed_at IS NULL OR i.closed_at >= p.b)
      AND chosen(f, i.labels)) AS queue
LEFT JOIN order_rank USING (n)
