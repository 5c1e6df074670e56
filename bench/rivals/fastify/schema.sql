-- The rival's own tables: the same columns of a survey, the same cells of totals (cut, day and month,
-- labels; see migrations/0004) with the same measures, without triggers, history or derived rows.
CREATE TABLE survey (
    workspace_id integer NOT NULL,
    id text COLLATE "C" NOT NULL,
    type text NOT NULL,
    score integer,
    scale_min integer,
    scale_max integer,
    direction text,
    aspect text COLLATE "C",
    touchpoint text COLLATE "C",
    solicited boolean NOT NULL,
    comment text,
    channel text COLLATE "C",
    segment text COLLATE "C",
    answered_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, id)
);

CREATE INDEX survey_time ON survey (workspace_id, answered_at DESC, id);

CREATE TABLE survey_totals (
    workspace_id integer NOT NULL,
    grain "char" NOT NULL,
    cut smallint NOT NULL,
    start date NOT NULL,
    label text COLLATE "C" NOT NULL,
    second_label text COLLATE "C" NOT NULL,
    records bigint NOT NULL,
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
    comments_positive bigint NOT NULL,
    comments_neutral bigint NOT NULL,
    comments_negative bigint NOT NULL,
    comments_unscored bigint NOT NULL,
    PRIMARY KEY (workspace_id, grain, cut, start, label, second_label)
);
