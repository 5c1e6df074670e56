-- response_rate: of the surveys of every sort sent in the period, those answered within the response window (30 × 24 h); late ones
-- were answered after that.
-- Parameter: response_window_days.
-- Result: period, filter, value, n, numerator, denominator, parts, low, high, null_reason, dated
-- (dated: the workspace has a record of the kind dated before the end of the period).
SELECT p.no, f.no, 100.0 * answered / nullif(sent, 0), sent, answered, sent,
       jsonb_build_object('sent', sent, 'answered', answered, 'late', late),
       wilson(answered, sent, -1), wilson(answered, sent, 1),
       CASE WHEN sent = 0 THEN 'no_data' END,
       EXISTS (SELECT FROM answer WHERE moment < p.b)
FROM period p CROSS JOIN filter f CROSS JOIN LATERAL (
    SELECT count(*) AS sent,
           count(*) FILTER (WHERE answered_at <= sent_at + %(response_window_days)s * interval '24 hours') AS answered,
           count(*) FILTER (WHERE answered_at > sent_at + %(response_window_days)s * interval '24 hours') AS late
    FROM answer s
    WHERE s.sent_at >= p.a AND s.sent_at < p.b
      AND chosen(f, s.labels)) AS found
