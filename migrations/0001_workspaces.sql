-- Tenants and their keys.

CREATE TABLE workspace (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (char_length(name) BETWEEN 1 AND 64),
    timezone text NOT NULL DEFAULT 'UTC',
    currency text NOT NULL DEFAULT 'BRL' CHECK (currency ~ '^[A-Z]{3}$'),
    language text NOT NULL DEFAULT 'pt',
    -- An answer within so many days (of 24 h) of the invitation counts as a response.
    response_window_days integer NOT NULL DEFAULT 30 CHECK (response_window_days BETWEEN 1 AND 365),
    -- The share of revenue that is margin, for the lifetime value.
    gross_margin numeric NOT NULL DEFAULT 1 CHECK (gross_margin > 0 AND gross_margin <= 1),
    -- The categories of cost that win customers; null: all.
    cac_categories text[] COLLATE "C",
    -- A median first response within so many seconds has full marks in the relationship's quality.
    response_target_seconds integer NOT NULL DEFAULT 14400
        CHECK (response_target_seconds BETWEEN 1 AND 31536000),
    -- Of csat, nps, first_contact_resolution, annualised_retention, ces, speed.
    relationship_weights double precision[] NOT NULL DEFAULT '{0.25,0.25,0.15,0.15,0.1,0.1}'
        CHECK (cardinality(relationship_weights) = 6),
    created_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE workspace IS 'A tenant: owns records, keys, time zone (IANA), currency (ISO 4217)';

-- Only a hash of the key is kept (BLAKE2b, 32 bytes, of the whole text vk_…).
CREATE TABLE api_key (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    workspace_id integer NOT NULL REFERENCES workspace,
    hash bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),
    scope text NOT NULL CHECK (scope IN ('read', 'write', 'admin', 'figures', 'publishable')),
    name text,
    -- Empty: from anywhere. Else exact origins or https://*.example.com.
    origins text[] NOT NULL DEFAULT '{}',
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX api_key_workspace ON api_key (workspace_id);

-- Writers of one workspace take turns. Whoever writes records takes this lock before (the service)
-- or while (triggers) doing so; it ends with the transaction. Hence derived rows and aggregates
-- need no locks of their own, and instances of the service cannot deadlock. (A program that writes
-- by SQL without taking it first can: its rows are locked before the triggers ask for the lock.)
-- What is read under the lock must include what its last holder committed, which the snapshot of a
-- stricter isolation level would not. 22102 is only a class of our own. True where it was free at once.
CREATE FUNCTION workspace_lock(workspace integer) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'records must be written at isolation level READ COMMITTED'
            USING HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED', ERRCODE = 'VC004';
    END IF;
    IF pg_try_advisory_xact_lock(22102, workspace) THEN
        RETURN true;
    END IF;
    PERFORM pg_advisory_xact_lock(22102, workspace);
    RETURN false;
END $$;

-- A number per workspace that every change of what figures depend on raises, in the change's own
-- transaction: its records, settings and targets. Answers carry it in their ETag.
CREATE TABLE data_version (
    workspace_id integer PRIMARY KEY REFERENCES workspace ON DELETE CASCADE,
    version bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 10); -- one row, rewritten all the time, stays on its page

CREATE FUNCTION workspace_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO data_version AS v (workspace_id) VALUES (NEW.id)
    ON CONFLICT (workspace_id) DO UPDATE SET version = v.version + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER version AFTER INSERT OR UPDATE ON workspace FOR EACH ROW
    EXECUTE FUNCTION workspace_changed();

-- Tells every instance that workspaces or keys changed, so that it reads them again.
CREATE FUNCTION keys_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('vinculo_keys', '');
    RETURN NULL;
END $$;

CREATE TRIGGER keys_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON api_key
    FOR EACH STATEMENT EXECUTE FUNCTION keys_changed();
CREATE TRIGGER keys_changed AFTER INSERT OR UPDATE OR DELETE ON workspace
    FOR EACH STATEMENT EXECUTE FUNCTION keys_changed();
