-- How the customers who first started in some periods came and went.
--   $1 workspace
--   $2 integer[]: starts of consecutive periods, as days since 1970-01-01
--   $3 how many of these periods, from the first on, have a cohort; $2 has one start more at least
--   $4, $5 segment, channel of the customers, or null
-- One row per cohort and period with a change: cohort, from 0; period, the place in $2 (from 0) of
-- the first start after the change; started: who started for the first time; delta: who became
-- active less who ceased to be. Events at or after the last start in $2 are left out.
-- Reads the range's own events by life_event_at and the cohorts' lives by the primary key (OFFSET 0:
-- whatever the planner thinks of tables that may have been empty).
WITH boundary AS MATERIALIZED (
    SELECT array_agg(day_start(date '1970-01-01' + x.day, w.timezone) ORDER BY x.place) AS at
      FROM workspace w
     CROSS JOIN unnest($2::integer[]) WITH ORDINALITY AS x(day, place)
     WHERE w.id = $1)
SELECT width_bucket(s.at, b.at) - 1 AS cohort, width_bucket(e.at, b.at) AS period,
       count(*) FILTER (WHERE e.rank = 0) AS started,
       sum(CASE e.rank WHEN 1 THEN -1 ELSE 1 END) AS delta
  FROM boundary b
 CROSS JOIN LATERAL (
    SELECT x.customer_id, x.at FROM life_event x
     WHERE x.workspace_id = $1 AND x.at >= b.at[1] AND x.at < b.at[$3::integer + 1] AND x.rank = 0
       AND ($4::text IS NULL OR x.segment = $4) AND ($5::text IS NULL OR x.channel = $5) OFFSET 0) s
 CROSS JOIN LATERAL (
    SELECT x.rank, x.at FROM life_event x
     WHERE x.workspace_id = $1 AND x.customer_id = s.customer_id AND x.effective
       AND x.at < b.at[cardinality(b.at)] OFFSET 0) e
 GROUP BY 1, 2
