// Prints the pgbench script of the single-row transaction: the rival's own statement, with the labels and
// scores of bench/lua/post.lua.
import { single } from './statements.mjs';

const scores = { nps_promoters: ':score >= 9', nps_passives: ':score BETWEEN 7 AND 8', nps_detractors: ':score <= 6',
  records: 'true', comments_positive: ':score >= 9', comments_neutral: ':score BETWEEN 7 AND 8',
  comments_negative: ':score <= 6' };
const fields = {
  id: "('b' || :run || '-' || :client_id || '-' || :n)", type: "'nps'", score: ':score', scale_min: '0',
  scale_max: '10', solicited: 'true', comment: "'Resolveram na hora, mas a espera foi longa.'",
  touchpoint: "('touchpoint-' || :touchpoint)", channel: "('channel-' || :channel)",
  segment: "('segment-' || :segment)", answered_at: "'2026-09-14T12:34:56Z'" };

const bound = (at, name) => fields[name] ?? (scores[name] ? `(${scores[name]})::integer` : at < 13 ? 'NULL' : '0');
console.log(`\\set n random(1, 9000000000000000)
\\set score random(0, 10)
\\set segment random(1, 5)
\\set channel random(1, 4)
\\set touchpoint random(1, 4)
${single(bound)};`);
