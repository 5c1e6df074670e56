-- From the raw rows: what labels a record has now, what class an answer falls in, which life events took
-- effect, and who is active at each boundary of the periods asked for.
SET search_path = oracle;
TRUNCATE answer, contact, life, standing;

INSERT INTO answer
SELECT s.id,
       coalesce(s.segment, (SELECT c.segment FROM customer c WHERE c.id = s.customer_id)),
       coalesce(s.channel, (SELECT i.channel FROM interaction i WHERE i.id = s.interaction_id)),
       s.type, s.sent_at, s.answered_at, coalesce(s.answered_at, s.sent_at), s.comment,
       s.score IS NOT NULL AND s.solicited AND s.aspect IS NULL,
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
       END
FROM survey s
CROSS JOIN LATERAL (
    SELECT CASE WHEN s.type = 'ces' AND s.direction = 'low_is_easy' THEN s.scale_max + 1 - s.score ELSE s.score END AS turned,
           CASE s.scale_max WHEN 2 THEN 1 WHEN 3 THEN 1 WHEN 10 THEN 3 ELSE 2 END AS boxes) AS scale;

-- timed: neither outbound nor a bot's. A closing counts only where there is no resolution.
INSERT INTO contact
SELECT i.id,
       coalesce(i.segment, (SELECT c.segment FROM customer c WHERE c.id = i.customer_id)),
       i.channel, i.direction IS DISTINCT FROM 'outbound' AND NOT i.bot,
       i.opened_at, i.first_response_at, i.resolved_at,
       CASE WHEN i.resolved_at IS NULL THEN i.closed_at END, i.resolved_on_first_contact
FROM interaction i;

INSERT INTO life
SELECT customer_id, moment, rank, id, active,
       active IS DISTINCT FROM lag(active) OVER (PARTITION BY customer_id ORDER BY moment, rank, id), voluntary
FROM (SELECT id AS customer_id, started_at AS moment, 0 AS rank, id, true AS active, NULL::boolean AS voluntary FROM customer
      UNION ALL
      SELECT customer_id, cancelled_at, 1, id, false, voluntary FROM cancellation
      UNION ALL
      SELECT customer_id, reactivated_at, 2, id, true, NULL FROM reactivation) AS event;

ANALYZE answer, contact, life;

INSERT INTO standing
SELECT t, c.id,
       coalesce((SELECT e.active FROM life e WHERE e.customer_id = c.id AND e.moment < t
                 ORDER BY e.moment DESC, e.rank DESC, e.id DESC LIMIT 1), false),
       (SELECT e.voluntary FROM life e WHERE e.customer_id = c.id AND e.moment < t AND e.effective
        ORDER BY e.moment DESC, e.rank DESC, e.id DESC LIMIT 1)
FROM (SELECT a AS t FROM period UNION SELECT b FROM period) AS boundary CROSS JOIN customer c;

ANALYZE standing;
