-- The workspace `demo`: a small Brazilian subscription business over the twelve months before today,
-- so that every KPI has something to show. Deterministic: what looks random is taken from hashes of
-- the records' numbers; only the calendar moves along. Run inside one transaction.

CREATE FUNCTION pg_temp.chance(number bigint, salt text) RETURNS double precision
LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || substr(md5(number || salt), 1, 8))::bit(32)::bigint / 4294967296.0
$$;

CREATE FUNCTION pg_temp.pick(number bigint, salt text, choices text[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT choices[1 + floor(pg_temp.chance(number, salt) * cardinality(choices))::integer]
$$;

CREATE TEMPORARY TABLE demo ON COMMIT DROP AS
    SELECT date_trunc('day', now()) - interval '365 days' AS first, date_trunc('day', now()) AS last;

INSERT INTO workspace (name, timezone, currency, language)
VALUES ('demo', 'America/Sao_Paulo', 'BRL', 'pt');

-- 400 customers from before the year, 300 more in the course of it.
INSERT INTO customer (workspace_id, id, started_at, segment, channel)
SELECT w.id, 'cliente-' || n,
       CASE WHEN n <= 400 THEN d.first - pg_temp.chance(n, 'start') * interval '700 days'
            ELSE d.first + pg_temp.chance(n, 'start') * (d.last - d.first) END,
       pg_temp.pick(n, 'segment', ARRAY['basico', 'basico', 'profissional', 'empresa']),
       pg_temp.pick(n, 'channel', ARRAY['indicacao', 'busca', 'anuncio', 'parceiro'])
  FROM demo d, workspace w, generate_series(1, 700) n
 WHERE w.name = 'demo';

-- About one in six leaves after the year began, and one in five of these comes back.
INSERT INTO cancellation (workspace_id, id, customer_id, cancelled_at, reason, voluntary)
SELECT c.workspace_id, 'saida-' || c.id, c.id, x.at,
       pg_temp.pick(n, 'reason', ARRAY['preco', 'atendimento', 'concorrente', 'sem_uso']),
       pg_temp.chance(n, 'voluntary') < 0.8
  FROM demo d, workspace w, generate_series(1, 700) n, customer c,
       LATERAL (SELECT greatest(c.started_at, d.first)
                       + pg_temp.chance(n, 'leave') * (d.last - greatest(c.started_at, d.first)) AS at) x
 WHERE w.name = 'demo' AND c.workspace_id = w.id AND c.id = 'cliente-' || n
   AND pg_temp.chance(n, 'leaves') < 0.17;

INSERT INTO reactivation (workspace_id, id, customer_id, reactivated_at)
SELECT c.workspace_id, 'volta-' || c.customer_id, c.customer_id, c.cancelled_at + interval '23 days'
  FROM demo d, workspace w, generate_series(1, 700) n, cancellation c
 WHERE w.name = 'demo' AND c.workspace_id = w.id AND c.customer_id = 'cliente-' || n
   AND pg_temp.chance(n, 'returns') < 0.2 AND c.cancelled_at + interval '23 days' < d.last;

-- 4,000 requests for help: most answered within hours, a third resolved at first contact.
INSERT INTO interaction (workspace_id, id, customer_id, channel, topic, agent, bot, opened_at,
                         first_response_at, resolved_at, resolved_on_first_contact)
SELECT w.id, 'chamado-' || n, 'cliente-' || 1 + floor(pg_temp.chance(n, 'customer') * 700),
       pg_temp.pick(n, 'channel', ARRAY['email', 'chat', 'telefone', 'whatsapp']),
       pg_temp.pick(n, 'topic', ARRAY['entrega', 'cobranca', 'duvida', 'defeito']),
       pg_temp.pick(n, 'agent', ARRAY['Ana', 'Bruno', 'Carla', 'Davi', 'Elisa']),
       pg_temp.chance(n, 'bot') < 0.05, x.opened,
       CASE WHEN x.answered < d.last THEN x.answered END,
       CASE WHEN x.resolved < d.last THEN x.resolved END,
       CASE WHEN x.resolved < d.last THEN pg_temp.chance(n, 'first') < 0.35 END
  FROM demo d, workspace w, generate_series(1, 4000) n,
       LATERAL (SELECT d.first + n / 4001.0 * (d.last - d.first) AS opened) o,
       LATERAL (SELECT o.opened, o.opened + exp(7 + 2 * pg_temp.chance(n, 'answer')) * interval '1 second' AS answered,
                       CASE WHEN pg_temp.chance(n, 'solved') < 0.93
                            THEN o.opened + exp(9 + 3 * pg_temp.chance(n, 'resolve')) * interval '1 second' END AS resolved) x
 WHERE w.name = 'demo';

-- 6,000 invitations: NPS, satisfaction with a request for help, effort; every second one is answered.
INSERT INTO survey (workspace_id, id, customer_id, interaction_id, type, score, scale_min, scale_max,
                    direction, comment, touchpoint, sent_at, answered_at)
SELECT w.id, 'pesquisa-' || n, 'cliente-' || 1 + floor(pg_temp.chance(n, 'customer') * 700),
       CASE WHEN k.type = 'csat' THEN 'chamado-' || 1 + n * 2 / 3 % 4000 END, k.type,
       CASE WHEN a.answered THEN
           least(k.max, k.min + floor(sqrt(pg_temp.chance(n, 'score') + 0.12) * (k.max - k.min + 1)))::integer END,
       k.min, k.max, CASE WHEN k.type = 'ces' THEN 'high_is_easy' END,
       CASE WHEN a.answered AND pg_temp.chance(n, 'comments') < 0.25 THEN
           pg_temp.pick(n, 'comment', ARRAY['Entrega rápida, recomendo!', 'Atendimento muito bom.',
               'Demorou para responder.', 'Preço alto para o que oferece.', 'Tudo certo, obrigado.']) END,
       pg_temp.pick(n, 'touchpoint', ARRAY['pos_venda', 'site', 'aplicativo']), s.sent,
       CASE WHEN a.answered THEN s.sent + pg_temp.chance(n, 'delay') * interval '9 days' END
  FROM demo d, workspace w, generate_series(1, 6000) n,
       LATERAL (SELECT * FROM (VALUES (0, 'nps', 0, 10), (1, 'csat', 1, 5), (2, 'ces', 1, 7)) t(turn, type, min, max)
                 WHERE t.turn = n % 3) k,
       LATERAL (SELECT d.first + n / 6001.0 * (d.last - d.first) AS sent) s,
       LATERAL (SELECT pg_temp.chance(n, 'answers') < 0.5 AND s.sent + interval '9 days' < d.last AS answered) a
 WHERE w.name = 'demo';

-- A subscription paid every month while it runs, by how large the customer is; one in fifty is paid back.
INSERT INTO payment (workspace_id, id, customer_id, amount, currency, paid_at)
SELECT c.workspace_id, 'fatura-' || n || '-' || k, c.id,
       CASE c.segment WHEN 'basico' THEN 4990 WHEN 'profissional' THEN 9990 ELSE 29990 END
       * CASE WHEN pg_temp.chance(n * 100 + k, 'refund') < 0.02 THEN -1 ELSE 1 END, 'BRL', x.paid_at
  FROM demo d, workspace w, generate_series(1, 700) n, generate_series(0, 36) k, customer c,
       LATERAL (SELECT c.started_at + k * interval '1 month' AS paid_at) x
 WHERE w.name = 'demo' AND c.workspace_id = w.id AND c.id = 'cliente-' || n AND x.paid_at < d.last
   AND NOT EXISTS (
       SELECT FROM cancellation l
         LEFT JOIN reactivation r ON r.workspace_id = l.workspace_id AND r.customer_id = l.customer_id
        WHERE l.workspace_id = c.workspace_id AND l.customer_id = c.id AND x.paid_at >= l.cancelled_at
          AND (r.reactivated_at IS NULL OR x.paid_at < r.reactivated_at));

-- What winning them cost, month by month.
INSERT INTO cost (workspace_id, id, amount, currency, incurred_at, category, channel)
SELECT w.id, 'custo-' || k || '-' || c.channel, (150000 + floor(pg_temp.chance(k, c.channel) * 100000))::bigint,
       'BRL', d.last - k * interval '1 month' - interval '3 days', c.category, c.channel
  FROM demo d, workspace w, generate_series(0, 23) k,
       (VALUES ('anuncio', 'midia'), ('busca', 'midia'), ('parceiro', 'comissao'), ('indicacao', 'premio'))
           c(channel, category)
 WHERE w.name = 'demo';

-- Somebody calls most of those who gave a low score, often within the week.
INSERT INTO action (workspace_id, id, customer_id, survey_id, title, owner, status, opened_at, due_at, done_at)
SELECT s.workspace_id, 'retorno-' || n, s.customer_id, s.id, 'Ligar para o cliente',
       pg_temp.pick(n, 'owner', ARRAY['Ana', 'Bruno', 'Carla']), CASE WHEN x.done_at < d.last THEN 'done' ELSE 'open' END,
       s.answered_at, s.answered_at + interval '5 days', CASE WHEN x.done_at < d.last THEN x.done_at END
  FROM demo d, workspace w, generate_series(1, 6000) n, survey s,
       LATERAL (SELECT s.answered_at + pg_temp.chance(n, 'call') * interval '9 days' AS done_at) x
 WHERE w.name = 'demo' AND s.workspace_id = w.id AND s.id = 'pesquisa-' || n AND s.score_class = -1
   AND pg_temp.chance(n, 'calls') < 0.7;
