-- A number per workspace that every change of what figures depend on raises, in the change's own
-- transaction: its records, settings and targets. Answers carry it in their ETag.

CREATE TABLE data_version (
    workspace_id integer PRIMARY KEY REFERENCES workspace ON DELETE CASCADE,
    version bigint NOT NULL DEFAULT 1
) WITH (fillfactor = 10); -- one row, rewritten all the time, stays on its page

INSERT INTO data_version (workspace_id) SELECT id FROM workspace;

-- Every record's workspace has a version, so this is also where an unknown workspace shows.
CREATE FUNCTION data_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    raised bigint;
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE data_version v SET version = v.version + 1
         WHERE v.workspace_id IN (SELECT o.workspace_id FROM old_rows o);
    ELSE
        IF TG_OP = 'UPDATE' THEN -- what left a workspace
            UPDATE data_version v SET version = v.version + 1
             WHERE v.workspace_id IN (SELECT o.workspace_id FROM old_rows o
                                       EXCEPT SELECT n.workspace_id FROM new_rows n);
        END IF;
        UPDATE data_version v SET version = v.version + 1
         WHERE v.workspace_id IN (SELECT n.workspace_id FROM new_rows n);
        GET DIAGNOSTICS raised = ROW_COUNT;
        IF raised <> (SELECT count(DISTINCT n.workspace_id) FROM new_rows n) THEN
            RAISE EXCEPTION 'a record''s workspace does not exist' USING ERRCODE = 'foreign_key_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- Triggers run in the order of their names: these come last, so that the row, which is locked until
-- the transaction ends, is not held while others are waited for.
DO $$
DECLARE
    source text;
BEGIN
    FOREACH source IN ARRAY ARRAY['customer', 'interaction', 'survey', 'cancellation', 'reactivation',
                                  'payment', 'cost', 'action', 'target'] LOOP
        EXECUTE format('CREATE TRIGGER version_insert AFTER INSERT ON %I
            REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION data_changed()', source);
        EXECUTE format('CREATE TRIGGER version_update AFTER UPDATE ON %I
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION data_changed()', source);
        EXECUTE format('CREATE TRIGGER version_delete AFTER DELETE ON %I
            REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION data_changed()', source);
    END LOOP;
END $$;

CREATE FUNCTION workspace_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO data_version AS v (workspace_id) VALUES (NEW.id)
    ON CONFLICT (workspace_id) DO UPDATE SET version = v.version + 1;
    RETURN NULL;
END $$;

CREATE TRIGGER version AFTER INSERT OR UPDATE ON workspace FOR EACH ROW
    EXECUTE FUNCTION workspace_changed();
