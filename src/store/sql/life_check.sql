-- Which life events may not be stored, because their customer is unknown or had not started yet.
-- $1 json: [{ord, workspace_id, customer_id, at}]. Rows for the faulty ones only: ord,
-- unknown (boolean), started_at. Exact under the workspace's lock. Relies on customer's key.
SELECT x.ord, c.id IS NULL AS unknown, c.started_at
  FROM json_to_recordset($1::json)
       AS x(ord integer, workspace_id integer, customer_id text COLLATE "C", at timestamptz)
  LEFT JOIN LATERAL (SELECT c.id, c.started_at FROM customer c
                      WHERE c.workspace_id = x.workspace_id AND c.id = x.customer_id OFFSET 0) c ON true
 WHERE c.id IS NULL OR x.at < c.started_at
