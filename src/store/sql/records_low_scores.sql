-- Scores, and what followed the low ones: linked_id is the action.
--   $1 … $8 as kpi_records.h says
-- Columns: place, edge, fits, then those of an item. Relies on survey_time and action_survey.
SELECT * FROM (
    SELECT r.place, r.nth = 5000 AS edge,
           k.why IS NOT NULL AND coalesce(k.counted = $5::boolean, true) AS fits,
           r.id, r.customer_id, r.answered_at AS at, k.counted, k.why,
           r.score, r.scale_min, r.scale_max, r.direction,
           trim_scale(extract(epoch FROM r.follow_up_at - r.answered_at)) AS seconds,
           (SELECT min(a.id) FROM action a WHERE a.workspace_id = $1 AND a.survey_id = r.id
               AND a.status = 'done' AND a.done_at = r.follow_up_at) AS linked_id
      FROM (SELECT t.*, coalesce(t.answered_at, t.sent_at) AS place,
                   row_number() OVER (ORDER BY coalesce(t.answered_at, t.sent_at) DESC, t.id) AS nth
              FROM survey t
             WHERE t.workspace_id = $1 AND t.id > $4
               AND coalesce(t.answered_at, t.sent_at) >= $2::timestamptz
               AND coalesce(t.answered_at, t.sent_at) < $3::timestamptz
             ORDER BY coalesce(t.answered_at, t.sent_at) DESC, t.id LIMIT 5000) r
     CROSS JOIN (SELECT ($8::timestamptz[])[1] AS before, ($8::timestamptz[])[2] AS a,
                        ($8::timestamptz[])[3] AS b) p
      LEFT JOIN LATERAL (
            SELECT coalesce(r.score_class = -1, false) AS counted,
                   CASE WHEN r.score IS NULL THEN 'no_score'
                        WHEN r.score_class > -1 THEN 'not_low'
                        WHEN r.follow_up_at IS NULL THEN 'not_followed_up'
                        ELSE 'followed_up' END AS why
             WHERE r.answered_at >= p.a AND r.answered_at < p.b
               AND coalesce(coalesce(r.segment, r.followed_segment) = $6::text, $6::text IS NULL)
               AND coalesce(coalesce(r.channel, r.followed_channel) = $7::text, $7::text IS NULL)) k ON true) x
 WHERE x.fits OR x.edge
 ORDER BY x.place DESC, x.id LIMIT 251
