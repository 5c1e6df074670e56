// Two ways of storing: one statement per request, or a group commit as Vinculo's own.
import pg from 'pg';
import * as statements from './statements.mjs';
import { deltas } from './survey.mjs';

const BATCH_MAX = 500;

export function makeStore(url, connections, batching) {
  const pool = new pg.Pool({ connectionString: url, max: connections });
  const run = (name, text, values) => pool.query({ name, text, values });

  async function storeOne(survey) {
    const values = [...statements.columns.map((name) => survey[name]), ...deltas(survey)];
    return (await run('single', single, values)).rowCount > 0;
  }
  const single = statements.single();

  // Batches: the next one starts when the last one is committed.
  let waiting = [];
  let busy = false;
  async function flush() {
    busy = true;
    while (waiting.length > 0) {
      const taken = waiting.splice(0, BATCH_MAX);
      try {
        const seen = new Set();
        const now = taken.filter(({ row }) => !seen.has(row.id) && seen.add(row.id));
        const stored = await run('batch', statements.batch, [JSON.stringify(now.map(({ row }) => row))]);
        const fresh = new Set(stored.rows.map(({ id }) => id));
        taken.forEach(({ row, resolve }) => resolve(fresh.delete(row.id)));
      } catch (error) {
        taken.forEach(({ reject }) => reject(error));
      }
    }
    busy = false;
  }
  function storeInBatch(survey) {
    const counts = deltas(survey);
    const row = { ...survey };
    statements.measureNames.forEach((name, at) => { row[name] = counts[at]; });
    return new Promise((resolve, reject) => {
      waiting.push({ row, resolve, reject });
      if (!busy) setImmediate(flush), (busy = true);
    });
  }

  return {
    store: batching ? storeInBatch : storeOne,
    isSame: async ({ id, score, answered_at, comment }) =>
      (await run('same', statements.same, [id, score, answered_at, comment])).rows[0].same,
    nps: async (month) => (await run('nps', statements.nps, [`${month}-01`])).rows[0],
    npsSeries: async (from, to) => (await run('series', statements.npsSeries, [from, to])).rows,
    close: () => pool.end(),
  };
}
