-- Takes the locks of the workspaces that a transaction is about to write to, in order.
-- $1 integer[]: workspaces. One row per workspace. They are held until the transaction ends.
SELECT workspace_lock(w.id) FROM (SELECT DISTINCT unnest($1::integer[]) AS id ORDER BY 1) w
