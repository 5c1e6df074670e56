-- buyer_retention_rate: of the customers who bought in the previous equal period, those who bought in this one.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN reason IS NULL THEN 100.0 * again / buyers END, buyers, again, buyers,
       jsonb_build_object('buyers', now, 'previous_buyers', buyers, 'returning_buyers', again),
       CASE WHEN reason IS NULL THEN wilson(again, buyers, -1) END,
       CASE WHEN reason IS NULL THEN wilson(again, buyers, 1) END,
       reason, dated
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS buyers, count(*) FILTER (WHERE returned) AS again
    FROM (SELECT s.customer_id,
                 EXISTS (SELECT FROM sale t WHERE t.customer_id = s.customer_id AND t.bought
                         AND t.paid_at >= p.a AND t.paid_at < p.b AND chosen(f, t.labels)) AS returned
          FROM sale s
          WHERE s.bought AND s.paid_at >= p.previous_a AND s.paid_at < p.a AND chosen(f, s.labels)
          GROUP BY s.customer_id) AS buyer) AS found
CROSS JOIN LATERAL (
    SELECT EXISTS (SELECT FROM payment WHERE paid_at < p.b) AS dated,
           (SELECT count(DISTINCT s.customer_id) FROM sale s
            WHERE s.bought AND s.paid_at >= p.a AND s.paid_at < p.b AND chosen(f, s.labels)) AS now,
           EXISTS (SELECT FROM sale s WHERE s.paid_at >= p.previous_a AND s.paid_at < p.a
                   AND chosen(f, s.labels)) AS paid_before) AS any_record
CROSS JOIN LATERAL (
    SELECT CASE WHEN f.channel IS NOT NULL THEN 'not_applicable_to_filter'
                WHEN now = 0 THEN 'no_data'
                WHEN NOT paid_before THEN 'no_previous'
                WHEN buyers = 0 THEN 'zero_denominator' END AS reason) AS judged
