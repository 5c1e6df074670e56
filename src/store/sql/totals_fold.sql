-- Adds a workspace's oldest changes to its totals (migrations/0006). $1 workspace.
-- One row: more, true where some are left. Relies on the changes' indexes.
SELECT totals_fold($1) AS more
