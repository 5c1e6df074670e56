-- The oracle's own schema: the raw records as they were sent, the questions asked of them (periods, filters)
-- and small arithmetic. Nothing here is shared with the service; unlogged, since every run makes it anew.
CREATE SCHEMA oracle;
SET search_path = oracle;

CREATE UNLOGGED TABLE customer (
    id text COLLATE "C" PRIMARY KEY, started_at timestamptz NOT NULL, segment text, channel text);

CREATE UNLOGGED TABLE survey (
    id text COLLATE "C" PRIMARY KEY, customer_id text, interaction_id text, type text NOT NULL, score int,
    scale_min int, scale_max int, direction text, aspect text, touchpoint text, solicited boolean NOT NULL,
    comment text, channel text, segment text, sent_at timestamptz, answered_at timestamptz);

CREATE UNLOGGED TABLE interaction (
    id text COLLATE "C" PRIMARY KEY, customer_id text, channel text, segment text, topic text, agent text,
    direction text, bot boolean NOT NULL, opened_at timestamptz NOT NULL, first_response_at timestamptz,
    resolved_at timestamptz, resolved_on_first_contact boolean, closed_at timestamptz);

CREATE UNLOGGED TABLE cancellation (
    id text COLLATE "C" PRIMARY KEY, customer_id text NOT NULL, cancelled_at timestamptz NOT NULL,
    reason text, voluntary boolean);

CREATE UNLOGGED TABLE reactivation (
    id text COLLATE "C" PRIMARY KEY, customer_id text NOT NULL, reactivated_at timestamptz NOT NULL);

CREATE UNLOGGED TABLE payment (
    id text COLLATE "C" PRIMARY KEY, customer_id text, amount bigint NOT NULL, paid_at timestamptz NOT NULL,
    segment text);
CREATE INDEX ON payment (paid_at);

CREATE UNLOGGED TABLE cost (
    id text COLLATE "C" PRIMARY KEY, amount bigint NOT NULL, incurred_at timestamptz NOT NULL, category text,
    channel text, segment text);

CREATE UNLOGGED TABLE action (
    id text COLLATE "C" PRIMARY KEY, survey_id text, status text NOT NULL, opened_at timestamptz NOT NULL,
    due_at timestamptz, done_at timestamptz);
CREATE INDEX ON action (survey_id);

-- First instants of the days on which something was paid, and of the days after them.
CREATE UNLOGGED TABLE day (day date PRIMARY KEY, starts timestamptz NOT NULL);

-- The questions: [a, b) of each period, which follows [previous_a, a); months is the length that annualising uses.
CREATE UNLOGGED TABLE period (
    no int PRIMARY KEY, previous_a timestamptz NOT NULL, a timestamptz NOT NULL, b timestamptz NOT NULL,
    months float8 NOT NULL);

-- A null segment or channel means any. label names what is grouped by: then a record belongs where its label is
-- one of names, or unset where names is null.
CREATE UNLOGGED TABLE filter (no int PRIMARY KEY, segment text, channel text, label text, names text[]);

-- Whether a record with these labels belongs to a filter. A label that the kind of record does not have (no such
-- key) does not select among its records: all customers are acquired for every category of cost.
CREATE FUNCTION chosen(f filter, labels jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT (f.segment IS NULL OR labels ->> 'segment' = f.segment)
       AND (f.channel IS NULL OR labels ->> 'channel' = f.channel)
       AND (f.label IS NULL OR NOT labels ? f.label
            OR CASE WHEN f.names IS NULL THEN labels ->> f.label IS NULL ELSE labels ->> f.label = ANY (f.names) END)
$$;

-- r of the order-statistics interval of a median of n values (none below 6).
CREATE UNLOGGED TABLE order_rank (n int PRIMARY KEY, r int NOT NULL);

-- Wilson's score interval of k out of n, in percent; sign −1 is the lower end, +1 the upper.
CREATE FUNCTION wilson(k bigint, n bigint, sign int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN n > 0 THEN
        100 * (k + z * z / 2 + sign * z * sqrt(k * (n - k) / n::float8 + z * z / 4)) / (n + z * z) END
    FROM (SELECT 1.959963984540054::float8 AS z) AS constants
$$;

-- Score interval of a Poisson count: the roots of (count − λ)² = z²λ.
CREATE FUNCTION poisson_score(count bigint, sign int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT count + z * z / 2 + sign * z * sqrt(count + z * z / 4)
    FROM (SELECT 1.959963984540054::float8 AS z) AS constants
$$;

-- Filled by derive.sql: the records with the labels that they have now, and what follows from several of them.
CREATE UNLOGGED TABLE answer (
    id text PRIMARY KEY, labels jsonb, type text, sent_at timestamptz, answered_at timestamptz,
    moment timestamptz, comment text, rated boolean, aspect text, turned int, scale_min int, scale_max int, class text,
    followed_up_at timestamptz);
CREATE INDEX ON answer (answered_at);
CREATE INDEX ON answer (sent_at);

-- Whether an answer is one of the headline; grouped by aspect, whether it would be but for its aspect.
CREATE FUNCTION headline(f filter, s answer) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT s.rated AND (s.aspect IS NULL OR f.label = 'aspect')
$$;

CREATE UNLOGGED TABLE contact (
    id text PRIMARY KEY, labels jsonb, timed boolean, opened_at timestamptz,
    first_response_at timestamptz, resolved_at timestamptz, closed_at timestamptz,
    resolved_on_first_contact boolean);
CREATE INDEX ON contact (opened_at);
CREATE INDEX ON contact (first_response_at);
CREATE INDEX ON contact (resolved_at);
CREATE INDEX ON contact (closed_at);

CREATE UNLOGGED TABLE person (id text COLLATE "C" PRIMARY KEY, started_at timestamptz, labels jsonb);
CREATE INDEX ON person (started_at);

-- labels are the payment's, buyer the labels of whoever paid; bought: a customer gave money.
CREATE UNLOGGED TABLE sale (
    id text PRIMARY KEY, customer_id text, amount bigint, paid_at timestamptz, day date, bought boolean,
    labels jsonb, buyer jsonb);
CREATE INDEX ON sale (paid_at);
CREATE INDEX ON sale (customer_id, paid_at);

CREATE UNLOGGED TABLE expense (id text PRIMARY KEY, amount bigint, incurred_at timestamptz, labels jsonb);
CREATE INDEX ON expense (incurred_at);

-- Each life event holds from just after its moment until the next one's; gap_* are those of the last effective
-- event, which of a customer who is not active is the cancellation that began the gap.
CREATE UNLOGGED TABLE life (
    customer_id text COLLATE "C", moment timestamptz, rank int, id text COLLATE "C", active boolean,
    effective boolean, until timestamptz, gap_voluntary boolean, gap_reason text,
    PRIMARY KEY (customer_id, moment, rank, id));
CREATE INDEX ON life (moment);

-- Filled by stand.sql: who is active just before each boundary, and what became of whom in each period and filter.
CREATE UNLOGGED TABLE standing (
    t timestamptz, customer_id text COLLATE "C", active boolean, gap_voluntary boolean, gap_reason text,
    PRIMARY KEY (t, customer_id));

CREATE UNLOGGED TABLE cohort (
    period int, filter int, at_start bigint, at_end bigint, lost bigint, voluntary bigint, involuntary bigint,
    acquired bigint, lost_new bigint, known bigint, cancelled bigint, reactivated bigint, redundant bigint,
    reason text, PRIMARY KEY (period, filter));
