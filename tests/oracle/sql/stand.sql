-- From the life events: who is active just before each boundary of the periods asked for, and in each period and
-- filter, by the customers' own labels, who was there, came, went and returned. Grouped by reason, the lost are
-- those whose gap began with a cancellation for that reason; all else is of all customers.
SET search_path = oracle;
TRUNCATE standing, cohort;

INSERT INTO standing
SELECT t, e.customer_id, e.active, e.gap_voluntary, e.gap_reason
FROM (SELECT a AS t FROM period UNION SELECT b FROM period) AS boundary
JOIN life e ON e.moment < t AND t <= e.until;

ANALYZE standing;

INSERT INTO cohort
SELECT p.no, f.no, at_start, at_end, lost, voluntary, involuntary, acquired, lost_new, known, cancelled, reactivated,
       redundant,
       CASE WHEN known = 0 THEN 'no_data'
            WHEN NOT EXISTS (SELECT FROM cancellation) THEN 'no_cancellations'
            WHEN at_start = 0 THEN 'zero_denominator' END
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE there) AS at_start,
           count(*) FILTER (WHERE stays) AS at_end,
           count(*) FILTER (WHERE there AND NOT stays AND named) AS lost,
           count(*) FILTER (WHERE there AND NOT stays AND named AND gap_voluntary) AS voluntary,
           count(*) FILTER (WHERE there AND NOT stays AND named AND NOT gap_voluntary) AS involuntary,
           count(*) FILTER (WHERE started_at >= p.a) AS acquired,
           count(*) FILTER (WHERE started_at >= p.a AND NOT stays AND named) AS lost_new,
           count(*) AS known
    FROM (SELECT c.started_at, coalesce(x.active, false) AS there, y.active AS stays, y.gap_voluntary,
                 f.label IS DISTINCT FROM 'reason'
                 OR CASE WHEN f.names IS NULL THEN y.gap_reason IS NULL ELSE y.gap_reason = ANY (f.names) END AS named
          FROM person c
          JOIN standing y ON y.t = p.b AND y.customer_id = c.id
          LEFT JOIN standing x ON x.t = p.a AND x.customer_id = c.id
          WHERE chosen(f, c.labels)) AS customer) AS cohort
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE e.rank = 1 AND e.effective) AS cancelled,
           count(*) FILTER (WHERE e.rank = 2 AND e.effective) AS reactivated,
           count(*) FILTER (WHERE NOT e.effective) AS redundant
    FROM life e JOIN person c ON c.id = e.customer_id
    WHERE e.moment >= p.a AND e.moment < p.b AND chosen(f, c.labels)) AS events;

ANALYZE cohort;
