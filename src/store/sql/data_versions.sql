-- Versions of workspaces that are watched.
-- $1 workspaces, integer[]. Rows: workspace, version. Relies on the primary key.
SELECT v.workspace_id, v.version
  FROM unnest($1::integer[]) AS w(id)
 CROSS JOIN LATERAL (SELECT * FROM data_version v WHERE v.workspace_id = w.id OFFSET 0) v
