-- Workspaces that may have changes which are not in the totals yet. No parameters.
-- Rows: workspace. Reads all workspaces' versions.
SELECT v.workspace_id
  FROM data_version v
  LEFT JOIN totals_folded f ON f.workspace_id = v.workspace_id
 WHERE v.version > coalesce(f.through, 0)
