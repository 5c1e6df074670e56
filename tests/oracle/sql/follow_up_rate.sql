-- follow_up_rate: of the low scores given in the period, whatever the survey, those with an action on them done
-- within 168 hours of the answer; the first such action counts.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN reason IS NULL THEN 100.0 * done / low END, low, done, low,
       jsonb_build_object('low_scores', low, 'followed_up', done, 'median_time', median_time, 'within_48h', within_48h),
       CASE WHEN reason IS NULL THEN wilson(done, low, -1) END,
       CASE WHEN reason IS NULL THEN wilson(done, low, 1) END,
       reason, EXISTS (SELECT FROM answer WHERE moment < p.b)
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(class) AS scores, count(*) FILTER (WHERE class = 'bad') AS low,
           count(followed_up_at) FILTER (WHERE class = 'bad') AS done,
           count(*) FILTER (WHERE class = 'bad' AND followed_up_at <= moment + interval '48 hours') AS within_48h,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM followed_up_at - moment)::float8)
               FILTER (WHERE class = 'bad' AND followed_up_at IS NOT NULL) AS median_time
    FROM answer s
    WHERE s.answered_at >= p.a AND s.answered_at < p.b AND chosen(f, s.labels)) AS found
CROSS JOIN LATERAL (
    SELECT CASE WHEN scores = 0 THEN 'no_data' WHEN low = 0 THEN 'zero_denominator' END AS reason) AS judged
