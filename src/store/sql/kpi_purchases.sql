-- Months with buyers, of periods of whole months, whose previous equal period is of whole months too.
--   $1 workspace; $2 … $5 arrays: number of the period, first day of the one before, first day and
--   end (exclusive) of the period
--   $6 cut (migrations/0011); $7 json array of groups {ord, label, second_label}
-- Rows: number, ord, month (its first day, since 1970-01-01), bucket, n: texts of arrays
-- (migrations/0011, totals_add_buyers). Where changes wait, kpi_purchases_waiting has what they add.
-- Relies on the primary key of purchase_totals.
WITH p AS MATERIALIZED (
    SELECT * FROM unnest($2::integer[], $3::date[], $4::date[], $5::date[]) AS p(number, before, a, b)),
g AS MATERIALIZED (
    SELECT * FROM json_to_recordset($7::json) AS g(ord integer, label text, second_label text))
SELECT p.number, g.ord, t.start - date '1970-01-01' AS month, t.bucket, t.n
  FROM p CROSS JOIN g
 CROSS JOIN LATERAL (SELECT * FROM purchase_totals t
                      WHERE t.workspace_id = $1 AND t.grain = 'm' AND t.cut = $6
                        AND t.label = g.label AND t.second_label = g.second_label AND t.metric = 'b'
                        AND t.start >= p.before AND t.start < p.b OFFSET 0) t
