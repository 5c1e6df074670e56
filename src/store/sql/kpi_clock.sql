-- What a KPI request needs to know of its workspace first.
-- $1 workspace. One row: timezone, today (its civil date; days are counted from 1970-01-01), currency,
-- the settings that KPIs depend on (relationship_weights as their six numbers, separated by spaces),
-- first, last: the days that have records, the last one at most today; surveys_from,
-- interactions_from, payments_from: the first day with a record of that kind (null: none);
-- cancellations_stored: there is one; version: of data and settings; day_ends: when today does, µs since
-- 1970; whether changes wait (migrations/0004) of surveys, interactions, life events, payments, costs, and months of
-- buyers. Relies on the records' indexes by time, life_event_at, the changes' indexes and the cancellations' primary key;
-- ordered as these are, so that no plan goes through other workspaces' rows.
SELECT w.timezone, t.today - date '1970-01-01' AS today, w.currency, w.response_window_days,
       w.gross_margin, w.response_target_seconds, array_to_string(w.relationship_weights, ' '),
       local_day(least(f.survey, f.interaction, f.life, f.payment, f.cost, f.action), w.timezone) - date '1970-01-01' AS first,
       local_day(greatest(l.survey, l.interaction, l.life, l.payment, l.cost, l.action), w.timezone) - date '1970-01-01' AS last,
       local_day(f.survey, w.timezone) - date '1970-01-01' AS surveys_from,
       local_day(f.interaction, w.timezone) - date '1970-01-01' AS interactions_from,
       local_day(f.payment, w.timezone) - date '1970-01-01' AS payments_from,
       EXISTS (SELECT FROM (SELECT 1 FROM cancellation x WHERE x.workspace_id = $1
                             ORDER BY x.workspace_id, x.id LIMIT 1) x)::integer AS cancellations_stored,
       v.version, (extract(epoch FROM e.day_ends) * 1000000)::bigint AS day_ends,
       x.surveys, x.interactions, x.life, x.payments, x.costs, x.buyers
  FROM workspace w
  JOIN data_version v ON v.workspace_id = w.id
 CROSS JOIN LATERAL (SELECT local_day(now(), w.timezone) AS today) t
 CROSS JOIN LATERAL (SELECT day_start(t.today + 1, w.timezone) AS day_ends OFFSET 0) e
 CROSS JOIN LATERAL (SELECT coalesce((SELECT d.through FROM totals_folded d WHERE d.workspace_id = $1), 0) AS through
                      OFFSET 0) d
 CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM survey_change c WHERE c.workspace_id = $1 AND c.number > d.through) AS surveys,
           EXISTS (SELECT FROM interaction_change c WHERE c.workspace_id = $1 AND c.number > d.through) AS interactions,
           EXISTS (SELECT FROM life_event_change c WHERE c.workspace_id = $1 AND c.number > d.through) AS life,
           EXISTS (SELECT FROM payment_change c WHERE c.workspace_id = $1 AND c.number > d.through) AS payments,
           EXISTS (SELECT FROM cost_change c WHERE c.workspace_id = $1 AND c.number > d.through) AS costs,
           EXISTS (SELECT FROM purchase_month_change c WHERE c.workspace_id = $1 AND c.number > d.through) AS buyers
    OFFSET 0) x
 CROSS JOIN (
    SELECT (SELECT coalesce(r.answered_at, r.sent_at) FROM survey r WHERE r.workspace_id = $1
             ORDER BY coalesce(r.answered_at, r.sent_at), r.id DESC LIMIT 1) AS survey,
           (SELECT r.opened_at FROM interaction r WHERE r.workspace_id = $1 ORDER BY r.opened_at, r.id DESC LIMIT 1) AS interaction,
           (SELECT r.at FROM life_event r WHERE r.workspace_id = $1 ORDER BY r.at LIMIT 1) AS life,
           (SELECT r.paid_at FROM payment r WHERE r.workspace_id = $1 ORDER BY r.paid_at, r.id DESC LIMIT 1) AS payment,
           (SELECT r.incurred_at FROM cost r WHERE r.workspace_id = $1 ORDER BY r.incurred_at, r.id DESC LIMIT 1) AS cost,
           (SELECT r.opened_at FROM action r WHERE r.workspace_id = $1 ORDER BY r.opened_at, r.id DESC LIMIT 1) AS action
    OFFSET 0) f
 CROSS JOIN LATERAL (
    SELECT (SELECT coalesce(r.answered_at, r.sent_at) FROM survey r
             WHERE r.workspace_id = $1 AND coalesce(r.answered_at, r.sent_at) < e.day_ends
             ORDER BY coalesce(r.answered_at, r.sent_at) DESC, r.id LIMIT 1) AS survey,
           (SELECT r.opened_at FROM interaction r WHERE r.workspace_id = $1 AND r.opened_at < e.day_ends
             ORDER BY r.opened_at DESC, r.id LIMIT 1) AS interaction,
           (SELECT r.at FROM life_event r WHERE r.workspace_id = $1 AND r.at < e.day_ends ORDER BY r.at DESC LIMIT 1) AS life,
           (SELECT r.paid_at FROM payment r WHERE r.workspace_id = $1 AND r.paid_at < e.day_ends
             ORDER BY r.paid_at DESC, r.id LIMIT 1) AS payment,
           (SELECT r.incurred_at FROM cost r WHERE r.workspace_id = $1 AND r.incurred_at < e.day_ends
             ORDER BY r.incurred_at DESC, r.id LIMIT 1) AS cost,
           (SELECT r.opened_at FROM action r WHERE r.workspace_id = $1 AND r.opened_at < e.day_ends
             ORDER BY r.opened_at DESC, r.id LIMIT 1) AS action
    OFFSET 0) l
 WHERE w.id = $1
