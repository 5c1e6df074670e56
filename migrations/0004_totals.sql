-- Aggregates: additive totals per day and per month, for fixed cuts of the labels. What changes of the
-- records changes them by signed deltas: new rows count +1, old rows −1.
--
-- Key of every totals table:
--   grain    d: start is a day; m: start is the first of a month
--   cut      0 all records; 1 segment; 2 channel; 3 segment and channel; 4 agent; 5 topic;
--            6 touchpoint; 7 aspect; 8 reason; 9 category (as far as the records have the label)
--   label, second_label   the labels of that cut; '' where unlabelled or not part of the cut
-- Each grain has a partition, <table>_day and <table>_month, so that the few months, which every balance
-- adds up, lie close together, however many days there are.
-- A row whose counts are all zero says the same as no row.
--
-- Changes wait in <source>_change: what counts of every record that was inserted (sign +1) or deleted
-- (−1), and of every updated one before (−1) and after (+1). Triggers append them in the record's own
-- transaction; totals_fold adds them to the totals in transactions of its own, so that many writes make
-- one change of a total; whoever reads totals adds the rest (<target>_rest). No figure depends on when,
-- or whether, they are folded.

-- sum() of bigint counts in numeric, which is slow; this one stays exact and fails on overflow.
CREATE AGGREGATE sum_bigint(bigint) (SFUNC = int8pl, STYPE = bigint, INITCOND = '0');

-- Up to which number a workspace's changes are folded. The number of a change is the data_version that its
-- statement made: numbers rise in the order in which the workspace's writers commit, so that who sees a change
-- sees those of lower numbers, too.
CREATE TABLE totals_folded (
    workspace_id integer PRIMARY KEY REFERENCES workspace ON DELETE CASCADE,
    through bigint NOT NULL
) WITH (fillfactor = 10); -- few rows, rewritten all the time, stay on their pages

-- So many may wait; whoever writes more folds as many as they write, so that reading stays quick
-- however fast the writing is.
CREATE FUNCTION changes_most() RETURNS bigint LANGUAGE sql IMMUTABLE RETURN 10000;

-- Under the workspace's lock: raises its version by the number of its rows that a statement touches. True
-- where more than changes_most may wait; required: the workspace must exist.
CREATE FUNCTION changes_begin(workspace integer, touched bigint, required boolean) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    raised bigint;
BEGIN
    UPDATE data_version v SET version = v.version + touched WHERE v.workspace_id = workspace
        RETURNING v.version INTO raised;
    IF required AND NOT FOUND THEN
        RAISE EXCEPTION 'a record''s workspace does not exist' USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN raised - coalesce((SELECT f.through FROM totals_folded f WHERE f.workspace_id = workspace), 0)
           > changes_most();
END $$;

-- What cannot be folded is no reason to refuse records: the service tells of it.
CREATE FUNCTION changes_relieve(workspace integer, most bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM totals_fold(workspace, most);
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'changes of workspace % cannot be folded: %', workspace, SQLERRM;
END $$;

-- What has been declared: of each source what counts of a row r, and the totals that are kept of it.
CREATE TABLE change_source (source text PRIMARY KEY, facts json NOT NULL);
CREATE TABLE totals_target (
    target text PRIMARY KEY,
    source text NOT NULL REFERENCES change_source,
    stored text NOT NULL -- the table: the target itself, or what the target is a view of
);

-- Makes <source>_change and the triggers that write it. Called again, with further facts at the end, for which
-- the table has got its columns before, it makes the triggers anew; so does totals_declare. After that the
-- workspaces need a rebuild.
--   facts  json {"column": "expression over the row r"}: all that totals depend on
CREATE PROCEDURE changes_declare(source text, facts json) LANGUAGE plpgsql AS $declare$
DECLARE
    change constant text := source || '_change';
    names constant text := (SELECT string_agg(format('%I', key), ', ') FROM json_object_keys(facts) key);
    fact_list constant text := (SELECT string_agg(format('%s AS %I', value, key), ', ') FROM json_each_text(facts));
    operation record;
BEGIN
    INSERT INTO change_source AS s VALUES (source, facts)
        ON CONFLICT ON CONSTRAINT change_source_pkey DO UPDATE SET facts = excluded.facts;
    EXECUTE format('CREATE TABLE IF NOT EXISTS %I AS SELECT r.workspace_id, 0::bigint AS number, 0::smallint AS sign, %s
                      FROM %I r WITH NO DATA', change, fact_list, source);
    -- It is emptied all the time: giving back the end of the file would lock readers out each time.
    EXECUTE format('ALTER TABLE %I ALTER workspace_id SET NOT NULL, ALTER number SET NOT NULL,
                                   ALTER sign SET NOT NULL, SET (vacuum_truncate = off)', change);
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I (workspace_id, number)', change || '_number', change);
    EXECUTE format('CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()', change);
    FOR operation IN
        SELECT x.name, x.tables, x.touched, format(x.changes, fact_list, names) AS changes
          FROM (VALUES
            ('insert', 'NEW TABLE AS new_rows', 'SELECT workspace_id, true AS stays FROM new_rows',
             'SELECT r.workspace_id, v.version, 1, %1$s FROM new_rows r JOIN data_version v ON v.workspace_id = r.workspace_id'),
            ('delete', 'OLD TABLE AS old_rows', 'SELECT workspace_id, false AS stays FROM old_rows',
             'SELECT r.workspace_id, v.version, -1, %1$s FROM old_rows r JOIN data_version v ON v.workspace_id = r.workspace_id'),
            -- Many updates change nothing that counts.
            ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows',
             'SELECT workspace_id, false AS stays FROM old_rows UNION ALL SELECT workspace_id, true FROM new_rows',
             'WITH before AS (SELECT r.workspace_id, %1$s FROM old_rows r),
                   after AS (SELECT r.workspace_id, %1$s FROM new_rows r)
              SELECT x.workspace_id, v.version, x.sign, %2$s
                FROM (SELECT -1 AS sign, * FROM (TABLE before EXCEPT ALL TABLE after) b
                      UNION ALL SELECT 1, * FROM (TABLE after EXCEPT ALL TABLE before) a) x
                JOIN data_version v ON v.workspace_id = x.workspace_id'))
            AS x(name, tables, touched, changes)
    LOOP
        EXECUTE format('CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql AS %L', change || '_' || operation.name,
            format('DECLARE
    many json; -- workspaces where much waits, with how much this statement writes
BEGIN
    -- All locks before the first version, whose row is held until the transaction ends.
    PERFORM workspace_lock(x.workspace_id) FROM (SELECT DISTINCT t.workspace_id FROM (%1$s) t ORDER BY 1) x;
    SELECT json_object_agg(x.workspace_id, x.written) FILTER (WHERE changes_begin(x.workspace_id, x.written, x.stays))
      INTO many
      FROM (SELECT t.workspace_id, count(*) AS written, bool_or(t.stays) AS stays FROM (%1$s) t GROUP BY 1 ORDER BY 1) x;
    INSERT INTO %2$I %3$s;
    IF many IS NOT NULL THEN
        PERFORM changes_relieve(x.key::integer, 2 * x.value::bigint + 1000) FROM json_each_text(many) x;
    END IF;
    RETURN NULL;
END', operation.touched, change, operation.changes));
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER %s ON %I REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION %I()',
            'changes_' || operation.name, operation.name, source, operation.tables, change || '_' || operation.name);
    END LOOP;
END $declare$;

-- Makes the functions that keep `target`, a table with the key above that is PARTITION BY LIST (grain), of the
-- changes of `source`, and the table's partitions:
--   <target>_expected(workspace)            its cells from all rows of the source at once
--   <target>_changes(workspace, through)    what the changes up to that number add to which cells
--   <target>_rest(workspace)                the same of all changes, days alone (of grain m: months)
--   <target>_add(workspace, through)        adds <target>_changes; where through is null, <target>_expected
--   labels    labels among the facts
--   cuts      the cuts as rows (code, first label, second label) over d, the labels of a row
--   events    a lateral FROM item e with e.day: the days (of the workspace w) on which a row r counts;
--             null: it does not
--   measures  json {"column": "integer expression over r and e"}, summed
--   keys      further key columns of target, as json {"column": "expression over r and e"}
--   headline  like measures, but of rows without an aspect only, save in the cut by aspect
--   grains    which grains are kept: 'dm', or 'm' alone
-- Where target is a view, its cells are stored otherwise, and <target>_add is the caller's.
CREATE PROCEDURE totals_declare(source text, target text, labels text[], cuts text, events text,
                                measures json, keys json DEFAULT '{}', headline json DEFAULT '{}',
                                grains text DEFAULT 'dm', stored text DEFAULT NULL)
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
        + cardinality(labels) + (SELECT count(*) FROM json_object_keys(keys))) n);
    fact_list constant text := (SELECT string_agg(format('%s AS %I', f.value, f.key), ', ')
                                  FROM change_source s CROSS JOIN json_each_text(s.facts) f
                                 WHERE s.source = totals_declare.source);
    changes constant text := format('SELECT * FROM %I c WHERE c.workspace_id = workspace
                                        AND c.number > coalesce((SELECT f.through FROM totals_folded f
                                                                  WHERE f.workspace_id = workspace), 0)',
                                   source || '_change');
    -- Rows are first condensed per day and set of labels, so that the cuts multiply few. OFFSET 0: the workspace is
    -- looked up once, not for each row.
    daily constant text := format($query$
        WITH detail AS (
            SELECT r.workspace_id, e.day%1$s%2$s%3$s
              FROM (%%s) r
             CROSS JOIN (SELECT * FROM workspace w WHERE w.id = workspace OFFSET 0) w CROSS JOIN LATERAL %4$s
             WHERE e.day IS NOT NULL
             GROUP BY %5$s),
        daily AS (
            SELECT d.workspace_id, c.cut::smallint AS cut, d.day AS start, c.label, c.second_label%6$s, %7$s
              FROM detail d CROSS JOIN LATERAL (VALUES %8$s) c(cut, label, second_label)
             GROUP BY 1, 2, 3, 4, 5%6$s)$query$,
        (SELECT string_agg(format($$, coalesce(r.%I, '') AS %1$I$$, label), '') FROM unnest(labels) label),
        (SELECT string_agg(format(', %s AS %I', value, key), '') FROM json_each_text(keys)),
        (SELECT string_agg(format(', coalesce(sum(r.sign * (%s)), 0) AS %I', value, key), '')
           FROM (SELECT * FROM json_each_text(headline) UNION ALL SELECT * FROM json_each_text(measures)) x),
        events, detail_keys, key_columns, cut_totals, cuts);
    days constant text := format($query$
            SELECT workspace_id, '%s'::"char" AS grain, cut, start, label, second_label%s, %s FROM daily$query$,
        left(grains, 1), key_columns, column_list);
    -- The months are summed from the days.
    cells constant text := format($query$%1$s
        SELECT * FROM (%2$s%3$s) x
         WHERE %4$s
         ORDER BY workspace_id, grain, cut, label, second_label, start%5$s$query$,
        daily, days,
        CASE grains WHEN 'dm' THEN format($query$
             UNION ALL
            SELECT workspace_id, 'm'::"char", cut, date_trunc('month', start::timestamp)::date, label, second_label%1$s, %2$s
              FROM daily GROUP BY 1, 2, 3, 4, 5, 6%1$s$query$, key_columns, totals) ELSE '' END,
        (SELECT string_agg(format('%I <> 0', c), ' OR ') FROM unnest(columns) c), key_columns);
    add constant text := format('INSERT INTO %I AS t SELECT * FROM %%s
        ON CONFLICT (workspace_id, grain, cut, label, second_label, start%s) DO UPDATE SET %s',
        target, key_columns,
        (SELECT string_agg(format('%1$I = t.%1$I + excluded.%1$I', c), ', ') FROM unnest(columns) c));
    cells_table constant text := coalesce(stored, target);
    grain text;
    part text;
BEGIN
    INSERT INTO totals_target AS t VALUES (target, source, cells_table)
        ON CONFLICT ON CONSTRAINT totals_target_pkey DO UPDATE SET source = excluded.source;
    EXECUTE format('CREATE OR REPLACE FUNCTION %I(workspace integer) RETURNS SETOF %I LANGUAGE sql STABLE AS %L',
        target || '_expected', target,
        format(cells, format('SELECT 1 AS sign, r.workspace_id, %s FROM %I r WHERE r.workspace_id = workspace', fact_list, source)));
    EXECUTE format('CREATE OR REPLACE FUNCTION %I(workspace integer, through bigint) RETURNS SETOF %I LANGUAGE sql STABLE AS %L',
        target || '_changes', target, format(cells, changes || ' AND c.number <= through'));
    EXECUTE format('CREATE OR REPLACE FUNCTION %I(workspace integer) RETURNS SETOF %I LANGUAGE sql STABLE AS %L',
        target || '_rest', target, format(daily, changes) || days);
    IF stored IS NULL THEN
        EXECUTE format('CREATE OR REPLACE FUNCTION %I(workspace integer, through bigint) RETURNS void LANGUAGE plpgsql AS %L',
            target || '_add', format('BEGIN
    IF through IS NULL THEN
        %s;
    ELSE
        %s;
    END IF;
END', format(add, format('%I(workspace)', target || '_expected')), format(add, format('%I(workspace, through)', target || '_changes'))));
    END IF;
    FOREACH grain IN ARRAY string_to_array(grains, NULL) LOOP
        part := cells_table || CASE grain WHEN 'd' THEN '_day' ELSE '_month' END;
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES IN (%L)', part, cells_table, grain);
        EXECUTE format('CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()', part);
    END LOOP;
    EXECUTE format('CREATE OR REPLACE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()', cells_table);
END $declare$;

-- Makes totals of many buckets per cell, `target`, of the changes of `source`: a table with the key above and
-- metric, and in a row the cell's buckets, ascending, and how many each holds, as the texts of an integer[] and a
-- bigint[]; <target>_bucket, a view that shows a row per bucket; and the latter's functions (totals_declare). A cell is
-- read from one place, however many buckets it has, and as it lies: arrays would be made texts for each reader.
--   events  a lateral FROM item e with e.day, e.metric, e.bucket
CREATE PROCEDURE buckets_declare(source text, target text, labels text[], cuts text, events text,
                                 grains text DEFAULT 'dm')
LANGUAGE plpgsql AS $declare$
DECLARE
    buckets constant text := target || '_bucket';
BEGIN
    EXECUTE format('CREATE TABLE %I (
        workspace_id integer NOT NULL,
        grain "char" NOT NULL,
        cut smallint NOT NULL,
        start date NOT NULL,
        label text COLLATE "C" NOT NULL,
        second_label text COLLATE "C" NOT NULL,
        metric "char" NOT NULL,
        bucket text NOT NULL,
        n text NOT NULL,
        PRIMARY KEY (workspace_id, grain, cut, label, second_label, metric, start))
        PARTITION BY LIST (grain)', target);
    -- Compressed, but in line up to a page: what lies elsewhere is two or three pages more to read per cell.
    EXECUTE format('ALTER TABLE %I ALTER bucket SET STORAGE MAIN, ALTER n SET STORAGE MAIN', target);
    EXECUTE format('CREATE VIEW %I AS
        SELECT t.workspace_id, t.grain, t.cut, t.start, t.label, t.second_label, t.metric, b.bucket, b.n
          FROM %I t CROSS JOIN LATERAL unnest(t.bucket::integer[], t.n::bigint[]) b(bucket, n)', buckets, target);
    CALL totals_declare(source, buckets, labels, cuts, events, measures => '{"n": "1"}',
                        keys => '{"metric": "e.metric", "bucket": "e.bucket"}', grains => grains, stored => target);
    EXECUTE format($function$
        CREATE FUNCTION %1$I(workspace integer, through bigint) RETURNS void LANGUAGE plpgsql AS $body$
        BEGIN
            INSERT INTO %2$I AS t (workspace_id, grain, cut, start, label, second_label, metric, bucket, n)
            SELECT x.workspace_id, x.grain, x.cut, x.start, x.label, x.second_label, x.metric,
                   array_agg(x.bucket ORDER BY x.bucket)::text, array_agg(x.n ORDER BY x.bucket)::text
              FROM (SELECT * FROM %3$I(workspace, through) WHERE through IS NOT NULL
                    UNION ALL SELECT * FROM %4$I(workspace) WHERE through IS NULL) x
             GROUP BY 1, 2, 3, 4, 5, 6, 7
             ORDER BY 1, 2, 3, 5, 6, 7, 4
            ON CONFLICT (workspace_id, grain, cut, label, second_label, metric, start) DO UPDATE
                -- Both together; buckets that hold nothing are left out.
                SET (bucket, n) = (
                    SELECT coalesce(array_agg(b.bucket ORDER BY b.bucket), '{}')::text,
                           coalesce(array_agg(b.n ORDER BY b.bucket), '{}')::text
                      FROM (SELECT b.bucket, sum_bigint(b.n) AS n
                              FROM unnest(t.bucket::integer[] || excluded.bucket::integer[],
                                          t.n::bigint[] || excluded.n::bigint[]) b(bucket, n)
                             GROUP BY 1 HAVING sum_bigint(b.n) <> 0) b);
        END $body$ $function$, buckets || '_add', target, buckets || '_changes', buckets || '_expected');
END $declare$;

-- Surveys. nps_*, csat_*, ces_*: scored, solicited, without an aspect (in the cut by aspect: each
-- aspect's own), by answered_at.
-- csat_sum180: Σ 180 (score − min)/(max − min), an integer on every scale allowed.
-- ces5_*, ces7_*: answers and their sum per scale, after turning low_is_easy round.
-- sent, answered, answered_late: invitations by sent_at; comments_*, scored, low (class -1),
-- followed_up (an action about it done within 168 hours, 48): all surveys by answered_at;
-- records: by the record's own time.
CREATE TABLE survey_totals (
    workspace_id integer NOT NULL,
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
) PARTITION BY LIST (grain);

CALL changes_declare('survey', $${
    "type": "r.type", "score": "r.score", "scale_min": "r.scale_min", "scale_max": "r.scale_max",
    "direction": "r.direction", "score_class": "r.score_class", "solicited": "r.solicited",
    "commented": "r.comment IS NOT NULL", "sent_at": "r.sent_at", "answered_at": "r.answered_at",
    "follow_up_at": "r.follow_up_at",
    "segment": "coalesce(r.segment, r.followed_segment)", "channel": "coalesce(r.channel, r.followed_channel)",
    "agent": "r.followed_agent", "topic": "r.followed_topic", "touchpoint": "r.touchpoint", "aspect": "r.aspect"
    }$$);

CALL totals_declare('survey', 'survey_totals', '{segment,channel,agent,topic,touchpoint,aspect}',
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
    "comments_positive": "(e.what = 'answered' AND r.commented AND r.score_class = 1)::integer",
    "comments_neutral": "(e.what = 'answered' AND r.commented AND r.score_class = 0)::integer",
    "comments_negative": "(e.what = 'answered' AND r.commented AND r.score_class = -1)::integer",
    "comments_unscored": "(e.what = 'answered' AND r.commented AND r.score_class IS NULL)::integer",
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
    workspace_id integer NOT NULL,
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
) PARTITION BY LIST (grain);

CALL changes_declare('interaction', $${
    "opened_at": "r.opened_at", "first_response_at": "r.first_response_at", "resolved_at": "r.resolved_at",
    "closed_at": "r.closed_at", "service": "r.direction = 'inbound' AND NOT r.bot",
    "resolved_on_first_contact": "r.resolved_on_first_contact",
    "segment": "coalesce(r.segment, r.followed_segment)", "channel": "r.channel", "agent": "r.agent", "topic": "r.topic"
    }$$);

CALL totals_declare('interaction', 'interaction_totals', '{segment,channel,agent,topic}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (4, d.agent, ''), 
      (5, d.topic, '')$$,
    $$(SELECT x.what, local_day(x.at, w.timezone) AS day
         FROM (VALUES ('opened', r.opened_at), ('responded', r.first_response_at),
                      ('ended', coalesce(r.resolved_at, r.closed_at)),
                      ('attended', least(r.first_response_at, coalesce(r.resolved_at, r.closed_at)))) x(what, at)) e$$,
    measures => $${
    "opened": "(e.what = 'opened')::integer",
    "responded": "(e.what = 'responded')::integer",
    "resolved": "(e.what = 'ended' AND r.resolved_at IS NOT NULL)::integer",
    "closed_unresolved": "(e.what = 'ended' AND r.resolved_at IS NULL)::integer",
    "service_opened": "(r.service AND e.what = 'opened')::integer",
    "service_attended": "(r.service AND e.what = 'attended')::integer",
    "service_ended": "(r.service AND e.what = 'ended')::integer",
    "response_n": "(r.service AND e.what = 'responded')::integer",
    "response_us": "CASE WHEN r.service AND e.what = 'responded' THEN (extract(epoch FROM r.first_response_at - r.opened_at) * 1000000)::bigint END",
    "resolution_n": "(r.service AND e.what = 'ended' AND r.resolved_at IS NOT NULL)::integer",
    "resolution_us": "CASE WHEN r.service AND e.what = 'ended' THEN (extract(epoch FROM r.resolved_at - r.opened_at) * 1000000)::bigint END",
    "contact_first": "(r.service AND e.what = 'ended' AND r.resolved_on_first_contact)::integer",
    "contact_known": "(r.service AND e.what = 'ended' AND r.resolved_on_first_contact IS NOT NULL)::integer"
    }$$);

-- DDSketches (Masson et al. 2019) of durations.
-- Bucket i holds γ^(i−1) < µs ≤ γ^i with γ = 1.009/0.991 (α = 0.9 %); −1 holds zeros.
CREATE FUNCTION sketch_bucket(duration interval) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN duration = interval '0' THEN -1
                ELSE ceil(ln((extract(epoch FROM duration) * 1000000)::double precision)
                          / ln(1.009::double precision / 0.991::double precision))::integer END
$$;

-- Service interactions, metric f: first response, by first_response_at; r: resolution, by resolved_at.
CALL buckets_declare('interaction', 'duration_sketch', '{segment,channel,agent,topic}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (4, d.agent, ''), 
      (5, d.topic, '')$$,
    $$(SELECT x.metric, local_day(x.at, w.timezone) AS day, sketch_bucket(x.at - r.opened_at) AS bucket
         FROM (VALUES ('f'::"char", r.first_response_at), ('r', r.resolved_at)) x(metric, at)
        WHERE r.service) e$$);

-- Low scores, metric u: from the answer to the action that followed it up.
CALL buckets_declare('survey', 'follow_up_sketch', '{segment,channel,agent,topic,touchpoint,aspect}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (4, d.agent, ''), 
      (5, d.topic, ''), (6, d.touchpoint, ''), (7, d.aspect, '')$$,
    -- Where an answer was moved past its follow-up, that one stands until follow_surveys, which comes
    -- next, takes it off.
    $$(SELECT 'u'::"char" AS metric, local_day(r.answered_at, w.timezone) AS day,
              sketch_bucket(r.follow_up_at - r.answered_at) AS bucket
        WHERE r.follow_up_at >= r.answered_at) e$$);

-- Costs by incurred_at, in minor units. counted, cost_amount: those of the categories that the
-- workspace counts as winning customers (all, unless set).
CREATE TABLE cost_totals (
    workspace_id integer NOT NULL,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    costs bigint NOT NULL,
    costs_counted bigint NOT NULL,
    cost_amount numeric NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, start)
) PARTITION BY LIST (grain);

CALL changes_declare('cost', '{"incurred_at": "r.incurred_at", "amount": "r.amount", "category": "r.category",
                               "segment": "r.segment", "channel": "r.channel"}');

CALL totals_declare('cost', 'cost_totals', '{segment,channel,category}',
    $$(0, '', ''), (1, d.segment, ''), (2, d.channel, ''), (3, d.segment, d.channel), (9, d.category, '')$$,
    $$(SELECT local_day(r.incurred_at, w.timezone) AS day,
              w.cac_categories IS NULL OR coalesce(r.category = ANY (w.cac_categories), false) AS counted) e$$,
    measures => '{"costs": "1", "costs_counted": "e.counted::integer",
                  "cost_amount": "CASE WHEN e.counted THEN r.amount ELSE 0 END"}');

-- Payments by paid_at, in minor units, by their own labels (they have a segment but no channel):
-- gross above zero, refunds below; attributed: those that name a customer.
CREATE TABLE payment_totals (
    workspace_id integer NOT NULL,
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
) PARTITION BY LIST (grain);

CALL changes_declare('payment', $${
    "paid_at": "r.paid_at", "amount": "r.amount", "attributed": "r.customer_id IS NOT NULL",
    "segment": "coalesce(r.segment, r.followed_segment)",
    "customer_segment": "r.followed_segment", "customer_channel": "r.followed_channel"
    }$$);

CALL totals_declare('payment', 'payment_totals', '{segment}',
    $$(0, '', ''), (1, d.segment, '')$$,
    '(VALUES (local_day(r.paid_at, w.timezone))) e(day)',
    measures => '{"payments": "1", "gross": "greatest(r.amount, 0)", "refunds": "greatest(-r.amount, 0)",
                  "attributed": "CASE WHEN r.attributed THEN r.amount ELSE 0 END"}');

-- Payments that name a customer, by the customer's labels.
CREATE TABLE customer_revenue_totals (
    workspace_id integer NOT NULL,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    customer_payments bigint NOT NULL,
    customer_revenue numeric NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, label, second_label, start)
) PARTITION BY LIST (grain);

CALL totals_declare('payment', 'customer_revenue_totals', '{customer_segment,customer_channel}',
    $$(0, '', ''), (1, d.customer_segment, ''), (2, d.customer_channel, ''),
      (3, d.customer_segment, d.customer_channel)$$,
    $$(SELECT local_day(r.paid_at, w.timezone) AS day WHERE r.attributed) e$$,
    measures => '{"customer_payments": "1", "customer_revenue": "r.amount"}');

-- A changed interaction moves the labels of its surveys.
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
        -- Many workspaces have no actions about surveys: one look instead of one per low score.
        IF NOT EXISTS (SELECT FROM (SELECT DISTINCT workspace_id FROM new_rows) n
                        WHERE EXISTS (SELECT FROM action a WHERE a.workspace_id = n.workspace_id
                                         AND a.survey_id IS NOT NULL OFFSET 0)) THEN
            RETURN NULL;
        END IF;
        FOR changed IN SELECT n.workspace_id AS workspace, array_agg(n.id) AS ids FROM new_rows n
                        WHERE n.score_class = -1
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
