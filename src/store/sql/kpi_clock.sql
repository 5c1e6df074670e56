-- What a KPI request needs to know of its workspace first.
-- $1 workspace. One row: timezone, today (its civil date; days are counted from 1970-01-01), currency,
-- the settings that KPIs depend on (relationship_weights as their six numbers, separated by spaces),
-- first, last: the days that have records, the last one at most today; surveys_from,
-- interactions_from, payments_from: the first day with a record of that kind (null: none);
-- cancellations_stored: there is one; version: of data and settings; day_ends: when today does, µs since
-- 1970; whether changes wait (migrations/0004) of surveys, interactions, life events, payments, costs, and months of
-- buyers. Relies on record_times (migrations/0013), the changes' indexes and the cancellations' primary key.
SELECT w.timezone, t.today - date '1970-01-01' AS today, w.currency, w.response_window_days,
       w.gross_margin, w.response_target_seconds, array_to_string(w.relationship_weights, ' '),
       local_day(r.first, w.timezone) - date '1970-01-01' AS first,
       local_day(r.last, w.timezone) - date '1970-01-01' AS last,
       local_day(r.first_survey, w.timezone) - date '1970-01-01' AS surveys_from,
       local_day(r.first_interaction, w.timezone) - date '1970-01-01' AS interactions_from,
       local_day(r.first_payment, w.timezone) - date '1970-01-01' AS payments_from,
       -- Ordered, so that it goes by the key and not through other workspaces' rows.
       EXISTS (SELECT FROM (SELECT 1 FROM cancellation x WHERE x.workspace_id = $1
                             ORDER BY x.workspace_id, x.id LIMIT 1) x)::integer AS cancellations_stored,
       v.version, (extract(epoch FROM e.day_ends) * 1000000)::bigint AS day_ends,
       x.surveys, x.interactions, x.life, x.payments, x.costs, x.buyers
  FROM workspace w
  JOIN data_version v ON v.workspace_id = w.id
 CROSS JOIN LATERAL (SELECT local_day(now(), w.timezone) AS today) t
 CROSS JOIN LATERAL (SELECT day_start(t.today + 1, w.timezone) AS day_ends OFFSET 0) e
 CROSS JOIN record_times($1, e.day_ends) r
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
 WHERE w.id = $1
