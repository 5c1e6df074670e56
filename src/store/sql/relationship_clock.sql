-- The moment that a customer's relationship is looked at.
-- $1 workspace; $2 a date of its calendar, which stands for its first instant, or null; $3 an instant
-- or null; neither: now. One row: at, future (it is later than now). Relies on workspace's primary key.
SELECT t.at, t.at > now() AS future
  FROM workspace w
 CROSS JOIN LATERAL (SELECT coalesce(day_start($2::date, w.timezone), $3::timestamptz, now()) AS at) t
 WHERE w.id = $1
