-- interactions: opened in the period, outbound and bots included; each other count by its own moment.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, CASE WHEN dated THEN opened END, opened, NULL::bigint, NULL::bigint,
       jsonb_build_object('opened', opened, 'responded', responded, 'resolved', resolved,
                          'closed_unresolved', closed_unresolved, 'open_at_end', open_at_end),
       NULL::float8, NULL::float8, CASE WHEN NOT dated THEN 'no_data' END, dated
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE opened_at >= p.a) AS opened,
           count(*) FILTER (WHERE first_response_at >= p.a AND first_response_at < p.b) AS responded,
           count(*) FILTER (WHERE resolved_at >= p.a AND resolved_at < p.b) AS resolved,
           count(*) FILTER (WHERE closed_at >= p.a AND closed_at < p.b) AS closed_unresolved,
           count(*) FILTER (WHERE coalesce(resolved_at, closed_at, 'infinity') >= p.b) AS open_at_end
    FROM contact i
    WHERE i.opened_at < p.b
      AND chosen(f, i.labels)) AS found
CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM contact WHERE opened_at < p.b) AS dated) AS any_record
