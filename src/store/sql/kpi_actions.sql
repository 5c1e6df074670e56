-- Actions of a workspace: open ones, those of them that were due before today, and those done in a
-- period.
-- $1 workspace; $2, $3 first day and end (exclusive) of the period. One row: open, overdue, done.
-- Relies on action_due and action_done.
SELECT (SELECT count(*) FROM action a WHERE a.workspace_id = $1 AND a.status = 'open') AS open,
       (SELECT count(*) FROM action a WHERE a.workspace_id = $1 AND a.status = 'open'
           AND a.due_at < day_start(local_day(now(), w.timezone), w.timezone)) AS overdue,
       (SELECT count(*) FROM action a WHERE a.workspace_id = $1 AND a.status = 'done'
           AND a.done_at >= day_start($2::date, w.timezone)
           AND a.done_at < day_start($3::date, w.timezone)) AS done
  FROM workspace w WHERE w.id = $1
