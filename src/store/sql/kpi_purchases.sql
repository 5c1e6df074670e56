-- Buyers of periods of whole months, whose previous equal period is of whole months too.
--   $1 workspace; $2 … $5 arrays: number of the period, first day of the one before, first day and
--   end (exclusive) of the period
--   $6 cut (migrations/0011); $7 json array of groups {ord, label, second_label}
-- Rows: number, ord, buyers, repeat_buyers, previous_buyers, returning_buyers (see totals.h).
-- A customer counts in the first month in the period, the one whose previous month lies before it.
-- Relies on the primary key of purchase_totals.
WITH p AS MATERIALIZED (
    SELECT * FROM unnest($2::integer[], $3::date[], $4::date[], $5::date[]) AS p(number, before, a, b)),
g AS MATERIALIZED (
    SELECT * FROM json_to_recordset($7::json) AS g(ord integer, label text, second_label text)),
-- What is stored, and the changes that wait to be added to it.
t AS (
    SELECT p.*, g.ord, t.start, t.previous, t.second, t.customers
      FROM p CROSS JOIN g
     CROSS JOIN LATERAL (SELECT * FROM purchase_totals t
                          WHERE t.workspace_id = $1 AND t.grain = 'm' AND t.cut = $6
                            AND t.label = g.label AND t.second_label = g.second_label
                            AND t.start >= p.before AND t.start < p.b OFFSET 0) t
    UNION ALL
    SELECT p.*, g.ord, t.start, t.previous, t.second, t.customers
      FROM purchase_totals_rest($1) t
      JOIN g ON g.label = t.label AND g.second_label = t.second_label
     CROSS JOIN LATERAL (SELECT * FROM p WHERE t.start >= p.before AND t.start < p.b OFFSET 0) p
     WHERE t.cut = $6::smallint)
SELECT x.number, x.ord, x.buyers, x.repeat_buyers, x.previous_buyers,
       x.buyers + x.previous_buyers - x.either AS returning_buyers
  FROM (SELECT t.number, t.ord,
               coalesce(sum(t.customers) FILTER (WHERE t.start >= t.a AND t.previous < t.a), 0) AS buyers,
               coalesce(sum(t.customers) FILTER (WHERE t.start >= t.a AND t.previous < t.a
                        AND (t.previous > '-infinity' OR t.second < t.b)), 0) AS repeat_buyers,
               coalesce(sum(t.customers) FILTER (WHERE t.start < t.a AND t.previous < t.before), 0)
                   AS previous_buyers,
               coalesce(sum(t.customers) FILTER (WHERE t.previous < t.before), 0) AS either
          FROM t
         GROUP BY 1, 2) x
