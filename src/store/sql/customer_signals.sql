-- What the rules of health look at (include/vinculo/health.h says what each column means; null: none).
-- $1 workspace; $2 ids of customers, a JSON array; $3 the moment: records dated
-- before it count; $4 do cancellations after it count as scheduled?
-- One row per id, in order. Per customer it goes by life_event's primary key, survey_customer,
-- interaction_customer and payment_customer, and there through the last 365 days alone; OFFSET 0 keeps
-- the planner from joining in any other way.
SELECT l.changes, (extract(epoch FROM l.since) * 1000000)::bigint AS since_us,
       whole_days(l.since, $3) AS since_days,
       (extract(epoch FROM l.ends) * 1000000)::bigint AS ends_us, whole_days($3, l.ends) AS ends_days,
       whole_days(s.nps_at, $3) AS nps_days, s.nps_class,
       whole_days(s.csat_at, $3) AS csat_days, s.csat_class,
       whole_days(s.ces_at, $3) AS ces_days, s.ces_class,
       s.low_open, whole_days(i.waiting_since, $3) AS waiting_days, i.contacts,
       least(whole_days(greatest(l.since, s.last_at, i.last_at, p.last_at), $3), 365) AS quiet_days,
       p.buying_days, (p.last_day - p.first_day) / nullif(p.buying_days - 1, 0) AS buying_gap,
       whole_days(p.bought_at, $3) AS bought_days, p.refunds
  FROM json_array_elements_text($2::json) WITH ORDINALITY c(id, ord)
 CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE x.at < $3::timestamptz) AS changes,
           max(x.at) FILTER (WHERE x.at < $3) AS since,
           min(x.at) FILTER (WHERE x.at >= $3 AND x.rank = 1 AND $4::boolean) AS ends
      FROM (SELECT * FROM life_event x WHERE x.workspace_id = $1 AND x.customer_id = c.id
               AND x.effective OFFSET 0) x) l
 CROSS JOIN LATERAL (
    SELECT max(x.at) FILTER (WHERE x.answered_at < $3) AS last_at,
           count(*) FILTER (WHERE x.score_class = -1 AND NOT EXISTS (
               SELECT FROM action a WHERE a.workspace_id = $1 AND a.survey_id = x.id
                  AND a.status = 'done' AND a.done_at >= x.at AND a.done_at < $3)) AS low_open,
           max(x.at) FILTER (WHERE x.type = 'nps' AND x.headline) AS nps_at,
           (array_agg(x.score_class ORDER BY x.at DESC, x.id)
               FILTER (WHERE x.type = 'nps' AND x.headline))[1] AS nps_class,
           max(x.at) FILTER (WHERE x.type = 'csat' AND x.headline) AS csat_at,
           (array_agg(x.score_class ORDER BY x.at DESC, x.id)
               FILTER (WHERE x.type = 'csat' AND x.headline))[1] AS csat_class,
           max(x.at) FILTER (WHERE x.type = 'ces' AND x.headline) AS ces_at,
           (array_agg(x.score_class ORDER BY x.at DESC, x.id)
               FILTER (WHERE x.type = 'ces' AND x.headline))[1] AS ces_class
      FROM (SELECT x.id, x.type, x.score_class, x.answered_at,
                   coalesce(x.answered_at, x.sent_at) AS at,
                   x.score_class IS NOT NULL AND x.solicited AND x.aspect IS NULL AS headline
              FROM survey x WHERE x.workspace_id = $1 AND x.customer_id = c.id
               AND coalesce(x.answered_at, x.sent_at) < $3
               AND coalesce(x.answered_at, x.sent_at) >= $3 - interval '365 days' OFFSET 0) x) s
 CROSS JOIN LATERAL (
    SELECT max(x.opened_at) AS last_at,
           min(x.opened_at) FILTER (WHERE x.direction = 'inbound' AND NOT x.bot
               AND coalesce(x.resolved_at, x.closed_at, 'infinity') >= $3) AS waiting_since,
           count(*) FILTER (WHERE x.direction = 'inbound'
               AND x.opened_at >= $3 - interval '90 days') AS contacts
      FROM (SELECT * FROM interaction x WHERE x.workspace_id = $1 AND x.customer_id = c.id
               AND x.opened_at < $3 AND x.opened_at >= $3 - interval '365 days' OFFSET 0) x) i
 CROSS JOIN LATERAL (
    SELECT max(x.paid_at) AS last_at,
           max(x.paid_at) FILTER (WHERE x.amount > 0) AS bought_at,
           count(DISTINCT x.paid_at::date) FILTER (WHERE x.amount > 0) AS buying_days,
           min(x.paid_at::date) FILTER (WHERE x.amount > 0) AS first_day,
           max(x.paid_at::date) FILTER (WHERE x.amount > 0) AS last_day,
           count(*) FILTER (WHERE x.amount < 0
               AND x.paid_at >= $3 - interval '90 days') AS refunds
      FROM (SELECT * FROM payment x WHERE x.workspace_id = $1 AND x.customer_id = c.id
               AND x.paid_at < $3 AND x.paid_at >= $3 - interval '365 days' OFFSET 0) x) p
 ORDER BY c.ord
