-- The version of a workspace (data_version) rises with its changes: of what totals are kept of by
-- changes_begin, of its settings by workspace_changed, of all else here.

-- Every workspace has a version, so this is also where an unknown one shows.
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
-- the transaction ends, is not held while others are waited for. (A statement that changes life events of
-- several workspaces does hold it: life_event has changes of its own.)
DO $$
DECLARE
    source text;
BEGIN
    FOREACH source IN ARRAY ARRAY['customer', 'cancellation', 'reactivation', 'action', 'target'] LOOP
        EXECUTE format('CREATE TRIGGER version_insert AFTER INSERT ON %I
            REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION data_changed()', source);
        EXECUTE format('CREATE TRIGGER version_update AFTER UPDATE ON %I
            REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION data_changed()', source);
        EXECUTE format('CREATE TRIGGER version_delete AFTER DELETE ON %I
            REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION data_changed()', source);
    END LOOP;
END $$;
