-- From the raw rows: what labels a record has now, what class an answer falls in and when it was followed up,
-- who bought on which day, and which life events took effect.
SET search_path = oracle;
TRUNCATE answer, contact, person, sale, expense, life;

-- A survey's segment follows its own customer's; channel its interaction's; topic and agent are its interaction's.
INSERT INTO answer
SELECT s.id,
       jsonb_build_object('segment', coalesce(s.segment, c.segment), 'channel', coalesce(s.channel, i.channel),
                          'touchpoint', s.touchpoint, 'aspect', s.aspect, 'topic', i.topic, 'agent', i.agent),
       s.type, s.sent_at, s.answered_at, coalesce(s.answered_at, s.sent_at), s.comment,
       s.score IS NOT NULL AND s.solicited, s.aspect,
       turned, s.scale_min, s.scale_max,
       CASE
           WHEN s.score IS NULL THEN NULL
           WHEN s.type = 'nps' THEN CASE WHEN s.score >= 9 THEN 'good' WHEN s.score >= 7 THEN 'middle' ELSE 'bad' END
           WHEN s.type = 'ces' AND s.scale_max = 7 THEN
               CASE WHEN turned IN (5, 6, 7) THEN 'good' WHEN turned IN (1, 2, 3) THEN 'bad' ELSE 'middle' END
           WHEN s.type = 'ces' AND s.scale_max = 5 THEN
               CASE WHEN turned IN (4, 5) THEN 'good' WHEN turned IN (1, 2) THEN 'bad' ELSE 'middle' END
           WHEN s.type = 'csat' AND s.scale_min = 0 THEN
               CASE WHEN s.score IN (8, 9, 10) THEN 'good' WHEN s.score IN (0, 1, 2) THEN 'bad' ELSE 'middle' END
           WHEN s.type = 'csat' THEN
               CASE WHEN s.score > s.scale_max - boxes THEN 'good' WHEN s.score <= boxes THEN 'bad' ELSE 'middle' END
       END,
       (SELECT min(a.done_at) FROM action a
        WHERE a.survey_id = s.id AND a.status = 'done' AND a.done_at >= coalesce(s.answered_at, s.sent_at)
          AND a.done_at <= coalesce(s.answered_at, s.sent_at) + interval '168 hours')
FROM survey s
LEFT JOIN customer c ON c.id = s.customer_id
LEFT JOIN interaction i ON i.id = s.interaction_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.type = 'ces' AND s.direction = 'low_is_easy' THEN s.scale_max + 1 - s.score ELSE s.score END AS turned,
           CASE s.scale_max WHEN 2 THEN 1 WHEN 3 THEN 1 WHEN 10 THEN 3 ELSE 2 END AS boxes) AS scale;

-- timed: neither outbound nor a bot's. A closing counts only where there is no resolution.
INSERT INTO contact
SELECT i.id,
       jsonb_build_object('segment', coalesce(i.segment, c.segment), 'channel', i.channel, 'topic', i.topic,
                          'agent', i.agent),
       i.direction IS DISTINCT FROM 'outbound' AND NOT i.bot,
       i.opened_at, i.first_response_at, i.resolved_at,
       CASE WHEN i.resolved_at IS NULL THEN i.closed_at END, i.resolved_on_first_contact
FROM interaction i LEFT JOIN customer c ON c.id = i.customer_id;

INSERT INTO person
SELECT id, started_at, jsonb_build_object('segment', segment, 'channel', channel) FROM customer;

INSERT INTO sale
SELECT p.id, p.customer_id, p.amount, p.paid_at,
       (SELECT d.day FROM day d WHERE d.starts <= p.paid_at ORDER BY d.starts DESC, d.day DESC LIMIT 1),
       p.customer_id IS NOT NULL AND p.amount > 0,
       jsonb_build_object('segment', coalesce(p.segment, c.segment)),
       jsonb_build_object('segment', c.segment, 'channel', c.channel)
FROM payment p LEFT JOIN customer c ON c.id = p.customer_id;

INSERT INTO expense
SELECT id, amount, incurred_at, jsonb_build_object('segment', segment, 'channel', channel, 'category', category)
FROM cost;

INSERT INTO life
SELECT customer_id, moment, rank, id, active, effective,
       coalesce(lead(moment) OVER (PARTITION BY customer_id ORDER BY moment, rank, id), 'infinity'),
       first_value(voluntary) OVER (PARTITION BY customer_id, turns ORDER BY moment, rank, id),
       first_value(reason) OVER (PARTITION BY customer_id, turns ORDER BY moment, rank, id)
FROM (SELECT *, count(*) FILTER (WHERE effective) OVER (PARTITION BY customer_id ORDER BY moment, rank, id) AS turns
      FROM (SELECT *, active IS DISTINCT FROM
                          lag(active) OVER (PARTITION BY customer_id ORDER BY moment, rank, id) AS effective
            FROM (SELECT id AS customer_id, started_at AS moment, 0 AS rank, id, true AS active,
                         NULL::boolean AS voluntary, NULL AS reason
                  FROM customer
                  UNION ALL
                  SELECT customer_id, cancelled_at, 1, id, false, voluntary, reason FROM cancellation
                  UNION ALL
                  SELECT customer_id, reactivated_at, 2, id, true, NULL, NULL FROM reactivation) AS event) AS judged) AS turned;

ANALYZE answer, contact, person, sale, expense, life;
