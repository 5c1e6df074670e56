-- feedback: comments of surveys of every sort by the moment of the answer, in the classes of their scores.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN dated THEN n END, n, NULL::bigint, NULL::bigint,
       jsonb_build_object('positive', positive, 'neutral', neutral, 'negative', negative, 'unscored', unscored),
       NULL::float8, NULL::float8, CASE WHEN NOT dated THEN 'no_data' END, dated
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS n,
           count(*) FILTER (WHERE class = 'good') AS positive,
           count(*) FILTER (WHERE class = 'middle') AS neutral,
           count(*) FILTER (WHERE class = 'bad') AS negative,
           count(*) FILTER (WHERE class IS NULL) AS unscored
    FROM answer s
    WHERE s.comment IS NOT NULL AND s.answered_at >= p.a AND s.answered_at < p.b
      AND chosen(f, s.labels)) AS found
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM answer WHERE moment < p.b) AS dated) AS any_record
