-- The instants at which the equal period before begins, the period begins, and it ends.
-- $1 workspace; $2, $3, $4 the first day of the one before, of the period, and its end (exclusive).
-- One row: before, a, b. Relies on the primary key.
SELECT day_start($2::date, w.timezone) AS before, day_start($3::date, w.timezone) AS a,
       day_start($4::date, w.timezone) AS b
  FROM workspace w WHERE w.id = $1
