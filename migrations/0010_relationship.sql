-- What the statements about one customer's relationship share.

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
