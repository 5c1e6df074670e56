-- repeat_purchase_rate: of the customers who bought in the period, those who had bought before it or on at least
-- two days in it.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN reason IS NULL THEN 100.0 * again / buyers END, buyers, again, buyers,
       jsonb_build_object('buyers', buyers, 'repeat_buyers', again),
       CASE WHEN reason IS NULL THEN wilson(again, buyers, -1) END,
       CASE WHEN reason IS NULL THEN wilson(again, buyers, 1) END,
       reason, EXISTS (SELECT FROM payment WHERE paid_at < p.b)
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS buyers, count(*) FILTER (WHERE days >= 2 OR known) AS again
    FROM (SELECT count(DISTINCT s.day) AS days,
                 EXISTS (SELECT FROM sale t WHERE t.customer_id = s.customer_id AND t.bought AND t.paid_at < p.a
                         AND chosen(f, t.labels)) AS known
          FROM sale s
          WHERE s.bought AND s.paid_at >= p.a AND s.paid_at < p.b AND chosen(f, s.labels)
          GROUP BY s.customer_id) AS buyer) AS found
CROSS JOIN LATERAL (
    SELECT CASE WHEN f.channel IS NOT NULL THEN 'not_applicable_to_filter'
                WHEN buyers = 0 THEN 'no_data' END AS reason) AS judged
