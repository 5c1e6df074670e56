// The rival's SQL: one statement stores a survey (or a batch) and counts it, in one round trip.
import { headline, measures } from './survey.mjs';

export { measures as measureNames };

export const columns = ['id', 'type', 'score', 'scale_min', 'scale_max', 'direction', 'aspect', 'touchpoint',
  'solicited', 'comment', 'channel', 'segment', 'answered_at'];
const types = { score: 'integer', scale_min: 'integer', scale_max: 'integer', solicited: 'boolean',
  answered_at: 'timestamptz' };

// The fixed cuts of migrations/0004 for a survey that names no interaction.
const cells = (row) => `
  CROSS JOIN LATERAL (VALUES ('d'::"char", ${row}.day), ('m', date_trunc('month', ${row}.day)::date)) g(grain, start)
  CROSS JOIN LATERAL (VALUES (0, '', ''), (1, ${row}.segment, ''), (2, ${row}.channel, ''),
    (3, ${row}.segment, ${row}.channel), (4, '', ''), (5, '', ''), (6, ${row}.touchpoint, ''),
    (7, ${row}.aspect, '')) c(cut, label, second_label)`;

const upsert = (source) => `
INSERT INTO survey_totals AS t (workspace_id, grain, cut, start, label, second_label, ${measures.join(', ')})
${source}
ON CONFLICT (workspace_id, grain, cut, start, label, second_label) DO UPDATE SET
  ${measures.map((name) => `${name} = t.${name} + excluded.${name}`).join(', ')}`;

const label = (name, from) => `coalesce(${from}, '') AS ${name}`;
const counted = (name, value, aspect) =>
  headline.includes(name) ? `CASE WHEN c.cut = 7 OR ${aspect} = '' THEN ${value} ELSE 0 END` : value;

// The busiest cells (all records of the month) come last, so that their locks are held shortest; the
// order is the same for all, so nobody deadlocks.
const order = 'ORDER BY c.cut DESC, g.grain, c.label, c.second_label, g.start';

/* Parameters: the columns, then the measures. No row counted: the id was taken. */
export function single(parameter = (at) => `$${at + 1}`) {
  const at = (name) => parameter(columns.indexOf(name), name);
  const value = (name) => `${parameter(columns.length + measures.indexOf(name), name)}::bigint`;
  return `WITH new AS (
  INSERT INTO survey (workspace_id, ${columns.join(', ')})
  VALUES (1, ${columns.map((name) => `${at(name)}::${types[name] ?? 'text'}`).join(', ')})
  ON CONFLICT (workspace_id, id) DO NOTHING
  RETURNING (answered_at AT TIME ZONE 'UTC')::date AS day, ${['segment', 'channel', 'touchpoint', 'aspect']
    .map((name) => label(name, name)).join(', ')})
${upsert(`SELECT 1, g.grain, c.cut, g.start, c.label, c.second_label,
  ${measures.map((name) => counted(name, value(name), 'n.aspect')).join(', ')}
FROM new n${cells('n')} ${order}`)}`;
}

/* $1: a JSON array of objects with columns and measures. Returns the ids that are new. */
export const batch = `WITH input AS MATERIALIZED (
  SELECT * FROM json_to_recordset($1::json) AS x(${[
    ...columns.map((name) => `${name} ${types[name] ?? 'text'}`),
    ...measures.map((name) => `${name} integer`)].join(', ')})),
new AS (
  INSERT INTO survey (workspace_id, ${columns.join(', ')})
  SELECT 1, ${columns.join(', ')} FROM input ORDER BY id
  ON CONFLICT (workspace_id, id) DO NOTHING RETURNING id),
detail AS (
  SELECT (i.answered_at AT TIME ZONE 'UTC')::date AS day, ${['segment', 'channel', 'touchpoint', 'aspect']
    .map((name) => label(name, `i.${name}`)).join(', ')},
    ${measures.map((name) => `sum(i.${name}) AS ${name}`).join(', ')}
    FROM input i JOIN new USING (id) GROUP BY 1, 2, 3, 4, 5),
counted AS (${upsert(`SELECT 1, g.grain, c.cut, g.start, c.label, c.second_label,
  ${measures.map((name) => `sum(${counted(name, `d.${name}`, 'd.aspect')})`).join(', ')}
FROM detail d${cells('d')} GROUP BY 1, 2, 3, 4, 5, 6 ${order}`)})
SELECT id FROM new`;

export const same = `SELECT score IS NOT DISTINCT FROM $2 AND answered_at = $3
    AND comment IS NOT DISTINCT FROM $4 AS same
  FROM survey WHERE workspace_id = 1 AND id = $1`;

export const nps = `SELECT coalesce(sum(nps_promoters), 0)::integer AS promoters,
  coalesce(sum(nps_passives), 0)::integer AS passives, coalesce(sum(nps_detractors), 0)::integer AS detractors
  FROM survey_totals
  WHERE workspace_id = 1 AND grain = 'm' AND cut = 0 AND start = $1::date AND label = '' AND second_label = ''`;

export const npsSeries = `SELECT to_char(start, 'YYYY-MM') AS period, nps_promoters::integer AS promoters,
  nps_passives::integer AS passives, nps_detractors::integer AS detractors
  FROM survey_totals
  WHERE workspace_id = 1 AND grain = 'm' AND cut = 0 AND start >= $1::date AND start < $2::date
    AND label = '' AND second_label = '' ORDER BY start`;
