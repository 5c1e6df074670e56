-- Stores a workspace's row; its triggers (migrations/0007) do what follows from the change.
-- $1 workspace, $2 timezone, $3 currency, $4 language, then the settings in the order of
-- enum workspace_setting. One row: updated_at.
UPDATE workspace SET timezone = $2, currency = $3, language = $4, response_window_days = $5
 WHERE id = $1 RETURNING updated_at
