-- Buyers of periods of whole months, whose previous equal period is of whole months too.
--   $1 workspace; $2 … $5 arrays: number of the period, first day of the one before, first day and
--   end (exclusive) of the period
--   $6 cut (migrations/0011); $7 json array of groups {ord, label, second_label}
-- Rows: number, ord, buyers, repeat_buyers, previous_buyers, returning_buyers (see totals.h).
-- A customer counts in the first month in the period, the one whose previous month lies before it.
-- Relies on the primary key of purchase_totals.
WITH rest AS MATERIALIZED (SELECT * FROM purchase_totals_rest($1) r WHERE r.cut = $6::smallint)
SELECT x.number, x.ord, x.buyers, x.repeat_buyers, x.previous_buyers,
       x.buyers + x.previous_buyers - x.either AS returning_buyers
  FROM (SELECT p.number, g.ord,
               coalesce(sum(t.customers) FILTER (WHERE t.start >= p.a AND t.previous < p.a), 0) AS buyers,
               coalesce(sum(t.customers) FILTER (WHERE t.start >= p.a AND t.previous < p.a
                        AND (t.previous > '-infinity' OR t.second < p.b)), 0) AS repeat_buyers,
               coalesce(sum(t.customers) FILTER (WHERE t.start < p.a AND t.previous < p.before), 0)
                   AS previous_buyers,
               coalesce(sum(t.customers) FILTER (WHERE t.previous < p.before), 0) AS either
          FROM unnest($2::integer[], $3::date[], $4::date[], $5::date[]) AS p(number, before, a, b)
         CROSS JOIN json_to_recordset($7::json) AS g(ord integer, label text, second_label text)
         CROSS JOIN LATERAL (SELECT * FROM purchase_totals t
                              WHERE t.workspace_id = $1 AND t.grain = 'm' AND t.cut = $6
                                AND t.label = g.label AND t.second_label = g.second_label
                                AND t.start >= p.before AND t.start < p.b
                             UNION ALL
                             SELECT * FROM rest t
                              WHERE t.label = g.label AND t.second_label = g.second_label
                                AND t.start >= p.before AND t.start < p.b OFFSET 0) t
         GROUP BY 1, 2) x
