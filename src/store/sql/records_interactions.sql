-- Interactions by one of their moments: opened, responded, or their end, which may be still to come
-- when the period ends.
--   $1 … $8 as kpi_records.h says; $9 opened, responded or end
-- Columns: place, edge, fits, then those of an item. Relies on interaction_time; as answers and
-- ends come at any time after, all before the period's end is looked at.
SELECT * FROM (
    SELECT r.place, r.nth = 5000 AS edge,
           k.why IS NOT NULL AND coalesce(k.counted = $5::boolean, true) AS fits,
           r.id, r.customer_id, k.at AS at, k.counted, k.why
      FROM (SELECT t.*, t.opened_at AS place, row_number() OVER (ORDER BY t.opened_at DESC, t.id) AS nth
              FROM interaction t
             WHERE t.workspace_id = $1 AND t.id > $4
               AND t.opened_at >= $2::timestamptz
               AND t.opened_at < $3::timestamptz
             ORDER BY t.opened_at DESC, t.id LIMIT 5000) r
     CROSS JOIN (SELECT ($8::timestamptz[])[1] AS before, ($8::timestamptz[])[2] AS a,
                        ($8::timestamptz[])[3] AS b) p
      LEFT JOIN LATERAL (
            SELECT $9 = 'opened' AS counted, m.why, m.at
              FROM (SELECT 'opened' AS why, r.opened_at AS at WHERE $9 = 'opened'
                    UNION ALL SELECT 'responded', r.first_response_at WHERE $9 = 'responded'
                    UNION ALL SELECT 'resolved', r.resolved_at WHERE $9 = 'end'
                    UNION ALL SELECT 'closed_unresolved', r.closed_at
                               WHERE $9 = 'end' AND r.resolved_at IS NULL) m
             WHERE m.at >= p.a AND m.at < p.b
               AND coalesce(coalesce(r.segment, r.followed_segment) = $6::text, $6::text IS NULL)
               AND coalesce(r.channel = $7::text, $7::text IS NULL)
            UNION ALL
            SELECT false, 'open_at_end', r.opened_at
             WHERE $9 = 'end' AND r.opened_at < p.b
               AND coalesce(coalesce(r.resolved_at, r.closed_at) >= p.b, true)
               AND coalesce(coalesce(r.segment, r.followed_segment) = $6::text, $6::text IS NULL)
               AND coalesce(r.channel = $7::text, $7::text IS NULL)) k ON true) x
 WHERE x.fits OR x.edge
 ORDER BY x.place DESC, x.id LIMIT 251
