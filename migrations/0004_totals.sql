-- Aggregates: additive totals per day and per month, for fixed cuts of the labels, kept by
-- statement triggers as signed deltas (new rows count +1, old rows −1) in the record's own
-- transaction.
--
-- Key of every totals table:
--   grain    d: start is a day; m: start is the first of a month
--   cut      0 all records; 1 segment; 2 channel; 3 segment and channel; 4 agent; 5 topic;
--            6 touchpoint; 7 aspect; 8 reason; 9 category (as far as the records have the label)
--   label, second_label   the labels of that cut; '' where unlabelled or not part of the cut
-- A row whose counts are all zero says the same as no row.

-- sum() of bigint counts in numeric, which is slow; this one stays exact and fails on overflow.
CREATE AGGREGATE sum_bigint(bigint) (SFUNC = int8pl, STYPE = bigint, INITCOND = '0');

-- Makes the triggers that keep `target` from the rows of `source`, and target_expected(workspace),
-- which computes the same cells from all rows at once (rebuild, rebuild --check).
--   labels    json {"label": "expression over the row r": the label in force}
--   cuts      the cuts as rows (code, first label, second label) over d, the labels of a row
--   events    a lateral FROM item e with e.day: the days (of the workspace w) on which a row counts;
--             null: it does not
--   measures  json {"column": "integer expression over r and e"}, summed
--   keys      further key columns of target, as json {"column": "expression over r and e"}
--   headline  like measures, but of rows without an aspect only, save in the cut by aspect
--   grains    which grains are kept: 'dm', or 'm' alone
--   changes   which changes of the source can bring rows that count
CREATE PROCEDURE totals_declare(source text, target text, labels json, cuts text, events text,
                                measures json, keys json DEFAULT '{}', headline json DEFAULT '{}',
                                grains text DEFAULT 'dm',
                                changes text[] DEFAULT '{insert,delete,update}')
LANGUAGE plpgsql AS $declare$
DECLARE
    key_columns constant text := coalesce((SELECT string_agg(format(', %I', key), '') FROM json_object_keys(keys) key), '');
    columns constant text[] := ARRAY(
        SELECT key FROM json_object_keys(headline) key UNION ALL SELECT key FROM json_object_keys(measures) key);
    column_list constant text := (SELECT string_agg(format('%I', c), ', ') FROM unnest(columns) c);
    -- How a column is summed over days and labels: by its type.
    totals constant text := (
        SELECT string_agg(format('%s(%I) AS %2$I', CASE a.atttypid WHEN 'bigint'::regtype THEN 'sum_bigint' ELSE 'sum' END, c),
                          ', ' ORDER BY n)
          FROM unnest(columns) WITH ORDINALITY u(c, n)
          JOIN pg_attribute a ON a.attrelid = target::regclass AND a.attname = c);
    cut_totals constant text := (
        SELECT string_agg(format('%s(d.%I)%s AS %2$I', CASE a.atttypid WHEN 'bigint'::regtype THEN 'sum_bigint' ELSE 'sum' END, c,
                                 CASE WHEN headline -> c IS NOT NULL THEN $$ FILTER (WHERE c.cut = 7 OR d.aspect = '')$$ ELSE '' END),
                          ', ' ORDER BY n)
          FROM unnest(columns) WITH ORDINALITY u(c, n)
          JOIN pg_attribute a ON a.attrelid = target::regclass AND a.attname = c);
    detail_keys constant text := (SELECT string_agg(n::text, ', ') FROM generate_series(1, 2
        + (SELECT count(*) FROM json_object_keys(labels)) + (SELECT count(*) FROM json_object_keys(keys))) n);
    query text;
    upsert text;
    operation record;
BEGIN
    -- Rows are first condensed per day and set of labels, so that the cuts multiply few; the months
    -- are summed from the days.
    query := format($query$
        WITH detail AS (
            SELECT r.workspace_id, e.day%1$s%2$s%3$s
              FROM (%%s) r JOIN workspace w ON w.id = r.workspace_id CROSS JOIN LATERAL %4$s
             WHERE e.day IS NOT NULL
             GROUP BY %5$s),
        daily AS (
            SELECT d.workspace_id, c.cut::smallint AS cut, d.day AS start, c.label, c.second_label%6$s, %7$s
              FROM detail d CROSS JOIN LATERAL (VALUES %8$s) c(cut, label, second_label)
             GROUP BY 1, 2, 3, 4, 5%6$s)
        SELECT * FROM (
            SELECT workspace_id, 'd'::"char" AS grain, cut, start, label, second_label%6$s, %9$s
              FROM daily WHERE %10$L ~ 'd'
             UNION ALL
            SELECT workspace_id, 'm'::"char", cut, date_trunc('month', start::timestamp)::date, label, second_label%6$s, %11$s
              FROM daily GROUP BY 1, 2, 3, 4, 5, 6%6$s) x
         WHERE %12$s
         ORDER BY workspace_id, grain, cut, label, second_label, start%6$s$query$,
        (SELECT string_agg(format(', coalesce(%s, %L) AS %I', value, '', key), '') FROM json_each_text(labels)),
        (SELECT string_agg(format(', %s AS %I', value, key), '') FROM json_each_text(keys)),
        (SELECT string_agg(format(', coalesce(sum(r.sign * (%s)), 0) AS %I', value, key), '')
           FROM (SELECT * FROM json_each_text(headline) UNION ALL SELECT * FROM json_each_text(measures)) x),
        events, detail_keys, key_columns, cut_totals, cuts, column_list, grains, totals,
        (SELECT string_agg(format('%I <> 0', c), ' OR ') FROM unnest(columns) c));
    upsert := format('INSERT INTO %I AS t (workspace_id, grain, cut, start, label, second_label%s, %s) %s
        ON CONFLICT (workspace_id, grain, cut, label, second_label, start%s) DO UPDATE SET %s',
        target, key_columns, column_list, query, key_columns,
        (SELECT string_agg(format('%1$I = t.%1$I + excluded.%1$I', c), ', ') FROM unnest(columns) c));

    FOR operation IN VALUES
        ('insert', 'REFERENCING NEW TABLE AS new_rows', 'SELECT 1 AS sign, n.* FROM new_rows n'),
        ('delete', 'REFERENCING OLD TABLE AS old_rows', 'SELECT -1 AS sign, o.* FROM old_rows o'),
        ('update', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
         'SELECT 1 AS sign, n.* FROM new_rows n UNION ALL SELECT -1, o.* FROM old_rows o')
    LOOP
        CONTINUE WHEN operation.column1 <> ALL (changes);
        EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql AS %L',
            target || '_' || operation.column1,
            format('BEGIN
    PERFORM workspace_lock(x.workspace_id)
       FROM (SELECT DISTINCT r.workspace_id FROM (%1$s) r ORDER BY 1) x;
    %2$s;
    RETURN NULL;
END', operation.column3, format(upsert, operation.column3)));
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %I %s FOR EACH STATEMENT EXECUTE FUNCTION %I()',
            target || '_' || operation.column1, operation.column1, source, operation.column2,
            target || '_' || operation.column1);
    END LOOP;

    EXECUTE format('CREATE OR REPLACE FUNCTION %I(workspace integer) RETURNS SETOF %I LANGUAGE sql STABLE AS %L',
        target || '_expected', target,
        format(query, format('SELECT 1 AS sign, n.* FROM %I n WHERE n.workspace_id = workspace', source)));
    EXECUTE format('CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()', target);
END $declare$;

-- Surveys. nps_*, csat_*, ces_*: scored, solicited, without an aspect (in the cut by aspect: each
-- aspect's own), by answered_at.
-- csat_sum180: Σ 180 (score − min)/(max − min), an integer on every scale allowed.
-- ces5_*, ces7_*: answers and their sum per scale, after turning low_is_easy round.
-- sent, answered, answered_late: invitations by sent_at; comments_*, scored, low (class -1),
-- followed_up (an action about it done within 168 hours, 48): all surveys by answered_at;
-- records: by the record's own time.
CREATE TABLE survey_totals (
    workspace_id integer NOT NULL REFERENCES workspace,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    nps_promoters bigint NOT NULL,
    nps_passives bigint NOT NULL,
    nps_detractors bigint NOT NULL,
    csat_satisfied bigint NOT NULL,
    csat_neutral bigint NOT NULL,
    csat_dissatisfied bigint NOT NULL,
    csat_sum180 bigint NOT NULL,
    ces_easy bigint NOT NULL,
    ces_neutral bigint NOT NULL,
    ces_hard bigint NOT NULL,
    ces5_n bigint NOT NULL,
    ces5_sum bigint NOT NULL,
    ces7_n bigint NOT NULL,
    ces7_sum bigint NOT NULL,
    records bigint NOT NULL,
    sent bigint NOT NULL,
    answered bigint NOT NULL,
    answered_late bigint NOT NULL,
    comments_positive bigint NOT NULL,
    comments_neutral bigint NOT NULL,
    comments_negative bigint NOT NULL,
    comments_unscored bigint NOT NULL,
    scored bigint NOT NULL,
    low bigint NOT NULL,
    followed_up bigint NOT NULL,
    followed_up_48h bigint NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, start)
);

CALL totals_declare('survey', 'survey_totals',
    '{"segment": "coalesce(r.segment, r.followed_segment)",
      "channel": "coalesce(r.channel, r.followed_channel)",
      "agent": "r.followed_agent", "topic": "r.followed_topic",
      "touchpoint": "r.touchpoint", "aspect": "r.aspect"}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (4, d.agent, ''), 
      (5, d.topic, ''), (6, d.touchpoint, ''), (7, d.aspect, '')$$,
    $$(SELECT 'answered' AS what, local_day(r.answered_at, w.timezone) AS day,
              r.solicited AND r.score IS NOT NULL AS headline,
              CASE r.direction WHEN 'low_is_easy' THEN r.scale_max + 1 - r.score ELSE r.score END AS ease
        UNION ALL SELECT 'sent', local_day(r.sent_at, w.timezone), false, NULL) e$$,
    measures => $${
    "records": "(e.what = 'answered' OR r.answered_at IS NULL)::integer",
    "sent": "(e.what = 'sent')::integer",
    "answered": "(e.what = 'sent' AND r.answered_at <= r.sent_at + w.response_window_days * interval '24 hours')::integer",
    "answered_late": "(e.what = 'sent' AND r.answered_at > r.sent_at + w.response_window_days * interval '24 hours')::integer",
    "comments_positive": "(e.what = 'answered' AND r.comment IS NOT NULL AND r.score_class = 1)::integer",
    "comments_neutral": "(e.what = 'answered' AND r.comment IS NOT NULL AND r.score_class = 0)::integer",
    "comments_negative": "(e.what = 'answered' AND r.comment IS NOT NULL AND r.score_class = -1)::integer",
    "comments_unscored": "(e.what = 'answered' AND r.comment IS NOT NULL AND r.score_class IS NULL)::integer",
    "scored": "(e.what = 'answered' AND r.score IS NOT NULL)::integer",
    "low": "(e.what = 'answered' AND r.score_class = -1)::integer",
    "followed_up": "(e.what = 'answered' AND r.follow_up_at IS NOT NULL)::integer",
    "followed_up_48h": "(e.what = 'answered' AND r.follow_up_at <= r.answered_at + interval '48 hours')::integer"
    }$$,
    headline => $${
    "nps_promoters": "(e.headline AND r.type = 'nps' AND r.score_class = 1)::integer",
    "nps_passives": "(e.headline AND r.type = 'nps' AND r.score_class = 0)::integer",
    "nps_detractors": "(e.headline AND r.type = 'nps' AND r.score_class = -1)::integer",
    "csat_satisfied": "(e.headline AND r.type = 'csat' AND r.score_class = 1)::integer",
    "csat_neutral": "(e.headline AND r.type = 'csat' AND r.score_class = 0)::integer",
    "csat_dissatisfied": "(e.headline AND r.type = 'csat' AND r.score_class = -1)::integer",
    "csat_sum180": "CASE WHEN e.headline AND r.type = 'csat' THEN 180 * (r.score - r.scale_min) / (r.scale_max - r.scale_min) END",
    "ces_easy": "(e.headline AND r.type = 'ces' AND r.score_class = 1)::integer",
    "ces_neutral": "(e.headline AND r.type = 'ces' AND r.score_class = 0)::integer",
    "ces_hard": "(e.headline AND r.type = 'ces' AND r.score_class = -1)::integer",
    "ces5_n": "(e.headline AND r.type = 'ces' AND r.scale_max = 5)::integer",
    "ces5_sum": "CASE WHEN e.headline AND r.type = 'ces' AND r.scale_max = 5 THEN e.ease END",
    "ces7_n": "(e.headline AND r.type = 'ces' AND r.scale_max = 7)::integer",
    "ces7_sum": "CASE WHEN e.headline AND r.type = 'ces' AND r.scale_max = 7 THEN e.ease END"
    }$$);

-- Interactions: each measure by the day of its own event. An interaction ends when it is resolved,
-- or, never resolved, when it is closed. Service ones (inbound, not by a bot) count for response
-- times: service_attended by the first of response and end, so that opened − attended (− ended)
-- up to a moment are those still waiting. *_us: sums of durations in µs.
CREATE TABLE interaction_totals (
    workspace_id integer NOT NULL REFERENCES workspace,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    opened bigint NOT NULL,
    responded bigint NOT NULL,
    resolved bigint NOT NULL,
    closed_unresolved bigint NOT NULL,
    service_opened bigint NOT NULL,
    service_attended bigint NOT NULL,
    service_ended bigint NOT NULL,
    response_n bigint NOT NULL,
    response_us numeric NOT NULL,
    resolution_n bigint NOT NULL,
    resolution_us numeric NOT NULL,
    contact_first bigint NOT NULL,
    contact_known bigint NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, start)
);

CALL totals_declare('interaction', 'interaction_totals',
    '{"segment": "coalesce(r.segment, r.followed_segment)", "channel": "r.channel",
      "agent": "r.agent", "topic": "r.topic"}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (4, d.agent, ''), 
      (5, d.topic, '')$$,
    $$(SELECT x.what, local_day(x.at, w.timezone) AS day, r.direction = 'inbound' AND NOT r.bot AS service
         FROM (VALUES ('opened', r.opened_at), ('responded', r.first_response_at),
                      ('ended', coalesce(r.resolved_at, r.closed_at)),
                      ('attended', least(r.first_response_at, coalesce(r.resolved_at, r.closed_at)))) x(what, at)) e$$,
    measures => $${
    "opened": "(e.what = 'opened')::integer",
    "responded": "(e.what = 'responded')::integer",
    "resolved": "(e.what = 'ended' AND r.resolved_at IS NOT NULL)::integer",
    "closed_unresolved": "(e.what = 'ended' AND r.resolved_at IS NULL)::integer",
    "service_opened": "(e.service AND e.what = 'opened')::integer",
    "service_attended": "(e.service AND e.what = 'attended')::integer",
    "service_ended": "(e.service AND e.what = 'ended')::integer",
    "response_n": "(e.service AND e.what = 'responded')::integer",
    "response_us": "CASE WHEN e.service AND e.what = 'responded' THEN (extract(epoch FROM r.first_response_at - r.opened_at) * 1000000)::bigint END",
    "resolution_n": "(e.service AND e.what = 'ended' AND r.resolved_at IS NOT NULL)::integer",
    "resolution_us": "CASE WHEN e.service AND e.what = 'ended' THEN (extract(epoch FROM r.resolved_at - r.opened_at) * 1000000)::bigint END",
    "contact_first": "(e.service AND e.what = 'ended' AND r.resolved_on_first_contact)::integer",
    "contact_known": "(e.service AND e.what = 'ended' AND r.resolved_on_first_contact IS NOT NULL)::integer"
    }$$);

-- DDSketch buckets (Masson et al. 2019) of durations, one row a bucket. duration_sketch: service
-- interactions, metric f: first response, by first_response_at; r: resolution, by resolved_at.
-- follow_up_sketch: low scores, metric u: from the answer to the action that followed it up.
-- Bucket i holds γ^(i−1) < µs ≤ γ^i with γ = 1.009/0.991 (α = 0.9 %); −1 holds zeros.
CREATE TABLE duration_sketch (
    workspace_id integer NOT NULL REFERENCES workspace,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    metric "char" NOT NULL,
    bucket integer NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, metric, start, bucket)
);

CREATE TABLE follow_up_sketch (
    workspace_id integer NOT NULL REFERENCES workspace,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    metric "char" NOT NULL,
    bucket integer NOT NULL,
    n bigint NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, metric, start, bucket)
);

CREATE FUNCTION sketch_bucket(duration interval) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN duration = interval '0' THEN -1
                ELSE ceil(ln((extract(epoch FROM duration) * 1000000)::double precision)
                          / ln(1.009::double precision / 0.991::double precision))::integer END
$$;

CALL totals_declare('interaction', 'duration_sketch',
    '{"segment": "coalesce(r.segment, r.followed_segment)", "channel": "r.channel",
      "agent": "r.agent", "topic": "r.topic"}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (4, d.agent, ''), 
      (5, d.topic, '')$$,
    $$(SELECT x.metric, local_day(x.at, w.timezone) AS day, sketch_bucket(x.at - r.opened_at) AS bucket
         FROM (VALUES ('f'::"char", r.first_response_at), ('r', r.resolved_at)) x(metric, at)
        WHERE r.direction = 'inbound' AND NOT r.bot) e$$,
    measures => '{"n": "1"}',
    keys => '{"metric": "e.metric", "bucket": "e.bucket"}');

-- A survey is inserted without a follow-up: follow_surveys writes it afterwards. Where an answer was
-- moved past its follow-up, that one stands until follow_surveys, which comes next, takes it off.
CALL totals_declare('survey', 'follow_up_sketch',
    '{"segment": "coalesce(r.segment, r.followed_segment)",
      "channel": "coalesce(r.channel, r.followed_channel)",
      "agent": "r.followed_agent", "topic": "r.followed_topic",
      "touchpoint": "r.touchpoint", "aspect": "r.aspect"}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (4, d.agent, ''), 
      (5, d.topic, ''), (6, d.touchpoint, ''), (7, d.aspect, '')$$,
    $$(SELECT 'u'::"char" AS metric, local_day(r.answered_at, w.timezone) AS day,
              sketch_bucket(r.follow_up_at - r.answered_at) AS bucket
        WHERE r.follow_up_at >= r.answered_at) e$$,
    measures => '{"n": "1"}',
    keys => '{"metric": "e.metric", "bucket": "e.bucket"}',
    changes => '{delete,update}');

-- Costs by incurred_at, in minor units. counted, cost_amount: those of the categories that the
-- workspace counts as winning customers (all, unless set).
CREATE TABLE cost_totals (
    workspace_id integer NOT NULL REFERENCES workspace,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    costs bigint NOT NULL,
    costs_counted bigint NOT NULL,
    cost_amount numeric NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, start)
);

CALL totals_declare('cost', 'cost_totals',
    '{"segment": "r.segment", "channel": "r.channel", "category": "r.category"}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (9, d.category, '')$$,
    $$(SELECT local_day(r.incurred_at, w.timezone) AS day,
              w.cac_categories IS NULL OR coalesce(r.category = ANY (w.cac_categories), false) AS counted) e$$,
    measures => '{"costs": "1", "costs_counted": "e.counted::integer",
                  "cost_amount": "CASE WHEN e.counted THEN r.amount ELSE 0 END"}');

-- Payments by paid_at, in minor units, by their own labels (they have a segment but no channel):
-- gross above zero, refunds below; attributed: those that name a customer.
CREATE TABLE payment_totals (
    workspace_id integer NOT NULL REFERENCES workspace,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    payments bigint NOT NULL,
    gross numeric NOT NULL,
    refunds numeric NOT NULL,
    attributed numeric NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, start)
);

CALL totals_declare('payment', 'payment_totals',
    '{"segment": "coalesce(r.segment, r.followed_segment)"}',
    $$(0, '', ''), (1, d.segment, '')$$,
    '(VALUES (local_day(r.paid_at, w.timezone))) e(day)',
    measures => '{"payments": "1", "gross": "greatest(r.amount, 0)", "refunds": "greatest(-r.amount, 0)",
                  "attributed": "CASE WHEN r.customer_id IS NOT NULL THEN r.amount ELSE 0 END"}');

-- Payments that name a customer, by the customer's labels.
CREATE TABLE customer_revenue_totals (
    workspace_id integer NOT NULL REFERENCES workspace,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    customer_payments bigint NOT NULL,
    customer_revenue numeric NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, start)
);

CALL totals_declare('payment', 'customer_revenue_totals',
    '{"segment": "r.followed_segment", "channel": "r.followed_channel"}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel)$$,
    $$(SELECT local_day(r.paid_at, w.timezone) AS day WHERE r.customer_id IS NOT NULL) e$$,
    measures => '{"customer_payments": "1", "customer_revenue": "r.amount"}');

-- After the totals: a changed interaction moves the labels of its surveys.
CREATE FUNCTION interaction_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR changed IN SELECT n.workspace_id AS workspace, array_agg(n.id) AS ids FROM new_rows n
                        WHERE num_nonnulls(n.channel, n.topic, n.agent) > 0 GROUP BY 1 ORDER BY 1 LOOP
            PERFORM follow_interactions(changed.workspace, changed.ids);
        END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR changed IN SELECT o.workspace_id AS workspace, array_agg(o.id) AS ids FROM old_rows o
                        WHERE num_nonnulls(o.channel, o.topic, o.agent) > 0 GROUP BY 1 ORDER BY 1 LOOP
            PERFORM follow_interactions(changed.workspace, changed.ids);
        END LOOP;
    ELSE
        FOR changed IN SELECT x.workspace AS workspace, array_agg(DISTINCT x.id) AS ids
                         FROM (SELECT workspace_id, id, channel, topic, agent FROM new_rows
                               EXCEPT SELECT workspace_id, id, channel, topic, agent FROM old_rows
                               UNION ALL
                               (SELECT workspace_id, id, channel, topic, agent FROM old_rows
                                EXCEPT SELECT workspace_id, id, channel, topic, agent FROM new_rows)) d
                         JOIN LATERAL (VALUES (d.workspace_id, d.id)) x(workspace, id) ON true
                        GROUP BY 1 ORDER BY 1 LOOP
            PERFORM follow_interactions(changed.workspace, changed.ids);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER survey_labels_insert AFTER INSERT ON interaction REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION interaction_changed();
CREATE TRIGGER survey_labels_update AFTER UPDATE ON interaction
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION interaction_changed();
CREATE TRIGGER survey_labels_delete AFTER DELETE ON interaction REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION interaction_changed();

-- Follow-ups: an action, or a low score that comes after its action, or one that is corrected.
CREATE FUNCTION action_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR changed IN SELECT n.workspace_id AS workspace, array_agg(DISTINCT n.survey_id) AS ids
                         FROM new_rows n WHERE n.survey_id IS NOT NULL GROUP BY 1 ORDER BY 1 LOOP
            PERFORM workspace_lock(changed.workspace);
            PERFORM follow_surveys(changed.workspace, changed.ids);
        END LOOP;
    ELSIF TG_OP = 'DELETE' THEN
        FOR changed IN SELECT o.workspace_id AS workspace, array_agg(DISTINCT o.survey_id) AS ids
                         FROM old_rows o WHERE o.survey_id IS NOT NULL GROUP BY 1 ORDER BY 1 LOOP
            PERFORM workspace_lock(changed.workspace);
            PERFORM follow_surveys(changed.workspace, changed.ids);
        END LOOP;
    ELSE
        FOR changed IN SELECT x.workspace_id AS workspace, array_agg(DISTINCT x.survey_id) AS ids
                         FROM (SELECT workspace_id, survey_id FROM new_rows
                               UNION ALL SELECT workspace_id, survey_id FROM old_rows) x
                        WHERE x.survey_id IS NOT NULL GROUP BY 1 ORDER BY 1 LOOP
            PERFORM workspace_lock(changed.workspace);
            PERFORM follow_surveys(changed.workspace, changed.ids);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER follow_up_insert AFTER INSERT ON action REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION action_changed();
CREATE TRIGGER follow_up_update AFTER UPDATE ON action
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION action_changed();
CREATE TRIGGER follow_up_delete AFTER DELETE ON action REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION action_changed();

CREATE FUNCTION survey_scored() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed record;
BEGIN
    IF TG_OP = 'INSERT' THEN
        FOR changed IN SELECT n.workspace_id AS workspace, array_agg(n.id) AS ids FROM new_rows n
                        WHERE n.score_class = -1
                          AND EXISTS (SELECT FROM action a WHERE a.workspace_id = n.workspace_id
                                         AND a.survey_id IS NOT NULL OFFSET 0)
                          AND EXISTS (SELECT FROM action a WHERE a.workspace_id = n.workspace_id
                                         AND a.survey_id = n.id OFFSET 0)
                        GROUP BY 1 ORDER BY 1 LOOP
            PERFORM follow_surveys(changed.workspace, changed.ids);
        END LOOP;
    ELSE
        FOR changed IN SELECT x.workspace_id AS workspace, array_agg(x.id) AS ids
                         FROM (SELECT workspace_id, id, answered_at, score_class FROM new_rows
                               EXCEPT
                               SELECT workspace_id, id, answered_at, score_class FROM old_rows) x
                        GROUP BY 1 ORDER BY 1 LOOP
            PERFORM follow_surveys(changed.workspace, changed.ids);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER follow_up_insert AFTER INSERT ON survey REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION survey_scored();
CREATE TRIGGER follow_up_update AFTER UPDATE ON survey
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION survey_scored();
