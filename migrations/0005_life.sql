-- The customers' lives: derived rows, one per life event, recomputed for whichever customers were
-- touched; their own triggers then write the deltas.
--
-- Events of a customer are ordered by (moment, start, cancellation, reactivation, id); the state
-- just before t is that of the last event before t. An event that finds the customer in the state
-- that it would bring about is redundant.

CREATE TABLE life_event (
    workspace_id integer NOT NULL REFERENCES workspace,
    customer_id text COLLATE "C" NOT NULL,
    rank smallint NOT NULL, -- 0 start, 1 cancellation, 2 reactivation
    id text COLLATE "C" NOT NULL, -- of the cancellation or reactivation; '' for the start
    at timestamptz NOT NULL,
    effective boolean NOT NULL,
    -- Of an effective cancellation only:
    until timestamptz, -- the return that ends the gap; null: none
    voluntary boolean,
    reason text COLLATE "C",
    -- Is the customer gone when the month (quarter, year) of the cancellation ends, and was
    -- (1) active when it began, or (2) first started in it? 0: neither.
    lost_month smallint NOT NULL,
    lost_quarter smallint NOT NULL,
    lost_year smallint NOT NULL,
    -- The same for each stretch of twelve whole months that ends 1 … 12 month starts after the
    -- cancellation; null: not lost in any.
    lost_trailing smallint[],
    segment text COLLATE "C", -- the customer's own labels
    channel text COLLATE "C",
    PRIMARY KEY (workspace_id, customer_id, rank, id)
);

CREATE INDEX life_event_at ON life_event (workspace_id, at);

-- Life per day and month. lost_month, lost_quarter and lost_year are counted on the day of the cancellation, for the month, quarter
-- and year that it lies in: a quarter's lost are the sum of lost_quarter over its months.
-- lost_trailing stands on the last month of the twelve that it is about.
CREATE TABLE life_totals (
    workspace_id integer NOT NULL,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    acquired bigint NOT NULL,
    reactivated bigint NOT NULL,
    cancelled bigint NOT NULL,
    redundant bigint NOT NULL,
    lost_month bigint NOT NULL,
    lost_new_month bigint NOT NULL,
    lost_voluntary_month bigint NOT NULL,
    lost_involuntary_month bigint NOT NULL,
    lost_quarter bigint NOT NULL,
    lost_new_quarter bigint NOT NULL,
    lost_voluntary_quarter bigint NOT NULL,
    lost_involuntary_quarter bigint NOT NULL,
    lost_year bigint NOT NULL,
    lost_new_year bigint NOT NULL,
    lost_voluntary_year bigint NOT NULL,
    lost_involuntary_year bigint NOT NULL,
    lost_trailing bigint NOT NULL,
    lost_new_trailing bigint NOT NULL,
    lost_voluntary_trailing bigint NOT NULL,
    lost_involuntary_trailing bigint NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, start)
) PARTITION BY LIST (grain);

CALL changes_declare('life_event', $${
    "at": "r.at", "rank": "r.rank", "effective": "r.effective", "voluntary": "r.voluntary",
    "lost_month": "r.lost_month", "lost_quarter": "r.lost_quarter", "lost_year": "r.lost_year",
    "lost_trailing": "r.lost_trailing",
    "segment": "r.segment", "channel": "r.channel", "reason": "r.reason"
    }$$);

CALL totals_declare('life_event', 'life_totals', '{segment,channel,reason}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (8, d.reason, '')$$,
    $$(SELECT local_day(r.at, w.timezone) AS day, NULL::smallint AS loss
        UNION ALL
        SELECT (date_trunc('month', local_day(r.at, w.timezone)::timestamp)
                + (x.months - 1) * interval '1 month')::date, x.class
          FROM unnest(r.lost_trailing) WITH ORDINALITY x(class, months) WHERE x.class <> 0) e$$,
    measures => $${
    "acquired": "(e.loss IS NULL AND r.rank = 0)::integer",
    "reactivated": "(e.loss IS NULL AND r.rank = 2 AND r.effective)::integer",
    "cancelled": "(e.loss IS NULL AND r.rank = 1 AND r.effective)::integer",
    "redundant": "(e.loss IS NULL AND NOT r.effective)::integer",
    "lost_month": "(e.loss IS NULL AND r.lost_month = 1)::integer",
    "lost_new_month": "(e.loss IS NULL AND r.lost_month = 2)::integer",
    "lost_voluntary_month": "(e.loss IS NULL AND r.lost_month = 1 AND r.voluntary)::integer",
    "lost_involuntary_month": "(e.loss IS NULL AND r.lost_month = 1 AND NOT r.voluntary)::integer",
    "lost_quarter": "(e.loss IS NULL AND r.lost_quarter = 1)::integer",
    "lost_new_quarter": "(e.loss IS NULL AND r.lost_quarter = 2)::integer",
    "lost_voluntary_quarter": "(e.loss IS NULL AND r.lost_quarter = 1 AND r.voluntary)::integer",
    "lost_involuntary_quarter": "(e.loss IS NULL AND r.lost_quarter = 1 AND NOT r.voluntary)::integer",
    "lost_year": "(e.loss IS NULL AND r.lost_year = 1)::integer",
    "lost_new_year": "(e.loss IS NULL AND r.lost_year = 2)::integer",
    "lost_voluntary_year": "(e.loss IS NULL AND r.lost_year = 1 AND r.voluntary)::integer",
    "lost_involuntary_year": "(e.loss IS NULL AND r.lost_year = 1 AND NOT r.voluntary)::integer",
    "lost_trailing": "(e.loss = 1)::integer",
    "lost_new_trailing": "(e.loss = 2)::integer",
    "lost_voluntary_trailing": "(e.loss = 1 AND r.voluntary)::integer",
    "lost_involuntary_trailing": "(e.loss = 1 AND NOT r.voluntary)::integer"
    }$$);

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON life_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- The life events of these customers as they should stand in life_event.
-- Its plan is made once and serves one customer or a million, in tables that may have been empty
-- then: records are looked up by key, whatever the planner thinks (OFFSET 0), and what was found is
-- joined by hashing.
CREATE FUNCTION life_events_of(workspace integer, customers text[]) RETURNS SETOF life_event
LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_nestloop = off SET enable_hashjoin = on SET enable_mergejoin = on
AS $$
    WITH touched AS MATERIALIZED (
        SELECT c.id, c.started_at, c.segment, c.channel, w.timezone
          FROM unnest(customers) t(id)
         CROSS JOIN LATERAL (SELECT * FROM customer c
                              WHERE c.workspace_id = workspace AND c.id = t.id OFFSET 0) c
          JOIN workspace w ON w.id = workspace),
    event AS (
        SELECT t.id AS customer, t.started_at AS at, 0 AS rank, '' COLLATE "C" AS id,
               true AS active, NULL::boolean AS voluntary, NULL::text COLLATE "C" AS reason
          FROM touched t
        UNION ALL
        SELECT t.id, x.cancelled_at, 1, x.id, false, x.voluntary, x.reason
          FROM touched t
         CROSS JOIN LATERAL (SELECT * FROM cancellation x
                              WHERE x.workspace_id = workspace AND x.customer_id = t.id OFFSET 0) x
        UNION ALL
        SELECT t.id, x.reactivated_at, 2, x.id, true, NULL, NULL
          FROM touched t
         CROSS JOIN LATERAL (SELECT * FROM reactivation x
                              WHERE x.workspace_id = workspace AND x.customer_id = t.id OFFSET 0) x),
    -- After any event the state is the one that it stands for, whether it was redundant or not.
    ordered AS (
        SELECT *, lag(active) OVER w IS DISTINCT FROM active AS effective
          FROM event WINDOW w AS (PARTITION BY customer ORDER BY at, rank, id)),
    gap AS (
        SELECT o.*, lead(o.at) OVER w AS until
          FROM ordered o WHERE o.effective
        WINDOW w AS (PARTITION BY o.customer ORDER BY o.at, o.rank, o.id)),
    -- Month starts as instants, each found once.
    bound AS MATERIALIZED (
        SELECT z.timezone, m::date AS month, day_start(m::date, z.timezone) AS at
          FROM (SELECT t.timezone, date_trunc('month', min(g.at) - interval '2 years') AS first,
                       date_trunc('month', max(g.at) + interval '2 years') AS last
                  FROM gap g JOIN touched t ON t.id = g.customer
                 WHERE g.rank = 1 GROUP BY 1) z
         CROSS JOIN generate_series(z.first AT TIME ZONE 'UTC', z.last AT TIME ZONE 'UTC', interval '1 month') m),
    -- The stretches of time that a gap can lose the customer in: the month, quarter and year of its
    -- beginning, and those of twelve whole months that end after it.
    stretch AS (
        SELECT * FROM (VALUES ('month', 'month', 0, 1), ('quarter', 'quarter', 0, 3), ('year', 'year', 0, 12))
            x(length, unit, offset_months, months)
        UNION ALL
        SELECT 'trailing ' || k, 'month', k - 12, 12 FROM generate_series(1, 12) k),
    -- It does where it outlasts the stretch's end b (who returns at b was still gone just before b).
    losing AS (
        SELECT g.customer, g.id, p.length, a.at AS a
          FROM gap g JOIN touched t ON t.id = g.customer
          CROSS JOIN LATERAL (SELECT local_day(g.at, t.timezone)::timestamp AS day) d
          CROSS JOIN stretch p
          JOIN bound a ON a.month = (date_trunc(p.unit, d.day) + p.offset_months * interval '1 month')::date
          JOIN bound b ON b.month = (date_trunc(p.unit, d.day)
                                     + (p.offset_months + p.months) * interval '1 month')::date
         WHERE g.rank = 1 AND (g.until IS NULL OR g.until >= b.at)),
    -- The state just before a, from how many effective events came before: they alternate, so none
    -- means not started, an odd number active, an even one gone.
    state AS (
        SELECT x.customer, x.id, x.length,
               sum(x.counts) OVER (PARTITION BY x.customer ORDER BY x.at, x.rank
                                   ROWS UNBOUNDED PRECEDING) AS before
          FROM (SELECT customer, id, NULL AS length, at, rank, 1 AS counts FROM gap
                UNION ALL SELECT customer, id, length, a, -1, 0 FROM losing) x),
    loss AS (
        SELECT s.customer, s.id, s.length,
               CASE WHEN s.before = 0 THEN 2 WHEN s.before % 2 = 1 THEN 1 ELSE 0 END AS class
          FROM state s WHERE s.length IS NOT NULL),
    ending AS (
        SELECT g.customer, g.id, array_agg(coalesce(l.class, 0)::smallint ORDER BY k.k) AS classes
          FROM gap g CROSS JOIN generate_series(1, 12) k(k)
          LEFT JOIN loss l ON l.customer = g.customer AND l.id = g.id AND l.length = 'trailing ' || k.k
         WHERE g.rank = 1
         GROUP BY 1, 2 HAVING max(l.class) > 0)
    SELECT workspace, o.customer, o.rank::smallint, o.id, o.at, o.effective,
           CASE WHEN o.rank = 1 THEN g.until END,
           CASE WHEN o.rank = 1 AND o.effective THEN o.voluntary END,
           CASE WHEN o.rank = 1 AND o.effective THEN o.reason END,
           coalesce(m.class, 0)::smallint, coalesce(q.class, 0)::smallint,
           coalesce(y.class, 0)::smallint, r.classes, t.segment, t.channel
      FROM ordered o
      JOIN touched t ON t.id = o.customer
      LEFT JOIN gap g ON g.customer = o.customer AND g.rank = o.rank AND g.id = o.id
      LEFT JOIN loss m ON o.rank = 1 AND m.customer = o.customer AND m.id = o.id AND m.length = 'month'
      LEFT JOIN loss q ON o.rank = 1 AND q.customer = o.customer AND q.id = o.id AND q.length = 'quarter'
      LEFT JOIN loss y ON o.rank = 1 AND y.customer = o.customer AND y.id = o.id AND y.length = 'year'
      LEFT JOIN ending r ON o.rank = 1 AND r.customer = o.customer AND r.id = o.id
$$;

-- Brings the life events of these customers in line with their records. Planned at each call: a plan
-- made for one customer, or while the tables were empty, would not do for the next thousand.
CREATE FUNCTION life_recompute(workspace integer, customers text[]) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    PERFORM workspace_lock(workspace);
    DELETE FROM life_event l USING unnest(customers) t(id)
     WHERE l.workspace_id = workspace AND l.customer_id = t.id
       AND NOT CASE l.rank
           WHEN 0 THEN EXISTS (SELECT FROM customer c
                                WHERE c.workspace_id = workspace AND c.id = l.customer_id)
           WHEN 1 THEN EXISTS (SELECT FROM cancellation c WHERE c.workspace_id = workspace
                                  AND c.id = l.id AND c.customer_id = l.customer_id)
           ELSE EXISTS (SELECT FROM reactivation c WHERE c.workspace_id = workspace
                           AND c.id = l.id AND c.customer_id = l.customer_id) END;
    INSERT INTO life_event AS l SELECT * FROM life_events_of(workspace, customers)
        ORDER BY customer_id, rank, id
    ON CONFLICT (workspace_id, customer_id, rank, id) DO UPDATE SET
        at = excluded.at, effective = excluded.effective, until = excluded.until,
        voluntary = excluded.voluntary, reason = excluded.reason,
        lost_month = excluded.lost_month,
        lost_quarter = excluded.lost_quarter, lost_year = excluded.lost_year,
        lost_trailing = excluded.lost_trailing,
        segment = excluded.segment, channel = excluded.channel
    WHERE (l.*) IS DISTINCT FROM (excluded.*);
    -- Other programs could store an event before its customer's start; the service refuses it first.
    IF EXISTS (SELECT FROM unnest(customers) t(id)
                 JOIN life_event s ON s.workspace_id = workspace AND s.customer_id = t.id
                  AND s.rank = 0
                 JOIN life_event e ON e.workspace_id = workspace AND e.customer_id = s.customer_id
                  AND e.at < s.at) THEN
        RAISE EXCEPTION 'a life event lies before its customer''s start'
            USING ERRCODE = 'VC001';
    END IF;
END $$;

-- One trigger function for the three kinds: collects the touched customers per workspace.
CREATE FUNCTION life_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR touched IN SELECT n.workspace_id AS workspace, array_agg(DISTINCT n.customer_id) AS ids
                         FROM new_rows n GROUP BY 1 ORDER BY 1 LOOP
            PERFORM life_recompute(touched.workspace, touched.ids);
        END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR touched IN SELECT o.workspace_id AS workspace, array_agg(DISTINCT o.customer_id) AS ids
                         FROM old_rows o GROUP BY 1 ORDER BY 1 LOOP
            PERFORM life_recompute(touched.workspace, touched.ids);
        END LOOP;
    ELSE
        FOR touched IN SELECT x.workspace_id AS workspace, array_agg(DISTINCT x.customer_id) AS ids
                         FROM (SELECT workspace_id, customer_id FROM new_rows
                               UNION ALL SELECT workspace_id, customer_id FROM old_rows) x
                        GROUP BY 1 ORDER BY 1 LOOP
            PERFORM life_recompute(touched.workspace, touched.ids);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION customer_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR touched IN SELECT n.workspace_id AS workspace, array_agg(n.id) AS ids,
                              array_agg(n.id) FILTER (WHERE num_nonnulls(n.segment, n.channel) > 0) AS labelled
                         FROM new_rows n GROUP BY 1 ORDER BY 1 LOOP
            PERFORM life_recompute(touched.workspace, touched.ids);
            PERFORM follow_customers(touched.workspace, touched.labelled);
        END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR touched IN SELECT o.workspace_id AS workspace, array_agg(o.id) AS ids
                         FROM old_rows o GROUP BY 1 ORDER BY 1 LOOP
            PERFORM life_recompute(touched.workspace, touched.ids);
            PERFORM follow_customers(touched.workspace, touched.ids);
        END LOOP;
    ELSE
        FOR touched IN SELECT x.workspace_id AS workspace, array_agg(DISTINCT x.id) AS ids
                         FROM (SELECT workspace_id, id, started_at, segment, channel FROM new_rows
                               EXCEPT
                               SELECT workspace_id, id, started_at, segment, channel FROM old_rows
                               UNION ALL
                               (SELECT workspace_id, id, started_at, segment, channel FROM old_rows
                                EXCEPT
                                SELECT workspace_id, id, started_at, segment, channel FROM new_rows)) x
                        GROUP BY 1 ORDER BY 1 LOOP
            PERFORM life_recompute(touched.workspace, touched.ids);
            PERFORM follow_customers(touched.workspace, touched.ids);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['customer', 'cancellation', 'reactivation'] LOOP
        EXECUTE format('CREATE TRIGGER life_insert AFTER INSERT ON %I
            REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()',
            kind, CASE kind WHEN 'customer' THEN 'customer_changed' ELSE 'life_changed' END);
        EXECUTE format('CREATE TRIGGER life_update AFTER UPDATE ON %I
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
            FOR EACH STATEMENT EXECUTE FUNCTION %I()',
            kind, CASE kind WHEN 'customer' THEN 'customer_changed' ELSE 'life_changed' END);
        EXECUTE format('CREATE TRIGGER life_delete AFTER DELETE ON %I
            REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION %I()',
            kind, CASE kind WHEN 'customer' THEN 'customer_changed' ELSE 'life_changed' END);
    END LOOP;
END $$;
