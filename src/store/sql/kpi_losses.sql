-- Customers lost in ranges that the totals have no losses of (days, weeks, free ranges), from the
-- range's own cancellations whose gap outlasts it: the last event before its start decides.
--   $1 workspace; $2, $3, $4 arrays: number, first day and end (exclusive) of each range
--   $5 cut (migrations/0004); $6 json array of groups {ord, label, second_label}
-- Rows: number, ord, lost, lost_new, lost_voluntary, lost_involuntary; none where nobody was.
-- Relies on life_event_at, and on life_event's primary key for the state before.
SELECT p.number, g.ord, count(*) FILTER (WHERE b.active), count(*) FILTER (WHERE b.active IS NULL),
       count(*) FILTER (WHERE b.active AND e.voluntary), count(*) FILTER (WHERE b.active AND NOT e.voluntary)
  FROM unnest($2::integer[], $3::date[], $4::date[]) AS p(number, a, b)
  JOIN workspace w ON w.id = $1
 CROSS JOIN LATERAL (SELECT day_start(p.a, w.timezone) AS starts_at, day_start(p.b, w.timezone) AS ends_at OFFSET 0) r
 CROSS JOIN LATERAL (SELECT * FROM life_event e
                      WHERE e.workspace_id = $1 AND e.at >= r.starts_at AND e.at < r.ends_at
                        AND e.rank = 1 AND e.effective AND (e.until IS NULL OR e.until >= r.ends_at)
                     OFFSET 0) e
  JOIN json_to_recordset($6::json) AS g(ord integer, label text, second_label text)
    ON CASE $5::smallint WHEN 0 THEN true
            WHEN 1 THEN coalesce(e.segment, '') = g.label
            WHEN 2 THEN coalesce(e.channel, '') = g.label
            WHEN 3 THEN (coalesce(e.segment, ''), coalesce(e.channel, '')) = (g.label, g.second_label)
            WHEN 8 THEN coalesce(e.reason, '') = g.label END
  LEFT JOIN LATERAL (
       SELECT x.rank <> 1 AS active FROM life_event x
        WHERE x.workspace_id = $1 AND x.customer_id = e.customer_id AND x.effective
          AND x.at < r.starts_at
        ORDER BY x.at DESC, x.rank DESC, x.id DESC LIMIT 1) b ON true
 GROUP BY 1, 2
