// What the rival knows of a survey: its JSON schema, the rules that a schema cannot say, its measures.

const label = { type: 'string', minLength: 1, maxLength: 64 };

export const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['type'],
  properties: {
    id: { type: 'string', minLength: 1, maxLength: 128 },
    type: { enum: ['nps', 'csat', 'ces', 'open'] },
    score: { type: 'integer', minimum: 0, maximum: 10 },
    scale_min: { type: 'integer', minimum: 0, maximum: 1 },
    scale_max: { type: 'integer', minimum: 2, maximum: 10 },
    direction: { enum: ['high_is_easy', 'low_is_easy'] },
    aspect: label,
    touchpoint: label,
    solicited: { type: 'boolean' },
    comment: { type: 'string', minLength: 1, maxLength: 10000 },
    channel: label,
    segment: label,
    answered_at: { type: 'string', format: 'date-time' },
  },
};

const scales = { nps: { min: 0, max: 10 }, csat: { min: 1, max: 5 }, ces: { min: 1, max: 7 } };

// Fills in defaults; returns what is wrong, or nothing.
export function complete(survey) {
  const scale = scales[survey.type];
  survey.answered_at ??= new Date().toISOString();
  survey.solicited ??= true;
  if (Date.parse(survey.answered_at) > Date.now() + 86400_000) return 'answered_at lies in the future';
  if (!scale) return survey.score === undefined ? undefined : 'open has no score';
  survey.scale_min ??= scale.min;
  survey.scale_max ??= scale.max;
  if (survey.score < survey.scale_min || survey.score > survey.scale_max) return 'score is not on the scale';
  if (survey.type === 'ces') survey.direction ??= 'high_is_easy';
  return undefined;
}

// 1 promoter, satisfied, easy; 0 between; -1 detractor, dissatisfied, hard; undefined: no score.
function classOf({ type, score, scale_min: min, scale_max: max }, ease) {
  if (score === undefined) return undefined;
  if (type === 'nps') return score >= 9 ? 1 : score >= 7 ? 0 : -1;
  const top = type === 'ces' ? (max === 5 ? 2 : 3) : max <= 3 ? 1 : max <= 7 ? 2 : 3;
  const value = type === 'ces' ? ease : score;
  return value > max - top ? 1 : value < min + top ? -1 : 0;
}

// The headline measures come first: those of a survey with an aspect count in the cut by aspect only.
export const headline = ['nps_promoters', 'nps_passives', 'nps_detractors', 'csat_satisfied', 'csat_neutral',
  'csat_dissatisfied', 'csat_sum180', 'ces_easy', 'ces_neutral', 'ces_hard', 'ces5_n', 'ces5_sum', 'ces7_n',
  'ces7_sum'];
export const measures = [...headline, 'records', 'comments_positive', 'comments_neutral', 'comments_negative',
  'comments_unscored'];

// The survey's deltas, in the order of `measures`.
export function deltas(survey) {
  const { type, score, scale_min: min, scale_max: max, direction, comment } = survey;
  const ease = direction === 'low_is_easy' ? max + 1 - score : score;
  const value = classOf(survey, ease);
  const counts = (kind, wanted) => Number(survey.solicited && type === kind && value === wanted);
  const scored = survey.solicited && score !== undefined;
  const ces = (scale) => scored && type === 'ces' && max === scale;
  const commented = (wanted) => Number(comment !== undefined && value === wanted);
  return [
    counts('nps', 1), counts('nps', 0), counts('nps', -1),
    counts('csat', 1), counts('csat', 0), counts('csat', -1),
    scored && type === 'csat' ? Math.trunc((180 * (score - min)) / (max - min)) : 0,
    counts('ces', 1), counts('ces', 0), counts('ces', -1),
    Number(ces(5)), ces(5) ? ease : 0, Number(ces(7)), ces(7) ? ease : 0,
    1, commented(1), commented(0), commented(-1), commented(undefined),
  ];
}
