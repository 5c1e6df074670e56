-- What a KPI request needs to know of its workspace first.
-- $1 workspace. One row: timezone, today (its civil date; days are counted from 1970-01-01), currency,
-- the settings that KPIs depend on (relationship_weights as their six numbers, separated by spaces),
-- first, last: the days that have records, the last one at most today; surveys_from,
-- interactions_from, payments_from: the first day with a record of that kind (null: none);
-- cancellations_stored: there is one; version: of data and settings; day_ends: when today does, µs since
-- 1970; whether changes wait (migrations/0004) of surveys, interactions, life events, payments, costs, and months of
-- buyers. Relies on the totals' primary keys, the changes' indexes, action_time and the cancellations' primary key.
SELECT w.timezone, t.today - date '1970-01-01' AS today, w.currency, w.response_window_days,
       w.gross_margin, w.response_target_seconds, array_to_string(w.relationship_weights, ' '),
       least(s.first_day, i.first_day, l.first_day, p.first_day, c.first_day, a.first_day) - date '1970-01-01' AS first,
       greatest(s.last_day, i.last_day, l.last_day, p.last_day, c.last_day, a.last_day) - date '1970-01-01' AS last,
       s.first_day - date '1970-01-01' AS surveys_from, i.first_day - date '1970-01-01' AS interactions_from,
       p.first_day - date '1970-01-01' AS payments_from,
       -- Ordered, so that it goes by the key and not through other workspaces' rows.
       EXISTS (SELECT FROM (SELECT 1 FROM cancellation x WHERE x.workspace_id = $1
                             ORDER BY x.workspace_id, x.id LIMIT 1) x)::integer AS cancellations_stored,
       v.version, (extract(epoch FROM day_start(t.today + 1, w.timezone)) * 1000000)::bigint AS day_ends,
       x.surveys, x.interactions, x.life, x.payments, x.costs, x.buyers
  FROM workspace w
  JOIN data_version v ON v.workspace_id = w.id
 CROSS JOIN LATERAL (SELECT local_day(now(), w.timezone) AS today) t
 CROSS JOIN LATERAL (SELECT coalesce((SELECT f.through FROM totals_folded f WHERE f.workspace_id = $1), 0) AS through
                      OFFSET 0) f
 CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM survey_change c WHERE c.workspace_id = $1 AND c.number > f.through) AS surveys,
           EXISTS (SELECT FROM interaction_change c WHERE c.workspace_id = $1 AND c.number > f.through) AS interactions,
           EXISTS (SELECT FROM life_event_change c WHERE c.workspace_id = $1 AND c.number > f.through) AS life,
           EXISTS (SELECT FROM payment_change c WHERE c.workspace_id = $1 AND c.number > f.through) AS payments,
           EXISTS (SELECT FROM cost_change c WHERE c.workspace_id = $1 AND c.number > f.through) AS costs,
           EXISTS (SELECT FROM purchase_month_change c WHERE c.workspace_id = $1 AND c.number > f.through) AS buyers
    OFFSET 0) x
 CROSS JOIN survey_totals_span($1, t.today, x.surveys) s
 CROSS JOIN interaction_totals_span($1, t.today, x.interactions) i
 CROSS JOIN life_totals_span($1, t.today, x.life) l
 CROSS JOIN payment_totals_span($1, t.today, x.payments) p
 CROSS JOIN cost_totals_span($1, t.today, x.costs) c
 CROSS JOIN LATERAL (
    SELECT local_day(min(x.opened_at), w.timezone) AS first_day,
           CASE WHEN count(*) > 0 THEN least(local_day(max(x.opened_at), w.timezone), t.today) END AS last_day
      FROM ((SELECT y.opened_at FROM action y WHERE y.workspace_id = w.id
              ORDER BY y.opened_at LIMIT 1)
            UNION ALL
            (SELECT y.opened_at FROM action y WHERE y.workspace_id = w.id
              ORDER BY y.opened_at DESC, y.id LIMIT 1)) x) a
 WHERE w.id = $1
