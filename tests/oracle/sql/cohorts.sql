-- One row of the cohort table: all who first started in [a, b), then of these, at each later boundary, those active.
-- Parameters: a, b, segment, channel (null: any), later (boundaries in order). Result: the cells in order.
WITH cohort AS (
    SELECT id FROM person
    WHERE started_at >= %(a)s AND started_at < %(b)s
      AND chosen(ROW(0, %(segment)s, %(channel)s, NULL, NULL)::filter, labels))
SELECT count(*) FROM cohort
UNION ALL
SELECT cell FROM (
    SELECT t, count(e.customer_id) AS cell
    FROM unnest(%(later)s::timestamptz[]) AS t
    LEFT JOIN (life e JOIN cohort c ON c.id = e.customer_id) ON e.moment < t AND t <= e.until AND e.active
    GROUP BY t ORDER BY t) AS later
