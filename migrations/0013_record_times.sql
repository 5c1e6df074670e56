-- When the first records were, of all kinds and of three, and the last one before `day_ends`; null where there is none.
-- Each is an entry of an index by time, however many records there are. A plan that was made while tables were small,
-- and which lasts until they are analysed again, would rather sort: hence the setting.
CREATE FUNCTION record_times(workspace integer, day_ends timestamptz, OUT first timestamptz, OUT last timestamptz,
                             OUT first_survey timestamptz, OUT first_interaction timestamptz, OUT first_payment timestamptz)
LANGUAGE plpgsql STABLE SET enable_sort = off AS $$
BEGIN
    SELECT least(f.survey, f.interaction, f.payment, f.life, f.cost, f.action),
           greatest(l.survey, l.interaction, l.payment, l.life, l.cost, l.action), f.survey, f.interaction, f.payment
      INTO first, last, first_survey, first_interaction, first_payment
      FROM (SELECT (SELECT coalesce(r.answered_at, r.sent_at) FROM survey r WHERE r.workspace_id = workspace
                     ORDER BY coalesce(r.answered_at, r.sent_at), r.id DESC LIMIT 1) AS survey,
                   (SELECT r.opened_at FROM interaction r WHERE r.workspace_id = workspace
                     ORDER BY r.opened_at, r.id DESC LIMIT 1) AS interaction,
                   (SELECT r.paid_at FROM payment r WHERE r.workspace_id = workspace
                     ORDER BY r.paid_at, r.id DESC LIMIT 1) AS payment,
                   (SELECT r.at FROM life_event r WHERE r.workspace_id = workspace ORDER BY r.at LIMIT 1) AS life,
                   (SELECT r.incurred_at FROM cost r WHERE r.workspace_id = workspace
                     ORDER BY r.incurred_at, r.id DESC LIMIT 1) AS cost,
                   (SELECT r.opened_at FROM action r WHERE r.workspace_id = workspace
                     ORDER BY r.opened_at, r.id DESC LIMIT 1) AS action OFFSET 0) f,
           (SELECT (SELECT coalesce(r.answered_at, r.sent_at) FROM survey r
                     WHERE r.workspace_id = workspace AND coalesce(r.answered_at, r.sent_at) < day_ends
                     ORDER BY coalesce(r.answered_at, r.sent_at) DESC, r.id LIMIT 1) AS survey,
                   (SELECT r.opened_at FROM interaction r WHERE r.workspace_id = workspace AND r.opened_at < day_ends
                     ORDER BY r.opened_at DESC, r.id LIMIT 1) AS interaction,
                   (SELECT r.paid_at FROM payment r WHERE r.workspace_id = workspace AND r.paid_at < day_ends
                     ORDER BY r.paid_at DESC, r.id LIMIT 1) AS payment,
                   (SELECT r.at FROM life_event r WHERE r.workspace_id = workspace AND r.at < day_ends
                     ORDER BY r.at DESC LIMIT 1) AS life,
                   (SELECT r.incurred_at FROM cost r WHERE r.workspace_id = workspace AND r.incurred_at < day_ends
                     ORDER BY r.incurred_at DESC, r.id LIMIT 1) AS cost,
                   (SELECT r.opened_at FROM action r WHERE r.workspace_id = workspace AND r.opened_at < day_ends
                     ORDER BY r.opened_at DESC, r.id LIMIT 1) AS action) l;
END $$;
