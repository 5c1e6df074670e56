-- A workspace's settings may change while records come in, whichever program changes them: the
-- figures follow in the same transaction, and what is already stored stays valid.

ALTER TABLE workspace ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
UPDATE workspace SET updated_at = created_at;
ALTER TABLE workspace ADD CHECK (language IN ('pt', 'en'));

-- A zone that PostgreSQL does not know would fail every later record: refuse it here.
CREATE FUNCTION workspace_zone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM now() AT TIME ZONE NEW.timezone;
    RETURN NEW;
END $$;

CREATE TRIGGER zone BEFORE INSERT OR UPDATE OF timezone ON workspace
    FOR EACH ROW EXECUTE FUNCTION workspace_zone();

CREATE FUNCTION workspace_touched() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END $$;

CREATE TRIGGER touched BEFORE UPDATE ON workspace
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION workspace_touched();

-- Days and months, and which answers came in time, depend on these: every total is counted again
-- before the change can be seen. Under READ COMMITTED the rebuild reads what the last writer before
-- it has committed, and the next writer reads the new zone.
CREATE FUNCTION workspace_recounted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM workspace_rebuild(NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER recounted AFTER UPDATE ON workspace FOR EACH ROW
    WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone
          OR OLD.response_window_days IS DISTINCT FROM NEW.response_window_days)
    EXECUTE FUNCTION workspace_recounted();

-- Comments are searched in the workspace's language. This finds those that the last writer before it
-- has committed; the next one, who has the lock only after the commit, reads the new language.
CREATE FUNCTION workspace_language() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM workspace_lock(NEW.id);
    PERFORM follow_workspace(NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER language AFTER UPDATE ON workspace FOR EACH ROW
    WHEN (OLD.language IS DISTINCT FROM NEW.language) EXECUTE FUNCTION workspace_language();

-- Amounts have one currency: it may change while there are none, and no other comes in.
CREATE FUNCTION workspace_currency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM workspace_lock(NEW.id);
    IF EXISTS (SELECT FROM payment WHERE workspace_id = NEW.id)
       OR EXISTS (SELECT FROM cost WHERE workspace_id = NEW.id) THEN
        RAISE EXCEPTION 'the currency of a workspace with payments or costs cannot change'
            USING ERRCODE = 'VC002';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER currency AFTER UPDATE ON workspace FOR EACH ROW
    WHEN (OLD.currency IS DISTINCT FROM NEW.currency) EXECUTE FUNCTION workspace_currency();

-- The service checks a record against the currency that it knows when the record comes in; a change
-- in between is found here.
CREATE FUNCTION amount_currency() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM workspace_lock(n.workspace_id)
       FROM (SELECT DISTINCT workspace_id FROM new_rows ORDER BY 1) n;
    IF EXISTS (SELECT FROM new_rows n JOIN workspace w ON w.id = n.workspace_id
                WHERE n.currency <> w.currency) THEN
        RAISE EXCEPTION 'an amount is not in its workspace''s currency' USING ERRCODE = 'VC003';
    END IF;
    RETURN NULL;
END $$;

DO $$
DECLARE
    kind text;
    operation text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['payment', 'cost'] LOOP
        FOREACH operation IN ARRAY ARRAY['insert', 'update'] LOOP
            EXECUTE format('CREATE TRIGGER %I AFTER %s ON %I REFERENCING NEW TABLE AS new_rows
                FOR EACH STATEMENT EXECUTE FUNCTION amount_currency()',
                'currency_' || operation, operation, kind);
        END LOOP;
    END LOOP;
END $$;
