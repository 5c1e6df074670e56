-- One row of the cohort table: all who first started in [a, b), then of these, at each later boundary, those active.
-- Parameters: a, b, later (boundaries in order). Result: the cells in order.
SELECT count(*) FROM person WHERE started_at >= %(a)s AND started_at < %(b)s
UNION ALL
SELECT cell FROM (
    SELECT t, count(e.customer_id) AS cell
    FROM unnest(%(later)s::timestamptz[]) AS t
    LEFT JOIN (life e JOIN person c ON c.id = e.customer_id AND c.started_at >= %(a)s AND c.started_at < %(b)s)
        ON e.moment < t AND t <= e.until AND e.active
    GROUP BY t ORDER BY t) AS later
