// Surveys in, NPS out: what a team would build with Fastify and pg. Settings come from the environment:
// DATABASE_URL, PORT, PROCESSES, CONNECTIONS (to PostgreSQL, of all processes), BATCHING, KEY.
import cluster from 'node:cluster';
import { createHash, randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import { makeStore } from './store.mjs';
import { complete, schema } from './survey.mjs';

const { DATABASE_URL, PORT, PROCESSES, CONNECTIONS, BATCHING, KEY } = process.env;
const digest = (text) => createHash('sha256').update(text).digest('base64');
const Z = 1.959964;

// Adjusted Wald interval (Rocks 2016), as Vinculo's.
function figure({ promoters, passives, detractors }) {
  const n = promoters + passives + detractors;
  if (n === 0) return { kpi: 'nps', value: null, n };
  const value = (100 * (promoters - detractors)) / n;
  const p = (promoters + 0.75) / (n + 3);
  const d = (detractors + 0.75) / (n + 3);
  const half = 100 * Z * Math.sqrt((p + d - (p - d) ** 2) / (n + 3));
  const middle = 100 * (p - d);
  return { kpi: 'nps', value, n, parts: { promoters, passives, detractors },
    interval: { level: 0.95, low: Math.max(-100, middle - half), high: Math.min(100, middle + half) } };
}

async function serve() {
  const store = makeStore(DATABASE_URL, Math.max(1, Math.floor(CONNECTIONS / PROCESSES)), BATCHING === '1');
  const keys = new Map([[digest(KEY), { workspace: 1 }]]);
  const app = Fastify({ logger: false, ajv: { customOptions: { removeAdditional: false, coerceTypes: false } } });
  app.addHook('onRequest', async (request, reply) => {
    if (!keys.has(digest(request.headers.authorization?.slice(7) ?? ''))) {
      return reply.code(401).send({ code: 'unauthorized' });
    }
  });
  app.post('/v1/surveys', { schema: { body: schema } }, async (request, reply) => {
    const survey = request.body;
    survey.id ??= randomUUID();
    const fault = complete(survey);
    if (fault) return reply.code(422).send({ code: 'invalid_record', detail: fault });
    if (await store.store(survey)) {
      return reply.code(201).header('location', `/v1/surveys/${encodeURIComponent(survey.id)}`).send(survey);
    }
    return (await store.isSame(survey)) ? reply.code(200).send(survey) : reply.code(409).send({ code: 'id_conflict' });
  });
  app.get('/v1/kpis/nps', async ({ query }) => {
    if (query.granularity !== 'month') return figure(await store.nps(query.period));
    return { kpi: 'nps', series: (await store.npsSeries(query.from, query.to))
      .map(({ period, ...counts }) => ({ period, ...figure(counts) })) };
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  process.on('SIGTERM', () => process.exit(0));
  await app.listen({ host: '127.0.0.1', port: Number(PORT) });
}

if (cluster.isPrimary && PROCESSES > 1) {
  for (let at = 0; at < PROCESSES; at++) cluster.fork();
  process.on('SIGTERM', () => {
    for (const worker of Object.values(cluster.workers)) worker.kill('SIGTERM');
    setTimeout(() => process.exit(0), 300);
  });
} else {
  await serve();
}
