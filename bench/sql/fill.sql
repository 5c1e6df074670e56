-- The fixed generator: records first … last − 1 of `total`, spread evenly over three years, oldest first;
-- of 200 records 120 surveys, 60 interactions, 16 payments, 3 customers, 1 life event; 5 segments, 4
-- channels, 100 agents. Through the real tables, so that their triggers keep derived rows and totals.
-- pick(i, salt, n): 0 … n − 1, the same for the same arguments. Statements are divided by lines of dashes.
CREATE OR REPLACE FUNCTION pg_temp.pick(i bigint, salt integer, n integer) RETURNS integer LANGUAGE sql IMMUTABLE
AS 'SELECT ((hashint8extended(i, salt) & 1073741823) % n)::integer';
CREATE OR REPLACE FUNCTION pg_temp.moment(i bigint, total bigint) RETURNS timestamptz LANGUAGE sql IMMUTABLE
AS $$SELECT timestamptz '2023-10-01 00:00:00+00' + i * (interval '1096 days' / total::double precision)$$;
----
INSERT INTO customer (workspace_id, id, started_at, segment, channel, name, content_hash)
SELECT %(workspace)s, 'c' || i / 200 * 3 + i %% 200 - 196, pg_temp.moment(i, %(total)s),
       'segment-' || pg_temp.pick(i, 1, 5), 'channel-' || pg_temp.pick(i, 2, 4), 'Customer ' || i,
       decode(md5('c' || i), 'hex')
  FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) i WHERE i %% 200 BETWEEN 196 AND 198;
----
INSERT INTO cancellation (workspace_id, id, customer_id, cancelled_at, reason, voluntary, content_hash)
SELECT %(workspace)s, 'k' || i, 'c' || pg_temp.pick(i, 3, (i / 200 * 3 + 1)::integer), pg_temp.moment(i, %(total)s),
       'reason-' || pg_temp.pick(i, 4, 5), pg_temp.pick(i, 5, 4) > 0, decode(md5('k' || i), 'hex')
  FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) i WHERE i %% 200 = 199 AND i / 200 %% 4 < 3;
----
-- Back comes who left four life events before.
INSERT INTO reactivation (workspace_id, id, customer_id, reactivated_at, content_hash)
SELECT %(workspace)s, 'r' || i, 'c' || pg_temp.pick(i - 600, 3, ((i - 600) / 200 * 3 + 1)::integer),
       pg_temp.moment(i, %(total)s), decode(md5('r' || i), 'hex')
  FROM generate_series(greatest(%(first)s::bigint, 800), %(last)s::bigint - 1) i
 WHERE i %% 200 = 199 AND i / 200 %% 4 = 3;
----
INSERT INTO interaction (workspace_id, id, customer_id, channel, topic, agent, direction, bot, opened_at,
                         first_response_at, resolved_at, resolved_on_first_contact, closed_at, segment, content_hash)
SELECT %(workspace)s, 'i' || i / 200 * 60 + i %% 200 - 120,
       CASE WHEN pg_temp.pick(i, 3, 2) = 0 THEN 'c' || pg_temp.pick(i, 4, (i / 200 * 3 + 1)::integer) END,
       'channel-' || pg_temp.pick(i, 5, 4), 'topic-' || pg_temp.pick(i, 6, 10), 'agent-' || pg_temp.pick(i, 7, 100),
       CASE WHEN pg_temp.pick(i, 8, 10) = 0 THEN 'outbound' ELSE 'inbound' END, pg_temp.pick(i, 9, 20) = 0, t.at,
       t.at + interval '1 second' * r.seconds,
       CASE WHEN s.resolved THEN t.at + interval '1 second' * r.seconds * (1 + pg_temp.pick(i, 12, 20)) END,
       CASE WHEN s.resolved THEN pg_temp.pick(i, 13, 10) < 7 END,
       CASE WHEN NOT s.resolved THEN t.at + interval '5 days' END,
       CASE WHEN pg_temp.pick(i, 3, 2) = 1 THEN 'segment-' || pg_temp.pick(i, 14, 5) END, decode(md5('i' || i), 'hex')
  FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) i
 CROSS JOIN LATERAL (SELECT pg_temp.moment(i, %(total)s) AS at) t
 -- From seconds to hours, as if log-normal.
 CROSS JOIN LATERAL (SELECT exp(3 + pg_temp.pick(i, 10, 7000) / 1000.0)::integer AS seconds) r
 CROSS JOIN LATERAL (SELECT pg_temp.pick(i, 11, 20) > 0 AS resolved) s
 WHERE i %% 200 BETWEEN 120 AND 179;
----
INSERT INTO survey (workspace_id, id, customer_id, interaction_id, type, score, scale_min, scale_max, direction, aspect,
                    touchpoint, solicited, comment, channel, segment, sent_at, answered_at, content_hash)
SELECT %(workspace)s, 's' || i,
       CASE WHEN pg_temp.pick(i, 3, 2) = 0 THEN 'c' || pg_temp.pick(i, 4, (i / 200 * 3 + 1)::integer) END,
       CASE WHEN pg_temp.pick(i, 5, 5) = 0 THEN 'i' || pg_temp.pick(i, 6, (i / 200 * 60 + 1)::integer) END,
       k.type,
       CASE k.type WHEN 'nps' THEN pg_temp.pick(i, 8, 11) WHEN 'csat' THEN 1 + pg_temp.pick(i, 8, 5)
                   WHEN 'ces' THEN 1 + pg_temp.pick(i, 8, 7) END,
       CASE k.type WHEN 'nps' THEN 0 WHEN 'open' THEN NULL ELSE 1 END,
       CASE k.type WHEN 'nps' THEN 10 WHEN 'csat' THEN 5 WHEN 'ces' THEN 7 END,
       CASE k.type WHEN 'ces' THEN 'high_is_easy' END,
       CASE WHEN pg_temp.pick(i, 9, 10) = 0 THEN 'aspect-' || pg_temp.pick(i, 10, 5) END,
       'touchpoint-' || pg_temp.pick(i, 11, 4), pg_temp.pick(i, 12, 20) > 0,
       CASE WHEN k.type = 'open' OR pg_temp.pick(i, 13, 5) = 0 THEN 'Resolveram na hora, mas a espera foi longa.' END,
       CASE WHEN pg_temp.pick(i, 14, 10) > 0 THEN 'channel-' || pg_temp.pick(i, 15, 4) END,
       CASE WHEN pg_temp.pick(i, 16, 5) > 0 THEN 'segment-' || pg_temp.pick(i, 17, 5) END,
       CASE WHEN pg_temp.pick(i, 18, 2) = 0 THEN t.at - interval '1 hour' * pg_temp.pick(i, 19, 72) END,
       t.at, decode(md5('s' || i), 'hex')
  FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) i
 CROSS JOIN LATERAL (SELECT pg_temp.moment(i, %(total)s) AS at) t
 CROSS JOIN LATERAL (SELECT (ARRAY['nps', 'nps', 'nps', 'nps', 'nps', 'csat', 'csat', 'csat', 'ces', 'open'])[1
                            + pg_temp.pick(i, 7, 10)] AS type) k
 WHERE i %% 200 < 120;
----
INSERT INTO payment (workspace_id, id, customer_id, amount, currency, paid_at, segment, content_hash)
SELECT %(workspace)s, 'p' || i,
       CASE WHEN pg_temp.pick(i, 1, 5) > 0 THEN 'c' || pg_temp.pick(i, 2, (i / 200 * 3 + 1)::integer) END,
       CASE WHEN pg_temp.pick(i, 3, 50) = 0 THEN -1000 ELSE 1000 + pg_temp.pick(i, 4, 50000) END, 'BRL',
       pg_temp.moment(i, %(total)s), NULL, decode(md5('p' || i), 'hex')
  FROM generate_series(%(first)s::bigint, %(last)s::bigint - 1) i WHERE i %% 200 BETWEEN 180 AND 195;
