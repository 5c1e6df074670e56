-- Days of a time zone as instants. A day begins at its first existing instant, and lasts until the
-- next day's: where clocks jump over midnight (São Paulo, 2017-10-15) it begins at the jump; where
-- midnight comes twice (Havana, in November) the first one counts, which plain
-- `date AT TIME ZONE` does not give; a skipped day (Apia, 2011-12-30) is empty.

CREATE FUNCTION day_start(day date, zone text) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
DECLARE
    wall constant timestamp := day;
    utc constant timestamptz := wall AT TIME ZONE 'UTC';
    -- Offsets lie within -12…+14 h (and local mean times within ±16 h), so these two moments
    -- surround every moment at which the wall clock could read midnight.
    early constant timestamptz := utc - interval '17 hours';
    late constant timestamptz := utc + interval '17 hours';
    before constant interval := (early AT TIME ZONE zone) - (early AT TIME ZONE 'UTC');
    after constant interval := (late AT TIME ZONE zone) - (late AT TIME ZONE 'UTC');
    low timestamptz := utc - greatest(before, after);
    high timestamptz := utc - least(before, after);
BEGIN
    IF low AT TIME ZONE zone = wall THEN
        RETURN low;
    ELSIF high AT TIME ZONE zone = wall THEN
        RETURN high;
    END IF;
    -- The clock jumps over midnight somewhere in (low, high]: find that second.
    WHILE high - low > interval '1 second' LOOP
        DECLARE
            middle constant timestamptz :=
                low + date_trunc('second', (high - low) / 2 + interval '0.5 second');
        BEGIN
            IF middle AT TIME ZONE zone >= wall THEN
                high := middle;
            ELSE
                low := middle;
            END IF;
        END;
    END LOOP;
    RETURN high;
END $$;

COMMENT ON FUNCTION day_start IS 'First instant of a civil day in an IANA zone';

-- The day that an instant belongs to. Only in the last hours of a day can the wall clock have been
-- set back over a midnight that had already begun the next day.
CREATE FUNCTION local_day_late(moment timestamptz, zone text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (moment AT TIME ZONE zone)::date
           + (day_start((moment AT TIME ZONE zone)::date + 1, zone) <= moment)::integer
$$;

CREATE FUNCTION local_day(moment timestamptz, zone text) RETURNS date
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN (moment AT TIME ZONE zone)::time < time '21:00'
                THEN (moment AT TIME ZONE zone)::date
                ELSE local_day_late(moment, zone) END
$$;

COMMENT ON FUNCTION local_day IS 'Civil day of an instant: the last whose day_start is not after it';
