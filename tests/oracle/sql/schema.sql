-- The oracle's own schema: the raw records as they were sent, the questions asked of them (periods, filters)
-- and small arithmetic. Nothing here is shared with the service.
CREATE SCHEMA oracle;
SET search_path = oracle;

CREATE TABLE customer (
    id text COLLATE "C" PRIMARY KEY, started_at timestamptz NOT NULL, segment text, channel text);

CREATE TABLE survey (
    id text COLLATE "C" PRIMARY KEY, customer_id text, interaction_id text, type text NOT NULL, score int,
    scale_min int, scale_max int, direction text, aspect text, solicited boolean NOT NULL, comment text,
    channel text, segment text, sent_at timestamptz, answered_at timestamptz);

CREATE TABLE interaction (
    id text COLLATE "C" PRIMARY KEY, customer_id text, channel text, segment text, direction text,
    bot boolean NOT NULL, opened_at timestamptz NOT NULL, first_response_at timestamptz,
    resolved_at timestamptz, resolved_on_first_contact boolean, closed_at timestamptz);

CREATE TABLE cancellation (
    id text COLLATE "C" PRIMARY KEY, customer_id text NOT NULL, cancelled_at timestamptz NOT NULL,
    reason text, voluntary boolean);

CREATE TABLE reactivation (
    id text COLLATE "C" PRIMARY KEY, customer_id text NOT NULL, reactivated_at timestamptz NOT NULL);

-- The questions: [a, b) of each period; months is the length that annualising uses; a filter's null means any.
CREATE TABLE period (no int PRIMARY KEY, a timestamptz NOT NULL, b timestamptz NOT NULL, months float8 NOT NULL);
CREATE TABLE filter (no int PRIMARY KEY, segment text, channel text);

-- r of the order-statistics interval of a median of n values (none below 6).
CREATE TABLE order_rank (n int PRIMARY KEY, r int NOT NULL);

-- Wilson's score interval of k out of n, in percent; sign −1 is the lower end, +1 the upper.
CREATE FUNCTION wilson(k bigint, n bigint, sign int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN n > 0 THEN
        100 * (k + z * z / 2 + sign * z * sqrt(k * (n - k) / n::float8 + z * z / 4)) / (n + z * z) END
    FROM (SELECT 1.959963984540054::float8 AS z) AS constants
$$;

-- The state of life events and labels of the records, filled by derive.sql.
CREATE TABLE answer (
    id text PRIMARY KEY, segment text, channel text, type text, sent_at timestamptz, answered_at timestamptz,
    moment timestamptz, comment text, headline boolean, turned int, scale_min int, scale_max int, class text);
CREATE INDEX ON answer (answered_at);
CREATE INDEX ON answer (sent_at);

CREATE TABLE contact (
    id text PRIMARY KEY, segment text, channel text, timed boolean, opened_at timestamptz,
    first_response_at timestamptz, resolved_at timestamptz, closed_at timestamptz,
    resolved_on_first_contact boolean);
CREATE INDEX ON contact (opened_at);
CREATE INDEX ON contact (first_response_at);
CREATE INDEX ON contact (resolved_at);
CREATE INDEX ON contact (closed_at);

CREATE TABLE life (
    customer_id text COLLATE "C", moment timestamptz, rank int, id text COLLATE "C", active boolean,
    effective boolean, voluntary boolean, PRIMARY KEY (customer_id, moment, rank, id));
CREATE INDEX ON life (moment);

CREATE TABLE standing (
    t timestamptz, customer_id text, active boolean, gap_voluntary boolean, PRIMARY KEY (t, customer_id));
