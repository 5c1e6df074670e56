-- One customer's records, newest first, without sorting all of them; and those of a stretch of time.
-- The indexes replace the ones by customer alone, which they serve as well. (Payments have theirs.)

DROP INDEX interaction_customer;
DROP INDEX survey_customer;
DROP INDEX action_customer;

CREATE INDEX interaction_customer ON interaction (workspace_id, customer_id, opened_at DESC, id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX survey_customer
    ON survey (workspace_id, customer_id, (coalesce(answered_at, sent_at)) DESC, id)
    WHERE customer_id IS NOT NULL;
CREATE INDEX action_customer ON action (workspace_id, customer_id, opened_at DESC, id)
    WHERE customer_id IS NOT NULL;

-- An instant as the service writes it: UTC, at most 6 decimals, no trailing zeros. The session's time
-- zone is UTC.
CREATE FUNCTION instant_text(moment timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT rtrim(rtrim(to_char(moment, 'YYYY-MM-DD"T"HH24:MI:SS.US'), '0'), '.') || 'Z'
$$;

-- Whole days of 24 hours from one moment to another, rounded down.
CREATE FUNCTION whole_days(earlier timestamptz, later timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT floor(extract(epoch FROM later - earlier) / 86400)::bigint
$$;
