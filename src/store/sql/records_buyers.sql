-- Payments of the period and of the one before it; a buyer counts once, by the last of their
-- purchases.
--   $1 … $8 as kpi_records.h says
-- Columns: place, edge, fits, then those of an item. Relies on payment_time and payment_customer.
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
            SELECT c.why IN ('returned', 'not_returned') AS counted, c.why
              FROM (SELECT CASE WHEN r.amount < 0 THEN 'refund'
                                WHEN r.amount = 0 THEN 'zero_amount'
                                WHEN r.customer_id IS NULL THEN 'unattributed'
                                WHEN EXISTS (SELECT FROM (SELECT * FROM payment y
                                                     WHERE y.workspace_id = $1 AND y.customer_id = r.customer_id
                                                    OFFSET 0) y
                                              WHERE coalesce(coalesce(y.segment, y.followed_segment) = $6::text,
                                                             $6::text IS NULL)
                                                AND y.amount > 0 AND y.paid_at >= r.paid_at AND y.paid_at < p.b
                                                AND (y.paid_at > r.paid_at OR y.id < r.id))
                                THEN 'same_buyer'
                                WHEN r.paid_at < p.a THEN 'not_returned'
                                WHEN EXISTS (SELECT FROM (SELECT * FROM payment y
                                                     WHERE y.workspace_id = $1 AND y.customer_id = r.customer_id
                                                    OFFSET 0) y
                                              WHERE coalesce(coalesce(y.segment, y.followed_segment) = $6::text,
                                                             $6::text IS NULL)
                                                AND y.amount > 0 AND y.paid_at >= p.before AND y.paid_at < p.a)
                                THEN 'returned'
                                ELSE 'new_buyer' END AS why OFFSET 0) c
             WHERE r.paid_at < p.b
               AND coalesce(coalesce(r.segment, r.followed_segment) = $6::text, $6::text IS NULL)
               AND $7::text IS NULL) k ON true) x
 WHERE x.fits OR x.edge
 ORDER BY x.place DESC, x.id LIMIT 251
