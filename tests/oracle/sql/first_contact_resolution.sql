-- first_contact_resolution: of the interactions (not outbound, not a bot's) resolved in the period and known
-- to have taken one contact or more, those that took one.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, 100.0 * first_contact / nullif(known, 0), known, first_contact, known,
       jsonb_build_object('first_contact', first_contact, 'known', known, 'resolved', resolved),
       wilson(first_contact, known, -1), wilson(first_contact, known, 1),
       CASE WHEN resolved = 0 THEN 'no_data' WHEN known = 0 THEN 'zero_denominator' END,
       EXISTS (SELECT FROM contact WHERE opened_at < p.b)
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS resolved, count(resolved_on_first_contact) AS known,
           count(*) FILTER (WHERE resolved_on_first_contact) AS first_contact
    FROM contact i
    WHERE i.timed AND i.resolved_at >= p.a AND i.resolved_at < p.b
      AND chosen(f, i.labels)) AS found
