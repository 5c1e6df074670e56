-- Customers who first started in the period; of those who are gone at its end, linked_id is the
-- cancellation.
--   $1 … $8 as kpi_records.h says; $9 counted: as what is counted; part: as parts, which tells lost
--   ones apart
-- Columns: place, edge, fits, then those of an item. Relies on customer_time and life_event's
-- primary key.
SELECT * FROM (
    SELECT r.place, r.nth = 5000 AS edge,
           k.why IS NOT NULL AND coalesce(k.counted = $5::boolean, true) AS fits,
           r.id, r.id AS customer_id, r.place AS at, k.counted, k.why,
           CASE WHEN k.why = 'lost_new' THEN g.id END AS linked_id
      FROM (SELECT t.*, t.started_at AS place, row_number() OVER (ORDER BY t.started_at DESC, t.id) AS nth
              FROM customer t
             WHERE t.workspace_id = $1 AND t.id > $4
               AND t.started_at >= $2::timestamptz
               AND t.started_at < $3::timestamptz
             ORDER BY t.started_at DESC, t.id LIMIT 5000) r
     CROSS JOIN (SELECT ($8::timestamptz[])[1] AS before, ($8::timestamptz[])[2] AS a,
                        ($8::timestamptz[])[3] AS b) p
      LEFT JOIN LATERAL (SELECT g.id, g.at, g.voluntary FROM life_event g
                          WHERE g.workspace_id = $1 AND g.customer_id = r.id AND g.rank = 1 AND g.effective
                            AND g.at < p.b AND (g.until IS NULL OR g.until >= p.b) OFFSET 0) g ON true
      LEFT JOIN LATERAL (
            SELECT $9 = 'counted' AS counted,
                   CASE WHEN $9 = 'counted' OR g.id IS NULL THEN 'acquired' ELSE 'lost_new' END AS why
             WHERE r.started_at >= p.a AND r.started_at < p.b
               AND coalesce(r.segment = $6::text, $6::text IS NULL)
               AND coalesce(r.channel = $7::text, $7::text IS NULL)) k ON true) x
 WHERE x.fits OR x.edge
 ORDER BY x.place DESC, x.id LIMIT 251
