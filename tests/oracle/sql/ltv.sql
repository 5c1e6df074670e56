-- ltv: what customers paid in the period times the gross margin per customer lost in it, whenever they had started.
-- The interval is that of the losses, a Poisson count; with no loss the end nearer to 0 alone is known.
-- Parameter: gross_margin.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN why IS NULL THEN margin / losses END, losses, margin, losses,
       jsonb_build_object('attributed_revenue', paid.total, 'lost', lost, 'lost_new', lost_new),
       CASE WHEN why IS NULL THEN least(one, other) WHEN why = 'zero_churn' AND margin >= 0 THEN one END,
       CASE WHEN why IS NULL THEN greatest(one, other) WHEN why = 'zero_churn' AND margin < 0 THEN one END,
       why, dated
FROM period p CROSS JOIN filter f JOIN cohort c ON c.period = p.no AND c.filter = f.no
CROSS JOIN LATERAL (
    SELECT coalesce(sum(amount), 0) AS total, coalesce(sum(amount), 0) * %(gross_margin)s::float8 AS margin,
           lost + lost_new AS losses FROM sale s
    WHERE s.customer_id IS NOT NULL AND s.paid_at >= p.a AND s.paid_at < p.b AND chosen(f, s.buyer)) AS paid
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM payment WHERE paid_at < p.b) AS dated,
           margin / poisson_score(losses, 1) AS one,
           margin / nullif(poisson_score(losses, -1), 0) AS other) AS ends
CROSS JOIN LATERAL (
    SELECT CASE WHEN NOT dated OR known = 0 THEN 'no_data'
                WHEN NOT EXISTS (SELECT FROM cancellation) THEN 'no_cancellations'
                WHEN losses = 0 THEN 'zero_churn' END AS why) AS judged
