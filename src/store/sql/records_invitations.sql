-- Invitations, by what came of them within the response window.
--   $1 … $8 as kpi_records.h says
-- Columns: place, edge, fits, then those of an item. Relies on survey_time; as answers come at any
-- time after, all of it is looked at.
SELECT * FROM (
    SELECT r.place, r.nth = 5000 AS edge,
           k.why IS NOT NULL AND coalesce(k.counted = $5::boolean, true) AS fits,
           r.id, r.customer_id, r.sent_at AS at, k.counted, k.why,
           trim_scale(extract(epoch FROM r.answered_at - r.sent_at)) AS seconds
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
            SELECT true AS counted,
                   CASE WHEN r.answered_at IS NULL THEN 'unanswered'
                        WHEN r.answered_at <= r.sent_at + w.response_window_days * interval '24 hours' THEN 'answered'
                        ELSE 'late' END AS why
              FROM workspace w
             WHERE w.id = $1 AND r.sent_at >= p.a AND r.sent_at < p.b
               AND coalesce(coalesce(r.segment, r.followed_segment) = $6::text, $6::text IS NULL)
               AND coalesce(coalesce(r.channel, r.followed_channel) = $7::text, $7::text IS NULL)) k ON true) x
 WHERE x.fits OR x.edge
 ORDER BY x.place DESC, x.id LIMIT 251
