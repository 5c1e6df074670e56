-- The newest events of one customer, across kinds.
-- $1 workspace, $2 customer, $3 the moment: what is dated before it; $4 how many at most.
-- One row per event, newest first (of one moment by kind and id, and the life's events last, in reverse):
-- a JSON object, as openapi.yaml has it (TimelineEvent). Per kind it reads that many entries of its index
-- by customer (survey_customer …; life_event's primary key), so the cost does not grow with the history.
SELECT e.event FROM (
    (SELECT l.at, l.rank, k.kind, k.id, (SELECT row_to_json(r) FROM (
        SELECT k.kind, k.id, instant_text(l.at) AS at, l.effective, c.reason, c.voluntary) r) AS event
       FROM life_event l
      CROSS JOIN LATERAL (SELECT CASE l.rank WHEN 0 THEN 'start' WHEN 1 THEN 'cancellation'
                                             ELSE 'reactivation' END AS kind,
                                 CASE l.rank WHEN 0 THEN l.customer_id ELSE l.id END AS id) k
       LEFT JOIN LATERAL (SELECT * FROM cancellation c WHERE c.workspace_id = $1 AND c.id = l.id
                             AND l.rank = 1 OFFSET 0) c ON true
      WHERE l.workspace_id = $1 AND l.customer_id = $2 AND l.at < $3::timestamptz
      ORDER BY l.at DESC, l.rank DESC, l.id LIMIT $4::integer)
    UNION ALL
    (SELECT coalesce(x.answered_at, x.sent_at), 3, 'survey', x.id, (SELECT row_to_json(r) FROM (
        SELECT 'survey' AS kind, x.id, instant_text(coalesce(x.answered_at, x.sent_at)) AS at,
               x.type, x.score, x.scale_min, x.scale_max, x.direction,
               CASE x.score_class WHEN 1 THEN 'positive' WHEN 0 THEN 'neutral'
                                  WHEN -1 THEN 'negative' ELSE 'unscored' END AS score_class,
               x.aspect, x.touchpoint, x.solicited, x.answered_at IS NOT NULL AS answered, x.comment) r)
       FROM survey x
      WHERE x.workspace_id = $1 AND x.customer_id = $2 AND coalesce(x.answered_at, x.sent_at) < $3
      ORDER BY coalesce(x.answered_at, x.sent_at) DESC, x.id LIMIT $4)
    UNION ALL
    (SELECT x.opened_at, 3, 'interaction', x.id, (SELECT row_to_json(r) FROM (
        SELECT 'interaction' AS kind, x.id, instant_text(x.opened_at) AS at,
               x.channel, x.topic, x.agent, x.direction, x.bot,
               CASE WHEN x.resolved_at < $3 THEN 'resolved' WHEN x.resolved_at IS NULL
                         AND x.closed_at < $3 THEN 'closed' ELSE 'open' END AS status,
               CASE WHEN x.first_response_at < $3 THEN trim_scale(round(
                   extract(epoch FROM x.first_response_at - x.opened_at), 6))
                    END AS first_response_seconds) r)
       FROM interaction x
      WHERE x.workspace_id = $1 AND x.customer_id = $2 AND x.opened_at < $3
      ORDER BY x.opened_at DESC, x.id LIMIT $4)
    UNION ALL
    (SELECT x.paid_at, 3, 'payment', x.id, (SELECT row_to_json(r) FROM (
        SELECT 'payment' AS kind, x.id, instant_text(x.paid_at) AS at,
               x.amount, x.currency) r)
       FROM payment x
      WHERE x.workspace_id = $1 AND x.customer_id = $2 AND x.paid_at < $3
      ORDER BY x.paid_at DESC, x.id LIMIT $4)
    UNION ALL
    (SELECT x.opened_at, 3, 'action', x.id, (SELECT row_to_json(r) FROM (
        SELECT 'action' AS kind, x.id, instant_text(x.opened_at) AS at,
               x.title, x.owner, x.topic,
               CASE WHEN x.done_at >= $3 THEN 'open' ELSE x.status END AS status,
               instant_text(x.due_at) AS due_at,
               CASE WHEN x.done_at < $3 THEN instant_text(x.done_at) END AS done_at,
               x.survey_id, x.interaction_id) r)
       FROM action x
      WHERE x.workspace_id = $1 AND x.customer_id = $2 AND x.opened_at < $3
      ORDER BY x.opened_at DESC, x.id LIMIT $4)
    ) e(at, rank, kind, id, event)
 ORDER BY e.at DESC, e.rank DESC, e.kind, e.id LIMIT $4
