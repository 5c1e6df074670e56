-- Buyers of periods that are not made of whole months (days, weeks, free ranges), from the payments of
-- the period and of the equal one before it.
--   $1 … $7 as kpi_purchases
-- Rows: number, ord, buyers, repeat_buyers, previous_buyers, returning_buyers. Relies on payment_time, and
-- on payment_customer for who bought before.
WITH bought AS (
    SELECT p.number, g.ord, g.label, x.customer_id, r.before_at,
           bool_or(x.paid_at >= r.starts_at) AS now, bool_or(x.paid_at < r.starts_at) AS previously,
           count(DISTINCT local_day(x.paid_at, w.timezone)) FILTER (WHERE x.paid_at >= r.starts_at) AS days
      FROM unnest($2::integer[], $3::date[], $4::date[], $5::date[]) AS p(number, before, a, b)
      JOIN workspace w ON w.id = $1
     CROSS JOIN LATERAL (SELECT day_start(p.before, w.timezone) AS before_at,
                                day_start(p.a, w.timezone) AS starts_at,
                                day_start(p.b, w.timezone) AS ends_at OFFSET 0) r
     CROSS JOIN LATERAL (SELECT * FROM payment x
                          WHERE x.workspace_id = $1 AND x.paid_at >= r.before_at AND x.paid_at < r.ends_at
                            AND x.amount > 0 AND x.customer_id IS NOT NULL OFFSET 0) x
      JOIN json_to_recordset($7::json) AS g(ord integer, label text, second_label text)
        ON $6::smallint = 0 OR coalesce(x.segment, x.followed_segment, '') = g.label
     GROUP BY 1, 2, 3, 4, 5)
SELECT b.number, b.ord, count(*) FILTER (WHERE b.now) AS buyers,
       count(*) FILTER (WHERE b.now AND (b.days >= 2 OR b.previously OR EXISTS (
           SELECT FROM payment y
            WHERE y.workspace_id = $1 AND y.customer_id = b.customer_id AND y.paid_at < b.before_at
              AND y.amount > 0
              AND ($6::smallint = 0 OR coalesce(y.segment, y.followed_segment, '') = b.label)))) AS repeat_buyers,
       count(*) FILTER (WHERE b.previously) AS previous_buyers,
       count(*) FILTER (WHERE b.now AND b.previously) AS returning_buyers
  FROM bought b
 GROUP BY 1, 2
