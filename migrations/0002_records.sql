-- The records as they were sent. Rules between fields are checked by the service (src/record);
-- the constraints here keep other programs from storing what the aggregates could not count.
-- That the workspace exists is checked once per statement, not per record.
-- What they let pass can be counted: the totals follow later, and may not fail then.
-- content_hash: 16 bytes over the content as sent, to tell a repetition from a conflict.

CREATE TABLE customer (
    workspace_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    started_at timestamptz NOT NULL,
    name text,
    email text,
    segment text COLLATE "C" CHECK (octet_length(segment) BETWEEN 1 AND 256),
    channel text COLLATE "C" CHECK (octet_length(channel) BETWEEN 1 AND 256),
    metadata json,
    content_hash bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (started_at >= '1900-01-01Z' AND started_at < '2200-01-01Z')
);

CREATE TABLE interaction (
    workspace_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C",
    channel text COLLATE "C" CHECK (octet_length(channel) BETWEEN 1 AND 256),
    topic text COLLATE "C" CHECK (octet_length(topic) BETWEEN 1 AND 256),
    agent text COLLATE "C" CHECK (octet_length(agent) BETWEEN 1 AND 256),
    direction text NOT NULL DEFAULT 'inbound' CHECK (direction IN ('inbound', 'outbound')),
    bot boolean NOT NULL DEFAULT false,
    opened_at timestamptz NOT NULL,
    first_response_at timestamptz CHECK (first_response_at >= opened_at),
    resolved_at timestamptz CHECK (resolved_at >= opened_at),
    resolved_on_first_contact boolean,
    closed_at timestamptz CHECK (closed_at >= opened_at),
    segment text COLLATE "C" CHECK (octet_length(segment) BETWEEN 1 AND 256),
    metadata json,
    content_hash bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- The customer's, while segment is null: in force is coalesce(segment, followed_segment).
    followed_segment text COLLATE "C",
    CHECK (resolved_on_first_contact IS NULL OR resolved_at IS NOT NULL),
    CHECK (opened_at >= '1900-01-01Z' AND greatest(opened_at, first_response_at, resolved_at, closed_at) < '2200-01-01Z')
);

CREATE INDEX interaction_customer ON interaction (workspace_id, customer_id, opened_at DESC, id)
    WHERE customer_id IS NOT NULL;

CREATE TABLE survey (
    workspace_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C",
    interaction_id text COLLATE "C",
    submission_id text COLLATE "C",
    type text NOT NULL CHECK (type IN ('nps', 'csat', 'ces', 'open')),
    score integer,
    scale_min integer,
    scale_max integer,
    direction text CHECK (direction IN ('high_is_easy', 'low_is_easy')),
    aspect text COLLATE "C" CHECK (octet_length(aspect) BETWEEN 1 AND 256),
    touchpoint text COLLATE "C" CHECK (octet_length(touchpoint) BETWEEN 1 AND 256),
    solicited boolean NOT NULL DEFAULT true,
    comment text,
    channel text COLLATE "C" CHECK (octet_length(channel) BETWEEN 1 AND 256),
    segment text COLLATE "C" CHECK (octet_length(segment) BETWEEN 1 AND 256),
    sent_at timestamptz,
    answered_at timestamptz,
    metadata json,
    content_hash bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    followed_segment text COLLATE "C", -- of the customer, while segment is null
    followed_channel text COLLATE "C", -- of the interaction, while channel is null
    followed_topic text COLLATE "C",   -- of the interaction
    followed_agent text COLLATE "C",   -- of the interaction
    -- Of a low score: when the first action about it was done within 168 hours; null: none was.
    follow_up_at timestamptz,
    comment_language text CHECK (comment_language IN ('pt', 'en')), -- of the workspace, while there is a comment
    -- 1 promoter, satisfied, easy; 0 between; -1 detractor, dissatisfied, hard; null unscored.
    -- Satisfied and easy are the top boxes of the scale, dissatisfied and hard their mirror.
    score_class smallint GENERATED ALWAYS AS (
        CASE type
            WHEN 'nps' THEN CASE WHEN score >= 9 THEN 1 WHEN score >= 7 THEN 0 WHEN score >= 0 THEN -1 END
            WHEN 'csat' THEN
                CASE WHEN score > scale_max - (CASE WHEN scale_max <= 3 THEN 1 WHEN scale_max <= 7 THEN 2 ELSE 3 END) THEN 1
                     WHEN score < scale_min + (CASE WHEN scale_max <= 3 THEN 1 WHEN scale_max <= 7 THEN 2 ELSE 3 END) THEN -1
                     WHEN score IS NOT NULL THEN 0 END
            WHEN 'ces' THEN
                CASE WHEN (CASE direction WHEN 'low_is_easy' THEN scale_max + 1 - score ELSE score END)
                          > scale_max - (CASE scale_max WHEN 5 THEN 2 ELSE 3 END) THEN 1
                     WHEN (CASE direction WHEN 'low_is_easy' THEN scale_max + 1 - score ELSE score END)
                          < 1 + (CASE scale_max WHEN 5 THEN 2 ELSE 3 END) THEN -1
                     WHEN score IS NOT NULL THEN 0 END
        END) STORED,
    CHECK (score IS NULL OR (type <> 'open' AND score BETWEEN scale_min AND scale_max
                             AND scale_min < scale_max AND scale_min >= -1000 AND scale_max <= 1000)),
    CHECK (score IS NULL OR answered_at IS NOT NULL),
    CHECK (comment IS NULL OR answered_at IS NOT NULL),
    CHECK (sent_at IS NOT NULL OR answered_at IS NOT NULL),
    CHECK (least(sent_at, answered_at) >= '1900-01-01Z' AND greatest(sent_at, answered_at, follow_up_at) < '2200-01-01Z')
);

CREATE INDEX survey_customer
    ON survey (workspace_id, customer_id, (coalesce(answered_at, sent_at)) DESC, id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX survey_interaction ON survey (workspace_id, interaction_id)
    WHERE interaction_id IS NOT NULL;

CREATE TABLE cancellation (
    workspace_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    cancelled_at timestamptz NOT NULL,
    reason text COLLATE "C" CHECK (octet_length(reason) BETWEEN 1 AND 256),
    voluntary boolean,
    comment text,
    metadata json,
    content_hash bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (cancelled_at >= '1900-01-01Z' AND cancelled_at < '2200-01-01Z')
);

CREATE INDEX cancellation_customer ON cancellation (workspace_id, customer_id);

CREATE TABLE reactivation (
    workspace_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    reactivated_at timestamptz NOT NULL,
    metadata json,
    content_hash bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (reactivated_at >= '1900-01-01Z' AND reactivated_at < '2200-01-01Z')
);

CREATE INDEX reactivation_customer ON reactivation (workspace_id, customer_id);

-- Money in minor units of the workspace's currency; refunds and credits are negative.
CREATE TABLE payment (
    workspace_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C",
    amount bigint NOT NULL CHECK (abs(amount) <= 1000000000000),
    currency text NOT NULL,
    paid_at timestamptz NOT NULL,
    segment text COLLATE "C" CHECK (octet_length(segment) BETWEEN 1 AND 256),
    metadata json,
    content_hash bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    followed_segment text COLLATE "C", -- of the customer, whatever segment is
    followed_channel text COLLATE "C", -- of the customer
    CHECK (paid_at >= '1900-01-01Z' AND paid_at < '2200-01-01Z')
);

CREATE INDEX payment_customer ON payment (workspace_id, customer_id, paid_at)
    WHERE customer_id IS NOT NULL;

CREATE TABLE cost (
    workspace_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    amount bigint NOT NULL CHECK (abs(amount) <= 1000000000000),
    currency text NOT NULL,
    incurred_at timestamptz NOT NULL,
    category text COLLATE "C" CHECK (octet_length(category) BETWEEN 1 AND 256),
    channel text COLLATE "C" CHECK (octet_length(channel) BETWEEN 1 AND 256),
    segment text COLLATE "C" CHECK (octet_length(segment) BETWEEN 1 AND 256),
    metadata json,
    content_hash bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (incurred_at >= '1900-01-01Z' AND incurred_at < '2200-01-01Z')
);

-- What somebody does about an answer or an interaction.
CREATE TABLE action (
    workspace_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    customer_id text COLLATE "C",
    survey_id text COLLATE "C",
    interaction_id text COLLATE "C",
    title text NOT NULL,
    owner text COLLATE "C" CHECK (octet_length(owner) BETWEEN 1 AND 256),
    topic text COLLATE "C" CHECK (octet_length(topic) BETWEEN 1 AND 256),
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'dismissed')),
    opened_at timestamptz NOT NULL,
    due_at timestamptz,
    done_at timestamptz,
    metadata json,
    content_hash bytea NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (opened_at >= '1900-01-01Z' AND greatest(opened_at, done_at) < '2200-01-01Z')
);

CREATE INDEX action_survey ON action (workspace_id, survey_id) WHERE survey_id IS NOT NULL;
CREATE INDEX action_customer ON action (workspace_id, customer_id, opened_at DESC, id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX action_due ON action (workspace_id, due_at) WHERE status = 'open';
CREATE INDEX action_done ON action (workspace_id, done_at) WHERE status = 'done';

-- Lists, newest first, by each kind's own time.
CREATE INDEX customer_time ON customer (workspace_id, started_at DESC, id);
CREATE INDEX interaction_time ON interaction (workspace_id, opened_at DESC, id);
CREATE INDEX survey_time ON survey (workspace_id, (coalesce(answered_at, sent_at)) DESC, id);
CREATE INDEX cancellation_time ON cancellation (workspace_id, cancelled_at DESC, id);
CREATE INDEX reactivation_time ON reactivation (workspace_id, reactivated_at DESC, id);
CREATE INDEX payment_time ON payment (workspace_id, paid_at DESC, id);
CREATE INDEX cost_time ON cost (workspace_id, incurred_at DESC, id);
CREATE INDEX action_time ON action (workspace_id, opened_at DESC, id);

-- Keys come after all other indexes that a lookup by id could use: where two cost the same, as all do of an
-- empty table, the planner takes the one made last, and the service keeps plans that were made then.
--
-- <kind>_row is a row as the service sends it (src/record/row.c): a number that it knows the row by, and the
-- first columns of the kind's table, workspace, fields and hash, with all integers among the fields as bigint. Who adds
-- a field makes a type of another name, and lets this one stand for services that still run.
DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['customer', 'interaction', 'survey', 'cancellation', 'reactivation',
                              'payment', 'cost', 'action'] LOOP
        EXECUTE format('ALTER TABLE %I ADD PRIMARY KEY (workspace_id, id)', kind);
        EXECUTE (SELECT format('CREATE TYPE %I AS (ord integer, workspace_id integer, %s)', kind || '_row',
                               string_agg(format('%I %s %s', a.attname,
                                                 CASE a.atttypid WHEN 'integer'::regtype THEN 'bigint'
                                                                 ELSE format_type(a.atttypid, NULL) END,
                                                 CASE WHEN a.attcollation = '"C"'::regcollation THEN 'COLLATE "C"' END),
                                          ', ' ORDER BY a.attnum))
                   FROM pg_attribute a
                   JOIN pg_attribute last ON last.attrelid = a.attrelid AND last.attname = 'content_hash'
                  WHERE a.attrelid = kind::regclass AND a.attnum BETWEEN 2 AND last.attnum);
    END LOOP;
END $$;

-- Life events need their customer: the reference is what refuses to delete one that has any.
ALTER TABLE cancellation ADD FOREIGN KEY (workspace_id, customer_id) REFERENCES customer;
ALTER TABLE reactivation ADD FOREIGN KEY (workspace_id, customer_id) REFERENCES customer;

-- A record's own labels win; unset ones follow the customer (segment) or the interaction. A payment
-- follows both labels of its customer even where it has a segment of its own: KPIs of customers
-- (arpc, ltv) count revenue by the customer's labels.
CREATE FUNCTION follow_segment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM workspace_lock(NEW.workspace_id);
    NEW.followed_segment := (SELECT c.segment FROM customer c
        WHERE c.workspace_id = NEW.workspace_id AND c.id = NEW.customer_id);
    RETURN NEW;
END $$;

CREATE FUNCTION follow_customer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM workspace_lock(NEW.workspace_id);
    NEW.followed_segment := NULL;
    NEW.followed_channel := NULL;
    SELECT c.segment, c.channel INTO NEW.followed_segment, NEW.followed_channel
      FROM customer c WHERE c.workspace_id = NEW.workspace_id AND c.id = NEW.customer_id;
    RETURN NEW;
END $$;

CREATE FUNCTION follow_language() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM workspace_lock(NEW.workspace_id);
    NEW.comment_language := CASE WHEN NEW.comment IS NOT NULL THEN
        (SELECT w.language FROM workspace w WHERE w.id = NEW.workspace_id) END;
    RETURN NEW;
END $$;

CREATE FUNCTION follow_interaction() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM workspace_lock(NEW.workspace_id);
    NEW.followed_channel := NULL;
    NEW.followed_topic := NULL;
    NEW.followed_agent := NULL;
    SELECT i.channel, i.topic, i.agent
      INTO NEW.followed_channel, NEW.followed_topic, NEW.followed_agent
      FROM interaction i WHERE i.workspace_id = NEW.workspace_id AND i.id = NEW.interaction_id;
    RETURN NEW;
END $$;

DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['interaction', 'survey'] LOOP
        EXECUTE format('CREATE TRIGGER follow_segment_insert BEFORE INSERT ON %I FOR EACH ROW
            WHEN (NEW.segment IS NULL AND NEW.customer_id IS NOT NULL)
            EXECUTE FUNCTION follow_segment()', kind);
        EXECUTE format('CREATE TRIGGER follow_segment_update
            BEFORE UPDATE OF workspace_id, segment, customer_id ON %I FOR EACH ROW
            EXECUTE FUNCTION follow_segment()', kind);
    END LOOP;
END $$;

CREATE TRIGGER follow_customer_insert BEFORE INSERT ON payment FOR EACH ROW
    WHEN (NEW.customer_id IS NOT NULL)
    EXECUTE FUNCTION follow_customer();
CREATE TRIGGER follow_customer_update BEFORE UPDATE OF workspace_id, customer_id ON payment FOR EACH ROW
    EXECUTE FUNCTION follow_customer();

CREATE TRIGGER follow_interaction_insert BEFORE INSERT ON survey FOR EACH ROW
    WHEN (NEW.interaction_id IS NOT NULL)
    EXECUTE FUNCTION follow_interaction();
CREATE TRIGGER follow_interaction_update BEFORE UPDATE OF workspace_id, interaction_id ON survey FOR EACH ROW
    EXECUTE FUNCTION follow_interaction();

-- The service, which has the lock, inserts the language with the comment: the call would cost it 10 µs
-- a record. Other programs leave it to the triggers.
CREATE TRIGGER follow_language_insert BEFORE INSERT ON survey FOR EACH ROW
    WHEN ((NEW.comment IS NULL) <> (NEW.comment_language IS NULL))
    EXECUTE FUNCTION follow_language();
CREATE TRIGGER follow_language_update BEFORE UPDATE OF workspace_id, comment ON survey FOR EACH ROW
    WHEN ((NEW.comment IS NULL) <> (NEW.comment_language IS NULL) OR NEW.workspace_id <> OLD.workspace_id)
    EXECUTE FUNCTION follow_language();

-- Brings the followed labels of other records in line with these customers' (interactions')
-- present ones. Changed rows write their deltas by their own triggers. Planned at
-- each call: a plan made for one record, or while the tables were empty, would not do for the next.
CREATE FUNCTION follow_customers(workspace integer, customers text[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['interaction', 'survey'] LOOP
        EXECUTE format('
            UPDATE %I r SET followed_segment = x.segment
              FROM (SELECT t.id, c.segment FROM unnest($2) t(id)
                      LEFT JOIN customer c ON c.workspace_id = $1 AND c.id = t.id) x
             WHERE r.workspace_id = $1 AND r.customer_id = x.id
               AND r.segment IS NULL AND r.followed_segment IS DISTINCT FROM x.segment', kind)
            USING workspace, customers;
    END LOOP;
    EXECUTE '
        UPDATE payment r SET followed_segment = x.segment, followed_channel = x.channel
          FROM (SELECT t.id, c.segment, c.channel FROM unnest($2) t(id)
                  LEFT JOIN customer c ON c.workspace_id = $1 AND c.id = t.id) x
         WHERE r.workspace_id = $1 AND r.customer_id = x.id
           AND (r.followed_segment, r.followed_channel) IS DISTINCT FROM (x.segment, x.channel)'
        USING workspace, customers;
END $$;

CREATE FUNCTION follow_interactions(workspace integer, interactions text[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    UPDATE survey r
       SET followed_channel = x.channel, followed_topic = x.topic, followed_agent = x.agent
      FROM (SELECT t.id, i.channel, i.topic, i.agent FROM unnest(interactions) t(id)
              LEFT JOIN interaction i ON i.workspace_id = workspace AND i.id = t.id) x
     WHERE r.workspace_id = workspace AND r.interaction_id = x.id
       AND (r.followed_channel, r.followed_topic, r.followed_agent)
           IS DISTINCT FROM (x.channel, x.topic, x.agent);
END $$;

-- Brings comment_language of a workspace's surveys in line with its present language.
CREATE FUNCTION follow_workspace(workspace integer) RETURNS void
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    UPDATE survey r SET comment_language = CASE WHEN r.comment IS NOT NULL THEN w.language END
      FROM workspace w
     WHERE w.id = workspace AND r.workspace_id = workspace
       AND r.comment_language IS DISTINCT FROM CASE WHEN r.comment IS NOT NULL THEN w.language END;
END $$;

-- Brings follow_up_at of these surveys in line with the actions about them. What was found is joined
-- by its place: by key, without statistics, the planner goes through all surveys for each one asked for.
CREATE FUNCTION follow_surveys(workspace integer, surveys text[]) RETURNS void
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    UPDATE survey r SET follow_up_at = x.at
      FROM (SELECT s.place, a.at
              FROM unnest(surveys) t(id)
             CROSS JOIN LATERAL (SELECT s.ctid AS place, s.id, s.score_class, s.answered_at FROM survey s
                                  WHERE s.workspace_id = workspace AND s.id = t.id OFFSET 0) s
             CROSS JOIN LATERAL (SELECT min(a.done_at) AS at
                                   FROM (SELECT * FROM action a
                                          WHERE a.workspace_id = workspace AND a.survey_id = s.id OFFSET 0) a
                                  WHERE s.score_class = -1 AND a.status = 'done'
                                    AND a.done_at >= s.answered_at
                                    AND a.done_at <= s.answered_at + interval '168 hours') a
            OFFSET 0) x
     WHERE r.ctid = x.place AND r.follow_up_at IS DISTINCT FROM x.at;
END $$;

-- TRUNCATE would pass by the deltas.
CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'TRUNCATE of % is refused: its aggregates would not follow', TG_TABLE_NAME
        USING HINT = 'Use DELETE.', ERRCODE = 'feature_not_supported';
END $$;

DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['customer', 'interaction', 'survey', 'cancellation', 'reactivation',
                              'payment', 'cost', 'action'] LOOP
        EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_truncate()', kind);
    END LOOP;
END $$;
