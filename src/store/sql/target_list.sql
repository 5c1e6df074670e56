-- A workspace's targets. $1 workspace. Columns: kpi, healthy, warning, updated_at. Relies on the
-- primary key.
SELECT kpi, healthy, warning, updated_at FROM target WHERE workspace_id = $1
