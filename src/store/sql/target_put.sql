-- Sets a target. $1 workspace, $2 kpi, $3 healthy, $4 warning. One row: updated_at, created (boolean:
-- a row that was there has the xmax of this statement's lock). Relies on the primary key.
INSERT INTO target AS t (workspace_id, kpi, healthy, warning) VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace_id, kpi) DO UPDATE
   SET healthy = excluded.healthy, warning = excluded.warning,
       updated_at = CASE WHEN (t.healthy, t.warning) = (excluded.healthy, excluded.warning)
                         THEN t.updated_at ELSE excluded.updated_at END
RETURNING updated_at, xmax = 0 AS created
