-- retention_rate: active at the start and at the end too, of those active at the start (stand.sql).
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, filter, CASE WHEN reason IS NULL THEN 100.0 * (at_start - lost) / at_start END, at_start,
       at_start - lost, at_start,
       jsonb_build_object(
           'customers_at_start', at_start, 'retained', at_start - lost, 'lost', lost,
           'annualised', CASE WHEN reason IS NULL THEN 100 * power(1 - lost::float8 / at_start, 12 / p.months) END),
       CASE WHEN reason IS NULL THEN wilson(at_start - lost, at_start, -1) END,
       CASE WHEN reason IS NULL THEN wilson(at_start - lost, at_start, 1) END,
       reason,
       EXISTS (SELECT FROM customer WHERE started_at < p.b)
FROM cohort JOIN period p ON p.no = period
