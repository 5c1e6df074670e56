-- How a search of comments is carried out.
-- $1 workspace, $2 what was typed. One row: language (the workspace's), query (the search as text of
-- a tsquery; null: stop words alone), common (is it better to look through the newest comments than
-- to fetch all that have the words: more than 2,000 have them, or, phrases being checked one by one,
-- what is excluded is a phrase). Relies on survey_words_<language>; reads 2,001 comments at most.
SELECT a.language, a.query,
       a.excludes_phrase OR 2000 < CASE a.language
           WHEN 'pt' THEN (SELECT count(*) FROM (
               SELECT FROM survey s WHERE s.comment_language = 'pt'
                  AND comment_vector('pt', s.workspace_id, s.comment) @@ (comment_scope($1) && a.words)
                LIMIT 2001) s)
           ELSE (SELECT count(*) FROM (
               SELECT FROM survey s WHERE s.comment_language = 'en'
                  AND comment_vector('en', s.workspace_id, s.comment) @@ (comment_scope($1) && a.words)
                LIMIT 2001) s)
           END AS common
  FROM (SELECT q.language, q.query, q.query::text ~ '!' AND q.query::text ~ '<(-|\d+)>' AS excludes_phrase,
               -- A phrase's words in whatever order, which the index alone can answer.
               regexp_replace(q.query::text, '<(-|\d+)>', '&', 'g')::tsquery AS words
          FROM (SELECT w.language, comment_query(w.language, $2) AS query
                  FROM workspace w WHERE w.id = $1) q) a
