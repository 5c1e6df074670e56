-- What customers think of each aspect, beside the overall score that came with it.
-- $1 workspace, $2 first day, $3 end (exclusive), as days since 1970-01-01; $4 segment, $5 channel of
-- the answer about the aspect, or null; $6 aspects at most.
-- A row per aspect, most answered first: aspect; of its scored answers n, satisfied; then for each
-- type of overall answer (csat, nps, ces) the pairs: where the aspect satisfied their number and how
-- many of these were positive overall, then the same where it did not. Of several overall answers of
-- one type and submission the latest counts. Relies on survey_aspect and survey_submission.
SELECT a.aspect, count(*) AS n, count(*) FILTER (WHERE a.satisfied) AS satisfied,
       count(o.csat) FILTER (WHERE a.satisfied) AS csat_satisfied,
       count(*) FILTER (WHERE a.satisfied AND o.csat = 1) AS csat_satisfied_positive,
       count(o.csat) FILTER (WHERE NOT a.satisfied) AS csat_other,
       count(*) FILTER (WHERE NOT a.satisfied AND o.csat = 1) AS csat_other_positive,
       count(o.nps) FILTER (WHERE a.satisfied) AS nps_satisfied,
       count(*) FILTER (WHERE a.satisfied AND o.nps = 1) AS nps_satisfied_positive,
       count(o.nps) FILTER (WHERE NOT a.satisfied) AS nps_other,
       count(*) FILTER (WHERE NOT a.satisfied AND o.nps = 1) AS nps_other_positive,
       count(o.ces) FILTER (WHERE a.satisfied) AS ces_satisfied,
       count(*) FILTER (WHERE a.satisfied AND o.ces = 1) AS ces_satisfied_positive,
       count(o.ces) FILTER (WHERE NOT a.satisfied) AS ces_other,
       count(*) FILTER (WHERE NOT a.satisfied AND o.ces = 1) AS ces_other_positive
  FROM (SELECT day_start(date '1970-01-01' + $2::integer, w.timezone) AS starts_at,
               day_start(date '1970-01-01' + $3::integer, w.timezone) AS ends_at
          FROM workspace w WHERE w.id = $1 OFFSET 0) p
 CROSS JOIN LATERAL (
    SELECT s.aspect, s.submission_id, s.score_class = 1 AS satisfied FROM survey s
     WHERE s.workspace_id = $1 AND s.aspect IS NOT NULL AND s.score_class IS NOT NULL
       AND s.answered_at >= p.starts_at AND s.answered_at < p.ends_at
       AND ($4::text IS NULL OR coalesce(s.segment, s.followed_segment) = $4)
       AND ($5::text IS NULL OR coalesce(s.channel, s.followed_channel) = $5) OFFSET 0) a
 CROSS JOIN LATERAL (
    SELECT (array_agg(s.score_class ORDER BY s.answered_at DESC, s.id)
               FILTER (WHERE s.type = 'csat'))[1] AS csat,
           (array_agg(s.score_class ORDER BY s.answered_at DESC, s.id)
               FILTER (WHERE s.type = 'nps'))[1] AS nps,
           (array_agg(s.score_class ORDER BY s.answered_at DESC, s.id)
               FILTER (WHERE s.type = 'ces'))[1] AS ces
      FROM survey s
     WHERE s.workspace_id = $1 AND s.submission_id = a.submission_id
       AND s.aspect IS NULL AND s.solicited AND s.score_class IS NOT NULL OFFSET 0) o
 GROUP BY a.aspect ORDER BY n DESC, a.aspect LIMIT $6::integer
