-- What the changes that wait (migrations/0004) add to kpi_purchases.
--   $1 … $7 as kpi_purchases
-- Rows: as kpi_purchases, but arrays, in no order. Relies on purchase_month_change_number.
WITH p AS MATERIALIZED (
    SELECT * FROM unnest($2::integer[], $3::date[], $4::date[], $5::date[]) AS p(number, before, a, b)),
g AS MATERIALIZED (
    SELECT * FROM json_to_recordset($7::json) AS g(ord integer, label text, second_label text))
SELECT p.number, g.ord, t.start - date '1970-01-01' AS month, array_agg(t.bucket) AS bucket, array_agg(t.n) AS n
  FROM purchase_totals_bucket_rest($1) t
  JOIN g ON g.label = t.label AND g.second_label = t.second_label
 CROSS JOIN LATERAL (SELECT * FROM p WHERE t.start >= p.before AND t.start < p.b OFFSET 0) p
 WHERE t.cut = $6::smallint
 GROUP BY 1, 2, 3
