-- Additive totals of periods, the input of every KPI (members of struct totals by column name).
--   $1 workspace
--   $2, $3 integer[]: first day and end (exclusive) of each period, as days since 1970-01-01
--   $4 text[]: granularity of each period (month, quarter, year; anything else is a range)
--   $5 cut (migrations/0004): 0 all, 1 segment, 2 channel, 3 both; $6, $7 its labels or ''
-- One row per period, in order. response_us, resolution_us: sums of durations in µs; *_bucket,
-- *_count: their sketches as integer and bigint arrays, null where empty.
-- Whole months come from the monthly rows, the days around them from the daily ones, so the cost
-- depends on the period's length alone; balances (at_start, open_at_end …) add one row per month of
-- history. Relies on the totals' primary keys and, for ranges, on life_event_at: OFFSET 0 keeps the
-- planner from joining the totals in any other way, as it may plan while they are empty.
WITH period AS MATERIALIZED (
    SELECT p.ord, p.a, p.b, p.length,
           day_start(p.a, w.timezone) AS starts_at, day_start(p.b, w.timezone) AS ends_at,
           CASE WHEN m.first < m.last THEN m.first ELSE p.b END AS month_from,
           CASE WHEN m.first < m.last THEN m.last ELSE p.b END AS month_to
      FROM (SELECT x.ord, date '1970-01-01' + x.a AS a, date '1970-01-01' + x.b AS b, x.length
              FROM unnest($2::integer[], $3::integer[], $4::text[]) WITH ORDINALITY
                   AS x(a, b, length, ord)) p
      JOIN workspace w ON w.id = $1
     CROSS JOIN LATERAL (SELECT date_trunc('month', p.a + interval '1 month' - interval '1 day')::date AS first,
                                date_trunc('month', p.b)::date AS last) m)
SELECT s.*, i.*, coalesce(ib.open_at_end, 0) AS open_at_end,
       coalesce(ib.response_waiting, 0) AS response_waiting,
       coalesce(ib.resolution_waiting, 0) AS resolution_waiting,
       coalesce(lb.at_start, 0) AS at_start,
       coalesce(lb.at_start, 0) + l.acquired + l.reactivated - l.cancelled AS at_end,
       l.acquired, l.reactivated, l.cancelled, l.redundant, x.*,
       (coalesce(lb.started, 0) + l.acquired > 0)::integer AS customers_before,
       (EXISTS (SELECT FROM survey_totals t WHERE t.workspace_id = $1 AND t.grain = 'd'
                   AND t.cut = 0 AND t.start < p.b AND t.records > 0))::integer AS surveys_before,
       (EXISTS (SELECT FROM interaction_totals t WHERE t.workspace_id = $1 AND t.grain = 'd'
                   AND t.cut = 0 AND t.start < p.b AND t.opened > 0))::integer AS interactions_before,
       -- Ordered, so that it goes by the key and not through other workspaces' rows.
       coalesce((SELECT 1 FROM cancellation c WHERE c.workspace_id = $1
                  ORDER BY c.workspace_id, c.id LIMIT 1), 0) AS cancellations_stored,
       f.bucket AS response_bucket, f.n AS response_count,
       r.bucket AS resolution_bucket, r.n AS resolution_count
  FROM period p
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.nps_promoters), 0) AS nps_promoters,
           coalesce(sum(t.nps_passives), 0) AS nps_passives,
           coalesce(sum(t.nps_detractors), 0) AS nps_detractors,
           coalesce(sum(t.csat_satisfied), 0) AS csat_satisfied,
           coalesce(sum(t.csat_neutral), 0) AS csat_neutral,
           coalesce(sum(t.csat_dissatisfied), 0) AS csat_dissatisfied,
           coalesce(sum(t.csat_sum180), 0) AS csat_sum180,
           coalesce(sum(t.ces_easy), 0) AS ces_easy,
           coalesce(sum(t.ces_neutral), 0) AS ces_neutral,
           coalesce(sum(t.ces_hard), 0) AS ces_hard,
           coalesce(sum(t.ces5_n), 0) AS ces5_n,
           coalesce(sum(t.ces5_sum), 0) AS ces5_sum,
           coalesce(sum(t.ces7_n), 0) AS ces7_n,
           coalesce(sum(t.ces7_sum), 0) AS ces7_sum,
           coalesce(sum(t.sent), 0) AS sent,
           coalesce(sum(t.answered), 0) AS answered,
           coalesce(sum(t.answered_late), 0) AS answered_late,
           coalesce(sum(t.comments_positive), 0) AS comments_positive,
           coalesce(sum(t.comments_neutral), 0) AS comments_neutral,
           coalesce(sum(t.comments_negative), 0) AS comments_negative,
           coalesce(sum(t.comments_unscored), 0) AS comments_unscored
      FROM (VALUES ('m'::"char", p.month_from, p.month_to), ('d', p.a, least(p.month_from, p.b)),
                   ('d', p.month_to, p.b)) u(grain, a, b)
     CROSS JOIN LATERAL (SELECT * FROM survey_totals t WHERE t.workspace_id = $1 AND t.grain = u.grain AND t.cut = $5::smallint
       AND t.start >= u.a AND t.start < u.b AND t.label = $6 AND t.second_label = $7 OFFSET 0) t) s
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.opened), 0) AS opened,
           coalesce(sum(t.responded), 0) AS responded,
           coalesce(sum(t.resolved), 0) AS resolved,
           coalesce(sum(t.closed_unresolved), 0) AS closed_unresolved,
           coalesce(sum(t.response_n), 0) AS response_n,
           coalesce(sum(t.response_us), 0) AS response_us,
           coalesce(sum(t.resolution_n), 0) AS resolution_n,
           coalesce(sum(t.resolution_us), 0) AS resolution_us,
           coalesce(sum(t.contact_first), 0) AS contact_first,
           coalesce(sum(t.contact_known), 0) AS contact_known
      FROM (VALUES ('m'::"char", p.month_from, p.month_to), ('d', p.a, least(p.month_from, p.b)),
                   ('d', p.month_to, p.b)) u(grain, a, b)
     CROSS JOIN LATERAL (SELECT * FROM interaction_totals t WHERE t.workspace_id = $1 AND t.grain = u.grain AND t.cut = $5::smallint
       AND t.start >= u.a AND t.start < u.b AND t.label = $6 AND t.second_label = $7 OFFSET 0) t) i
 -- Balances at the end: everything before b.
 CROSS JOIN LATERAL (
    SELECT sum(t.opened - t.resolved - t.closed_unresolved) AS open_at_end,
           sum(t.service_opened - t.service_attended) AS response_waiting,
           sum(t.service_opened - t.service_ended) AS resolution_waiting
      FROM (VALUES ('m'::"char", date '-infinity', date_trunc('month', p.b)::date),
                   ('d', date_trunc('month', p.b)::date, p.b)) u(grain, a, b)
     CROSS JOIN LATERAL (SELECT * FROM interaction_totals t WHERE t.workspace_id = $1 AND t.grain = u.grain AND t.cut = $5::smallint
       AND t.start >= u.a AND t.start < u.b AND t.label = $6 AND t.second_label = $7 OFFSET 0) t) ib
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(t.acquired), 0) AS acquired,
           coalesce(sum(t.reactivated), 0) AS reactivated,
           coalesce(sum(t.cancelled), 0) AS cancelled,
           coalesce(sum(t.redundant), 0) AS redundant,
           sum(t.lost_month) AS lost_month, sum(t.lost_new_month) AS lost_new_month,
           sum(t.lost_voluntary_month) AS lost_voluntary_month,
           sum(t.lost_involuntary_month) AS lost_involuntary_month,
           sum(t.lost_quarter) AS lost_quarter, sum(t.lost_new_quarter) AS lost_new_quarter,
           sum(t.lost_voluntary_quarter) AS lost_voluntary_quarter,
           sum(t.lost_involuntary_quarter) AS lost_involuntary_quarter,
           sum(t.lost_year) AS lost_year, sum(t.lost_new_year) AS lost_new_year,
           sum(t.lost_voluntary_year) AS lost_voluntary_year,
           sum(t.lost_involuntary_year) AS lost_involuntary_year
      FROM (VALUES ('m'::"char", p.month_from, p.month_to), ('d', p.a, least(p.month_from, p.b)),
                   ('d', p.month_to, p.b)) u(grain, a, b)
     CROSS JOIN LATERAL (SELECT * FROM life_totals t WHERE t.workspace_id = $1 AND t.grain = u.grain AND t.cut = $5::smallint
       AND t.start >= u.a AND t.start < u.b AND t.label = $6 AND t.second_label = $7 OFFSET 0) t) l
 -- Balance at the start: everything before a.
 CROSS JOIN LATERAL (
    SELECT sum(t.acquired + t.reactivated - t.cancelled) AS at_start, sum(t.acquired) AS started
      FROM (VALUES ('m'::"char", date '-infinity', date_trunc('month', p.a)::date),
                   ('d', date_trunc('month', p.a)::date, p.a)) u(grain, a, b)
     CROSS JOIN LATERAL (SELECT * FROM life_totals t WHERE t.workspace_id = $1 AND t.grain = u.grain AND t.cut = $5::smallint
       AND t.start >= u.a AND t.start < u.b AND t.label = $6 AND t.second_label = $7 OFFSET 0) t) lb
 -- Losses of months, quarters and years stand in the totals; those of ranges are found from the
 -- range's own cancellations whose gap outlasts it: the last event before a decides.
 CROSS JOIN LATERAL (
    SELECT coalesce(l.lost_month, 0) AS lost, coalesce(l.lost_new_month, 0) AS lost_new,
           coalesce(l.lost_voluntary_month, 0) AS lost_voluntary,
           coalesce(l.lost_involuntary_month, 0) AS lost_involuntary WHERE p.length = 'month'
    UNION ALL
    SELECT coalesce(l.lost_quarter, 0), coalesce(l.lost_new_quarter, 0),
           coalesce(l.lost_voluntary_quarter, 0), coalesce(l.lost_involuntary_quarter, 0)
     WHERE p.length = 'quarter'
    UNION ALL
    SELECT coalesce(l.lost_year, 0), coalesce(l.lost_new_year, 0),
           coalesce(l.lost_voluntary_year, 0), coalesce(l.lost_involuntary_year, 0)
     WHERE p.length = 'year'
    UNION ALL
    SELECT count(*) FILTER (WHERE b.active), count(*) FILTER (WHERE b.active IS NULL),
           count(*) FILTER (WHERE b.active AND e.voluntary),
           count(*) FILTER (WHERE b.active AND NOT e.voluntary)
      FROM life_event e
      LEFT JOIN LATERAL (
           SELECT x.rank <> 1 AS active FROM life_event x
            WHERE x.workspace_id = $1 AND x.customer_id = e.customer_id AND x.effective
              AND x.at < p.starts_at
            ORDER BY x.at DESC, x.rank DESC, x.id DESC LIMIT 1) b ON true
     WHERE p.length NOT IN ('month', 'quarter', 'year')
       AND e.workspace_id = $1 AND e.at >= p.starts_at AND e.at < p.ends_at
       AND e.rank = 1 AND e.effective AND (e.until IS NULL OR e.until >= p.ends_at)
       AND CASE $5::smallint WHEN 0 THEN true
                WHEN 1 THEN coalesce(e.segment, '') = $6
                WHEN 2 THEN coalesce(e.channel, '') = $6
                WHEN 3 THEN (coalesce(e.segment, ''), coalesce(e.channel, '')) = ($6, $7) END
    HAVING p.length NOT IN ('month', 'quarter', 'year')) x
 CROSS JOIN LATERAL (
    SELECT array_agg(q.bucket) AS bucket, array_agg(q.n) AS n
      FROM (SELECT t.bucket, sum(t.n)::bigint AS n
              FROM (VALUES ('m'::"char", p.month_from, p.month_to), ('d', p.a, least(p.month_from, p.b)),
                           ('d', p.month_to, p.b)) u(grain, a, b)
             CROSS JOIN LATERAL (SELECT * FROM duration_sketch t WHERE t.workspace_id = $1 AND t.grain = u.grain
               AND t.cut = $5::smallint AND t.start >= u.a AND t.start < u.b
               AND t.label = $6 AND t.second_label = $7 AND t.metric = 'f' OFFSET 0) t
             GROUP BY t.bucket HAVING sum(t.n) <> 0 ORDER BY t.bucket) q) f
 CROSS JOIN LATERAL (
    SELECT array_agg(q.bucket) AS bucket, array_agg(q.n) AS n
      FROM (SELECT t.bucket, sum(t.n)::bigint AS n
              FROM (VALUES ('m'::"char", p.month_from, p.month_to), ('d', p.a, least(p.month_from, p.b)),
                           ('d', p.month_to, p.b)) u(grain, a, b)
             CROSS JOIN LATERAL (SELECT * FROM duration_sketch t WHERE t.workspace_id = $1 AND t.grain = u.grain
               AND t.cut = $5::smallint AND t.start >= u.a AND t.start < u.b
               AND t.label = $6 AND t.second_label = $7 AND t.metric = 'r' OFFSET 0) t
             GROUP BY t.bucket HAVING sum(t.n) <> 0 ORDER BY t.bucket) q) r
 ORDER BY p.ord
