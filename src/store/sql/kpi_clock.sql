-- What a KPI request needs to know of its workspace first.
-- $1 workspace. One row: timezone, today (its civil date as days since 1970-01-01),
-- response_window_days, first, last: the days (same unit, null: none) that have records, the last
-- one at most today. Relies on the totals' primary keys.
SELECT w.timezone, t.today - date '1970-01-01' AS today, w.response_window_days,
       least(s.first, i.first, l.first) - date '1970-01-01' AS first,
       greatest(s.last, i.last, l.last) - date '1970-01-01' AS last
  FROM workspace w
 CROSS JOIN LATERAL (SELECT local_day(now(), w.timezone) AS today) t
 CROSS JOIN LATERAL (
    SELECT (SELECT x.start FROM survey_totals x WHERE x.workspace_id = w.id AND x.grain = 'd'
               AND x.cut = 0 AND x.start <= t.today AND x.records > 0
             ORDER BY x.start LIMIT 1) AS first,
           (SELECT x.start FROM survey_totals x WHERE x.workspace_id = w.id AND x.grain = 'd'
               AND x.cut = 0 AND x.start <= t.today AND x.records > 0
             ORDER BY x.start DESC LIMIT 1) AS last) s
 CROSS JOIN LATERAL (
    SELECT (SELECT x.start FROM interaction_totals x WHERE x.workspace_id = w.id AND x.grain = 'd'
               AND x.cut = 0 AND x.start <= t.today AND x.opened > 0
             ORDER BY x.start LIMIT 1) AS first,
           (SELECT x.start FROM interaction_totals x WHERE x.workspace_id = w.id AND x.grain = 'd'
               AND x.cut = 0 AND x.start <= t.today AND x.opened > 0
             ORDER BY x.start DESC LIMIT 1) AS last) i
 CROSS JOIN LATERAL (
    SELECT (SELECT x.start FROM life_totals x WHERE x.workspace_id = w.id AND x.grain = 'd'
               AND x.cut = 0 AND x.start <= t.today
               AND x.acquired + x.reactivated + x.cancelled + x.redundant > 0
             ORDER BY x.start LIMIT 1) AS first,
           (SELECT x.start FROM life_totals x WHERE x.workspace_id = w.id AND x.grain = 'd'
               AND x.cut = 0 AND x.start <= t.today
               AND x.acquired + x.reactivated + x.cancelled + x.redundant > 0
             ORDER BY x.start DESC LIMIT 1) AS last) l
 WHERE w.id = $1
