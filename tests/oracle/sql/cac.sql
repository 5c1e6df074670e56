-- cac: costs of the period per customer who first started in it. Costs have labels of their own; customers theirs.
-- Grouped by category, the costs of each are held against all who were acquired.
-- Parameter: cac_categories, the ones that count; null: all.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN why IS NULL THEN spent.total / acquired END, acquired, spent.total, acquired,
       jsonb_build_object('costs', spent.total, 'acquired', acquired),
       NULL::float8, NULL::float8, why, EXISTS (SELECT FROM cost WHERE incurred_at < p.b)
FROM period p CROSS JOIN filter f JOIN cohort c ON c.period = p.no AND c.filter = f.no
CROSS JOIN LATERAL (
    SELECT count(*) AS n, coalesce(sum(amount), 0) AS total FROM expense e
    WHERE e.incurred_at >= p.a AND e.incurred_at < p.b AND chosen(f, e.labels)
      AND (%(cac_categories)s::text[] IS NULL OR e.labels ->> 'category' = ANY (%(cac_categories)s::text[]))) AS spent
CROSS JOIN LATERAL (
    SELECT CASE WHEN spent.n = 0 THEN 'no_data' WHEN acquired = 0 THEN 'zero_denominator' END AS why) AS judged
