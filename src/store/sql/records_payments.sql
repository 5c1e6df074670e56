-- Payments of the period (by sign), or of the period and of the one before it.
--   $1 … $8 as kpi_records.h says; $9 sign or growth
-- Columns: place, edge, fits, then those of an item. Relies on payment_time.
SELECT * FROM (
    SELECT r.place, r.nth = 5000 AS edge,
           k.why IS NOT NULL AND coalesce(k.counted = $5::boolean, true) AS fits,
           r.id, r.customer_id, r.place AS at, k.counted, k.why, r.amount
      FROM (SELECT t.*, t.paid_at AS place, row_number() OVER (ORDER BY t.paid_at DESC, t.id) AS nth
              FROM payment t
             WHERE t.workspace_id = $1 AND t.id > $4
               AND t.paid_at >= $2::timestamptz
               AND t.paid_at < $3::timestamptz
             ORDER BY t.paid_at DESC, t.id LIMIT 5000) r
     CROSS JOIN (SELECT ($8::timestamptz[])[1] AS before, ($8::timestamptz[])[2] AS a,
                        ($8::timestamptz[])[3] AS b) p
      LEFT JOIN LATERAL (
            SELECT true AS counted,
                   CASE WHEN $9 = 'growth' AND r.paid_at < p.a THEN 'previous_revenue'
                        WHEN $9 = 'growth' THEN 'revenue'
                        WHEN r.amount > 0 THEN 'gross'
                        WHEN r.amount < 0 THEN 'refund'
                        ELSE 'zero_amount' END AS why
             WHERE r.paid_at < p.b
               AND coalesce(coalesce(r.segment, r.followed_segment) = $6::text, $6::text IS NULL)
               AND $7::text IS NULL) k ON true) x
 WHERE x.fits OR x.edge
 ORDER BY x.place DESC, x.id LIMIT 251
