-- Interactions first answered in the period, and those still waiting for it at its end.
--   $1 … $8 as kpi_records.h says
-- Columns: place, edge, fits, then those of an item. Relies on interaction_time; all before the
-- period's end is looked at.
SELECT * FROM (
    SELECT r.place, r.nth = 5000 AS edge,
           k.why IS NOT NULL AND coalesce(k.counted = $5::boolean, true) AS fits,
           r.id, r.customer_id, k.at AS at, k.counted, k.why,
           CASE WHEN k.why <> 'waiting_at_end'
                THEN trim_scale(extract(epoch FROM r.first_response_at - r.opened_at)) END AS seconds
      FROM (SELECT t.*, t.opened_at AS place, row_number() OVER (ORDER BY t.opened_at DESC, t.id) AS nth
              FROM interaction t
             WHERE t.workspace_id = $1 AND t.id > $4
               AND t.opened_at >= $2::timestamptz
               AND t.opened_at < $3::timestamptz
             ORDER BY t.opened_at DESC, t.id LIMIT 5000) r
     CROSS JOIN (SELECT ($8::timestamptz[])[1] AS before, ($8::timestamptz[])[2] AS a,
                        ($8::timestamptz[])[3] AS b) p
      LEFT JOIN LATERAL (
            SELECT m.service AS counted,
                   CASE WHEN r.direction = 'outbound' THEN 'outbound'
                        WHEN r.bot THEN 'bot'
                        ELSE 'responded' END AS why, r.first_response_at AS at
              FROM (SELECT r.direction = 'inbound' AND NOT r.bot AS service) m
             WHERE r.first_response_at >= p.a AND r.first_response_at < p.b
               AND coalesce(coalesce(r.segment, r.followed_segment) = $6::text, $6::text IS NULL)
               AND coalesce(r.channel = $7::text, $7::text IS NULL)
            UNION ALL
            SELECT false, 'waiting_at_end', r.opened_at
             WHERE r.direction = 'inbound' AND NOT r.bot AND r.opened_at < p.b
               AND coalesce(r.first_response_at >= p.b, true)
               AND coalesce(coalesce(r.resolved_at, r.closed_at) >= p.b, true)
               AND coalesce(coalesce(r.segment, r.followed_segment) = $6::text, $6::text IS NULL)
               AND coalesce(r.channel = $7::text, $7::text IS NULL)) k ON true) x
 WHERE x.fits OR x.edge
 ORDER BY x.place DESC, x.id LIMIT 251
