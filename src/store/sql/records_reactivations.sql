-- Reactivations of the period, those without effect too.
--   $1 … $8 as kpi_records.h says
-- Columns: place, edge, fits, then those of an item. Relies on reactivation_time and life_event's
-- primary key.
SELECT * FROM (
    SELECT r.place, r.nth = 5000 AS edge,
           k.why IS NOT NULL AND coalesce(k.counted = $5::boolean, true) AS fits,
           r.id, r.customer_id, r.place AS at, k.counted, k.why
      FROM (SELECT t.*, t.reactivated_at AS place, row_number() OVER (ORDER BY t.reactivated_at DESC, t.id) AS nth
              FROM reactivation t
             WHERE t.workspace_id = $1 AND t.id > $4
               AND t.reactivated_at >= $2::timestamptz
               AND t.reactivated_at < $3::timestamptz
             ORDER BY t.reactivated_at DESC, t.id LIMIT 5000) r
     CROSS JOIN (SELECT ($8::timestamptz[])[1] AS before, ($8::timestamptz[])[2] AS a,
                        ($8::timestamptz[])[3] AS b) p
      LEFT JOIN LATERAL (SELECT * FROM life_event e
                          WHERE e.workspace_id = $1 AND e.customer_id = r.customer_id AND e.rank = 2
                            AND e.id = r.id OFFSET 0) e ON true
      LEFT JOIN LATERAL (
            SELECT false AS counted, CASE WHEN e.effective THEN 'reactivated' ELSE 'redundant' END AS why
             WHERE r.place >= p.a AND r.place < p.b
               AND coalesce(e.segment = $6::text, $6::text IS NULL)
               AND coalesce(e.channel = $7::text, $7::text IS NULL)) k ON true) x
 WHERE x.fits OR x.edge
 ORDER BY x.place DESC, x.id LIMIT 251
