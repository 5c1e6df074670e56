-- One customer's own figures, over all records dated before a moment.
-- $1 workspace, $2 customer, $3 the moment. One row: a JSON object, as openapi.yaml has it
-- (RelationshipFigures). Reads all of the customer's records, by survey_customer,
-- interaction_customer, payment_customer and action_customer; the last scores end where they are found.
SELECT row_to_json(f) FROM (
    SELECT
           (SELECT row_to_json(n) FROM (
               SELECT x.id, x.score, x.scale_min, x.scale_max, x.direction,
                      CASE x.score_class WHEN 1 THEN 'positive' WHEN 0 THEN 'neutral'
                                         ELSE 'negative' END AS score_class,
                      instant_text(x.answered_at) AS answered_at
                 FROM survey x WHERE x.workspace_id = $1 AND x.customer_id = $2 AND x.type = 'nps'
                  AND x.score_class IS NOT NULL AND x.solicited AND x.aspect IS NULL
                  AND coalesce(x.answered_at, x.sent_at) < $3
                ORDER BY coalesce(x.answered_at, x.sent_at) DESC, x.id LIMIT 1) n) AS nps,
           (SELECT row_to_json(n) FROM (
               SELECT x.id, x.score, x.scale_min, x.scale_max, x.direction,
                      CASE x.score_class WHEN 1 THEN 'positive' WHEN 0 THEN 'neutral'
                                         ELSE 'negative' END AS score_class,
                      instant_text(x.answered_at) AS answered_at
                 FROM survey x WHERE x.workspace_id = $1 AND x.customer_id = $2 AND x.type = 'csat'
                  AND x.score_class IS NOT NULL AND x.solicited AND x.aspect IS NULL
                  AND coalesce(x.answered_at, x.sent_at) < $3
                ORDER BY coalesce(x.answered_at, x.sent_at) DESC, x.id LIMIT 1) n) AS csat,
           (SELECT row_to_json(n) FROM (
               SELECT x.id, x.score, x.scale_min, x.scale_max, x.direction,
                      CASE x.score_class WHEN 1 THEN 'positive' WHEN 0 THEN 'neutral'
                                         ELSE 'negative' END AS score_class,
                      instant_text(x.answered_at) AS answered_at
                 FROM survey x WHERE x.workspace_id = $1 AND x.customer_id = $2 AND x.type = 'ces'
                  AND x.score_class IS NOT NULL AND x.solicited AND x.aspect IS NULL
                  AND coalesce(x.answered_at, x.sent_at) < $3
                ORDER BY coalesce(x.answered_at, x.sent_at) DESC, x.id LIMIT 1) n) AS ces,
           s.surveys, s.surveys_answered, s.low_scores, s.low_scores_open,
           i.interactions, i.interactions_open, i.median_first_response_seconds,
           a.actions, a.actions_open, p.payments, p.purchases, p.revenue, p.revenue_last_12_months,
           w.currency, instant_text(t.active_at) AS last_activity_at,
           whole_days(t.active_at, $3) AS days_since_last_activity,
           instant_text(p.bought_at) AS last_purchase_at,
           whole_days(p.bought_at, $3) AS days_since_last_purchase
      FROM workspace w
     CROSS JOIN LATERAL (
        SELECT count(*) AS surveys, count(*) FILTER (WHERE x.answered_at < $3) AS surveys_answered,
               max(x.answered_at) FILTER (WHERE x.answered_at < $3) AS last_at,
               count(*) FILTER (WHERE x.score_class = -1) AS low_scores,
               count(*) FILTER (WHERE x.score_class = -1 AND NOT EXISTS (
                   SELECT FROM action a WHERE a.workspace_id = $1 AND a.survey_id = x.id
                      AND a.status = 'done' AND a.done_at >= x.answered_at
                      AND a.done_at < $3)) AS low_scores_open
          FROM survey x WHERE x.workspace_id = $1 AND x.customer_id = $2
           AND coalesce(x.answered_at, x.sent_at) < $3::timestamptz) s
     CROSS JOIN LATERAL (
        SELECT count(*) AS interactions, max(x.opened_at) AS last_at,
               count(*) FILTER (WHERE coalesce(x.resolved_at, x.closed_at, 'infinity') >= $3)
                   AS interactions_open,
               trim_scale(round(percentile_cont(0.5) WITHIN GROUP (
                   ORDER BY extract(epoch FROM x.first_response_at - x.opened_at)::double precision)
                   FILTER (WHERE x.first_response_at < $3 AND x.direction = 'inbound'
                                 AND NOT x.bot)::numeric, 6)) AS median_first_response_seconds
          FROM interaction x WHERE x.workspace_id = $1 AND x.customer_id = $2
           AND x.opened_at < $3) i
     CROSS JOIN LATERAL (
        SELECT count(*) AS actions,
               count(*) FILTER (WHERE x.status = 'open' OR x.done_at >= $3) AS actions_open
          FROM action x WHERE x.workspace_id = $1 AND x.customer_id = $2 AND x.opened_at < $3) a
     CROSS JOIN LATERAL (
        SELECT count(*) AS payments, count(*) FILTER (WHERE x.amount > 0) AS purchases,
               max(x.paid_at) AS last_at,
               max(x.paid_at) FILTER (WHERE x.amount > 0) AS bought_at,
               coalesce(sum(x.amount), 0) AS revenue,
               coalesce(sum(x.amount) FILTER (WHERE x.paid_at >= ($3 AT TIME ZONE w.timezone
                   - interval '12 months') AT TIME ZONE w.timezone), 0) AS revenue_last_12_months
          FROM payment x WHERE x.workspace_id = $1 AND x.customer_id = $2 AND x.paid_at < $3) p
     CROSS JOIN LATERAL (SELECT greatest(s.last_at, i.last_at, p.last_at) AS active_at) t
     WHERE w.id = $1) f
