-- Who bought when: derived rows, one per customer and month with purchases (payments above zero), from
-- which the buyers of any stretch of whole months can be counted without reading payments.
--
-- Counting a customer once in [a, b): only the first month in it counts, the one whose previous month
-- with a purchase lies before a. Who bought in two neighbouring stretches: the buyers of the one and of
-- the other, less those of both together. A buyer who bought before, or on two days in it: either
-- there is a previous month, or the second day on which the customer ever bought lies before b.

CREATE TABLE purchase_month (
    workspace_id integer NOT NULL REFERENCES workspace,
    cut smallint NOT NULL, -- 0: all payments; 1: those of a segment
    label text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    month date NOT NULL,
    previous date NOT NULL, -- the month with purchases before this one; -infinity: none
    second date NOT NULL, -- of the first month: that of the second day with a purchase; else infinity
    PRIMARY KEY (workspace_id, customer_id, cut, label, month)
);

-- Months from 1900 on, counted; before all of them 0, after all of them 4095.
CREATE FUNCTION month_number(day date) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE day WHEN '-infinity' THEN 0 WHEN 'infinity' THEN 4095
                    ELSE ((extract(year FROM day) - 1900) * 12 + extract(month FROM day))::integer END
$$;

-- How many buyers of a month have which previous and second months: bucket 4096 × the number of the one and
-- the number of the other; metric b.
CALL changes_declare('purchase_month', '{"cut": "r.cut::text", "label": "r.label", "month": "r.month",
                                         "previous": "r.previous", "second": "r.second"}');

CALL buckets_declare('purchase_month', 'purchase_totals', '{cut,label}',
    $$(d.cut::smallint, d.label, '')$$,
    $$(VALUES ('b'::"char", r.month, 4096 * month_number(r.previous) + month_number(r.second))) e(metric, day, bucket)$$,
    grains => 'm');

CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON purchase_month
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate();

-- The months of these customers as they should stand in purchase_month.
CREATE FUNCTION purchase_months_of(workspace integer, customers text[]) RETURNS SETOF purchase_month
LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_nestloop = on SET enable_hashjoin = on
AS $$
    WITH bought AS (
        SELECT DISTINCT c.cut, c.label, p.customer_id, local_day(p.paid_at, w.timezone) AS day
          FROM unnest(customers) t(id)
         CROSS JOIN LATERAL (SELECT * FROM payment p
                              WHERE p.workspace_id = workspace AND p.customer_id = t.id
                                AND p.amount > 0 OFFSET 0) p
          JOIN workspace w ON w.id = workspace
         CROSS JOIN LATERAL (VALUES (0, ''), (1, coalesce(p.segment, p.followed_segment, ''))) c(cut, label)),
    ranked AS (
        SELECT *, date_trunc('month', day::timestamp)::date AS month,
               row_number() OVER days AS nth, lead(day) OVER days AS next_day
          FROM bought WINDOW days AS (PARTITION BY cut, label, customer_id ORDER BY day)),
    months AS (
        SELECT cut, label, customer_id, month, min(nth) AS nth,
               min(next_day) FILTER (WHERE nth = 1) AS second_day
          FROM ranked GROUP BY 1, 2, 3, 4)
    SELECT workspace, cut::smallint, label, customer_id, month,
           coalesce(lag(month) OVER (PARTITION BY cut, label, customer_id ORDER BY month), '-infinity'),
           coalesce(date_trunc('month', second_day::timestamp)::date, 'infinity')
      FROM months
$$;

-- Brings the months of these customers in line with their payments.
CREATE FUNCTION purchase_recompute(workspace integer, customers text[]) RETURNS void
LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    PERFORM workspace_lock(workspace);
    WITH expected AS MATERIALIZED (SELECT * FROM purchase_months_of(workspace, customers)),
    gone AS (
        DELETE FROM purchase_month m USING unnest(customers) t(id)
         WHERE m.workspace_id = workspace AND m.customer_id = t.id
           AND NOT EXISTS (SELECT FROM expected e WHERE e.customer_id = m.customer_id
                              AND e.cut = m.cut AND e.label = m.label AND e.month = m.month))
    INSERT INTO purchase_month AS m SELECT * FROM expected ORDER BY customer_id, cut, label, month
    ON CONFLICT (workspace_id, customer_id, cut, label, month) DO UPDATE SET
        previous = excluded.previous, second = excluded.second
    WHERE (m.previous, m.second) IS DISTINCT FROM (excluded.previous, excluded.second);
END $$;

CREATE FUNCTION payment_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    touched record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR touched IN SELECT n.workspace_id AS workspace, array_agg(DISTINCT n.customer_id) AS ids
                         FROM new_rows n WHERE n.customer_id IS NOT NULL AND n.amount > 0
                        GROUP BY 1 ORDER BY 1 LOOP
            PERFORM purchase_recompute(touched.workspace, touched.ids);
        END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR touched IN SELECT o.workspace_id AS workspace, array_agg(DISTINCT o.customer_id) AS ids
                         FROM old_rows o WHERE o.customer_id IS NOT NULL AND o.amount > 0
                        GROUP BY 1 ORDER BY 1 LOOP
            PERFORM purchase_recompute(touched.workspace, touched.ids);
        END LOOP;
    ELSE
        FOR touched IN SELECT x.workspace_id AS workspace, array_agg(DISTINCT x.customer_id) AS ids
                         FROM (SELECT workspace_id, customer_id FROM new_rows
                               UNION ALL SELECT workspace_id, customer_id FROM old_rows) x
                        WHERE x.customer_id IS NOT NULL GROUP BY 1 ORDER BY 1 LOOP
            PERFORM purchase_recompute(touched.workspace, touched.ids);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER purchases_insert AFTER INSERT ON payment REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payment_changed();
CREATE TRIGGER purchases_update AFTER UPDATE ON payment
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payment_changed();
CREATE TRIGGER purchases_delete AFTER DELETE ON payment REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION payment_changed();
