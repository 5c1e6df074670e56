-- The words of a period's newest comments, and how many of the period before had them.
-- $1 workspace, $2 integer[]: first days of the period and of the one before, $3 their ends
-- (exclusive), as days since 1970-01-01; $4 segment, $5 channel, or null; $6 comments read at most of
-- each period, of each comment its first 1,000 characters; $7 terms at most.
-- A row per term, most frequent first, then by lexeme: lexeme; term, its most frequent word as it
-- was written, in lower case; in how many comments it is: n, of these positive, neutral, negative,
-- unscored; and before, of the period before. Words of one lexeme are one term; stop words have none.
-- Relies on survey_comment. There is no join of long intermediate results for a generic plan to get
-- wrong: `code` carries a comment's class in its last two bits, and in the third the period before.
WITH asked AS MATERIALIZED (
    SELECT x.ord, day_start(date '1970-01-01' + x.a, w.timezone) AS starts_at,
           day_start(date '1970-01-01' + x.b, w.timezone) AS ends_at, w.language
      FROM workspace w
     CROSS JOIN unnest($2::integer[], $3::integer[]) WITH ORDINALITY AS x(a, b, ord)
     WHERE w.id = $1),
picked AS MATERIALIZED (
    SELECT row_number() OVER () * 8 + (a.ord - 1) * 4 + coalesce(s.score_class + 1, 3) AS code,
           a.language, normalize(left(s.comment, 1000), NFC) AS comment
      FROM asked a
     CROSS JOIN LATERAL (
           SELECT s.score_class, s.comment FROM survey s
            WHERE s.workspace_id = $1 AND s.comment IS NOT NULL
              AND coalesce(s.answered_at, s.sent_at) >= a.starts_at
              AND coalesce(s.answered_at, s.sent_at) < a.ends_at
              AND ($4::text IS NULL OR coalesce(s.segment, s.followed_segment) = $4)
              AND ($5::text IS NULL OR coalesce(s.channel, s.followed_channel) = $5)
            ORDER BY coalesce(s.answered_at, s.sent_at) DESC, s.id LIMIT $6::integer) s),
word AS MATERIALIZED (
    SELECT p.language, lower(t.token) COLLATE "C" AS word, array_agg(DISTINCT p.code) AS codes,
           count(DISTINCT p.code) FILTER (WHERE p.code & 4 = 0) AS n
      FROM picked p
     -- Words with and without accents, and compounds as a whole: not their parts, numbers,
     -- addresses, tags.
     CROSS JOIN LATERAL (SELECT * FROM ts_parse('default', p.comment) t
                          WHERE t.tokid IN (1, 2, 16, 17)) t
     GROUP BY 1, 2),
known AS MATERIALIZED (
    SELECT w.*, (ts_lexize(CASE w.language WHEN 'pt' THEN 'pg_catalog.portuguese_stem'::regdictionary
                                           ELSE 'pg_catalog.english_stem' END,
                           comment_text(w.language, w.word)))[1] AS lexeme
      FROM word w),
named AS (
    SELECT k.lexeme, k.codes,
           first_value(k.word) OVER (PARTITION BY k.lexeme ORDER BY k.n DESC, k.word) AS term
      FROM known k WHERE k.lexeme IS NOT NULL),
used AS (
    SELECT DISTINCT n.lexeme, n.term, c.code & 7 AS class, c.code
      FROM named n CROSS JOIN LATERAL unnest(n.codes) c(code))
SELECT u.lexeme, u.term, count(*) FILTER (WHERE u.class < 4) AS n,
       count(*) FILTER (WHERE u.class = 2) AS positive,
       count(*) FILTER (WHERE u.class = 1) AS neutral,
       count(*) FILTER (WHERE u.class = 0) AS negative,
       count(*) FILTER (WHERE u.class = 3) AS unscored,
       count(*) FILTER (WHERE u.class >= 4) AS before
  FROM used u
 GROUP BY u.lexeme, u.term
HAVING count(*) FILTER (WHERE u.class < 4) > 0
 ORDER BY n DESC, u.lexeme COLLATE "C" LIMIT $7::integer
