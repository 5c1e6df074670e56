-- Ends a target. $1 workspace, $2 kpi. One row (kpi) where there was one. Relies on the primary key.
DELETE FROM target WHERE workspace_id = $1 AND kpi = $2 RETURNING kpi
