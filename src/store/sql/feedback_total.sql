-- How many comments there are in each of some periods, and the language that they are read in.
-- $1 workspace, $2, $3 integer[]: first days of the periods and their ends (exclusive), as days since
-- 1970-01-01; $4 cut (migrations/0004): 0 all, 1 segment, 2 channel, 3 both; $5, $6 its labels or ''.
-- A row per period, in order: total, language. Adds the changes that wait. Relies on the
-- totals' primary key.
SELECT (SELECT coalesce(sum(t.comments_positive + t.comments_neutral + t.comments_negative
                            + t.comments_unscored), 0)
          FROM (SELECT * FROM survey_totals t WHERE t.workspace_id = $1 AND t.grain = 'd'
                UNION ALL SELECT * FROM survey_totals_rest($1)) t
         WHERE t.cut = $4::smallint AND t.start >= date '1970-01-01' + p.a AND t.start < date '1970-01-01' + p.b
           AND t.label = $5 AND t.second_label = $6) AS total, w.language
  FROM workspace w
 CROSS JOIN unnest($2::integer[], $3::integer[]) WITH ORDINALITY AS p(a, b, ord)
 WHERE w.id = $1
 ORDER BY p.ord
