-- Costs, those of categories that do not count too.
--   $1 … $8 as kpi_records.h says
-- Columns: place, edge, fits, then those of an item. Relies on cost_time.
SELECT * FROM (
    SELECT r.place, r.nth = 5000 AS edge,
           k.why IS NOT NULL AND coalesce(k.counted = $5::boolean, true) AS fits,
           r.id, NULL::text AS customer_id, r.place AS at, k.counted, k.why, r.amount
      FROM (SELECT t.*, t.incurred_at AS place, row_number() OVER (ORDER BY t.incurred_at DESC, t.id) AS nth
              FROM cost t
             WHERE t.workspace_id = $1 AND t.id > $4
               AND t.incurred_at >= $2::timestamptz
               AND t.incurred_at < $3::timestamptz
             ORDER BY t.incurred_at DESC, t.id LIMIT 5000) r
     CROSS JOIN (SELECT ($8::timestamptz[])[1] AS before, ($8::timestamptz[])[2] AS a,
                        ($8::timestamptz[])[3] AS b) p
      LEFT JOIN LATERAL (
            SELECT c.counts AS counted, CASE WHEN c.counts THEN 'cost' ELSE 'category_not_counted' END AS why
              FROM (SELECT w.cac_categories IS NULL
                           OR coalesce(r.category = ANY (w.cac_categories), false) AS counts
                      FROM workspace w WHERE w.id = $1) c
             WHERE r.incurred_at >= p.a AND r.incurred_at < p.b
               AND coalesce(r.segment = $6::text, $6::text IS NULL)
               AND coalesce(r.channel = $7::text, $7::text IS NULL)) k ON true) x
 WHERE x.fits OR x.edge
 ORDER BY x.place DESC, x.id LIMIT 251
