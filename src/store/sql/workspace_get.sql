-- A workspace's own row. $1 workspace. Columns: name, timezone, currency, language, created_at,
-- updated_at, then the settings in the order of enum workspace_setting. Relies on the primary key.
SELECT name, timezone, currency, language, created_at, updated_at, response_window_days
  FROM workspace WHERE id = $1
