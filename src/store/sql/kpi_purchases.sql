-- Buyers of periods of whole months, whose previous equal period is of whole months too.
--   $1 workspace; $2 … $5 arrays: number of the period, first day of the one before, first day and
--   end (exclusive) of the period
--   $6 cut (migrations/0011); $7 json array of groups {ord, label, second_label}
-- Rows: number, ord, buyers, repeat_buyers, previous_buyers, returning_buyers (see totals.h).
-- A customer counts in the first month in the period, the one whose previous month lies before it.
-- Relies on the primary key of purchase_totals.
WITH p AS MATERIALIZED (
    SELECT *, month_number(p.before) AS before_month, month_number(p.a) AS a_month, month_number(p.b) AS b_month
      FROM unnest($2::integer[], $3::date[], $4::date[], $5::date[]) AS p(number, before, a, b)),
g AS MATERIALIZED (
    SELECT * FROM json_to_recordset($7::json) AS g(ord integer, label text, second_label text)),
-- What is stored, and the changes that wait to be added to it.
t AS (
    SELECT p.*, g.ord, t.start, u.bucket, u.n
      FROM p CROSS JOIN g
     CROSS JOIN LATERAL (SELECT * FROM purchase_totals t
                          WHERE t.workspace_id = $1 AND t.grain = 'm' AND t.cut = $6
                            AND t.label = g.label AND t.second_label = g.second_label AND t.metric = 'b'
                            AND t.start >= p.before AND t.start < p.b OFFSET 0) t
     CROSS JOIN LATERAL unnest(t.bucket, t.n) u(bucket, n)
    UNION ALL
    SELECT p.*, g.ord, t.start, t.bucket, t.n
      FROM purchase_totals_bucket_rest($1) t
      JOIN g ON g.label = t.label AND g.second_label = t.second_label
     CROSS JOIN LATERAL (SELECT * FROM p WHERE t.start >= p.before AND t.start < p.b OFFSET 0) p
     WHERE t.cut = $6::smallint),
m AS (
    SELECT t.*, t.bucket / 4096 AS previous, t.bucket % 4096 AS second FROM t)
SELECT x.number, x.ord, x.buyers, x.repeat_buyers, x.previous_buyers,
       x.buyers + x.previous_buyers - x.either AS returning_buyers
  FROM (SELECT m.number, m.ord,
               coalesce(sum(m.n) FILTER (WHERE m.start >= m.a AND m.previous < m.a_month), 0) AS buyers,
               coalesce(sum(m.n) FILTER (WHERE m.start >= m.a AND m.previous < m.a_month
                        AND (m.previous > 0 OR m.second < m.b_month)), 0) AS repeat_buyers,
               coalesce(sum(m.n) FILTER (WHERE m.start < m.a AND m.previous < m.before_month), 0)
                   AS previous_buyers,
               coalesce(sum(m.n) FILTER (WHERE m.previous < m.before_month), 0) AS either
          FROM m
         GROUP BY 1, 2) x
