-- Takes the locks of the workspaces that a transaction is about to write to, in their order. They are held
-- until the transaction ends.
-- $1 integer[]: workspaces, ascending. One row per workspace: at_once, false where it had to be waited for.
SELECT workspace_lock(w.id) AS at_once FROM unnest($1::integer[]) w(id)
