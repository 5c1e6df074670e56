-- Searching comments, and answers that belong together.
--
-- Comments are searched by PostgreSQL's own dictionaries of the workspace's language, which each one
-- has as comment_language: each language has an index of its comments, so that none is analysed in
-- another. A change of a workspace's language moves its comments (migrations/0007).

-- A text as it is searched: lower case, without accents, so that "reclamação" and "reclamacao" are
-- one word. Portuguese stems and stop words depend on accents, so the endings and stop words that do
-- are brought into one form, with their accents, whether or not they were typed: "reclamações",
-- "reclamacao" → "reclamação", stem "reclam". What stands for a stop word is "de", which is one.
-- plpgsql: unlike an SQL function that cannot be inlined it is quick to call, as often as there are comments. By
-- its cost the planner goes by the indexes, not by looking through comments.
CREATE FUNCTION comment_text(language text, comment text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 10000 AS $$
DECLARE
    plain text := lower(comment);
BEGIN
    IF octet_length(plain) <> char_length(plain) THEN
        plain := regexp_replace(normalize(plain, NFD), '[\u0300-\u036f]', '', 'g');
    END IF;
    -- Most short comments have none of these: one look instead of seven.
    IF language <> 'pt' OR plain !~ '(?:ao|oes|[ai]ve(?:l|is)|[ae]ncias?|voces?|ate|ha|ja|so|tambem|[st]era|[ae]mos)\M' THEN
        RETURN plain;
    END IF;
    RETURN regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        regexp_replace(plain,
        'c(?:ao|oes)\M', 'ção', 'g'),
        '\Y(?:ao|oes)\M', 'ão', 'g'),
        'ave(?:l|is)\M', 'ável', 'g'),
        'ive(?:l|is)\M', 'ível', 'g'),
        'encias?\M', 'ência', 'g'),
        'ancias?\M', 'ância', 'g'),
        '\m(?:voces?|ate|ha|ja|so|tambem|sera|tera|eramos|tinhamos|estavamos'
        '|(?:ser|ter|houver)iamos|(?:estiv|tiv|houv)e(?:ra|sse)mos|fo(?:ra|sse)mos)\M', 'de', 'g');
END $$;

CREATE FUNCTION comment_configuration(language text) RETURNS regconfig
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE language WHEN 'pt' THEN 'pg_catalog.portuguese'::regconfig
                         ELSE 'pg_catalog.english'::regconfig END
$$;

CREATE FUNCTION comment_lexemes(language text, comment text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector(comment_configuration(language), comment_text(language, comment));

-- The lexemes of a comment, and one that stands for its workspace: no text has a lexeme that begins
-- with a space. So a search of one workspace reads none of the others' entries. These functions are
-- inlined into the indexes; their bodies are parsed here and now, so that they mean the same to whoever
-- builds the indexes under another search path, as a restore does.
CREATE FUNCTION comment_vector(language text, workspace integer, comment text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_to_tsvector(ARRAY[' ' || workspace::text]) || comment_lexemes(language, comment);

-- What every vector of a workspace matches.
CREATE FUNCTION comment_scope(workspace integer) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT format('%L', ' ' || workspace)::tsquery
$$;

-- The search for what was typed as into a search engine: words, "a phrase", or, -not. Null where
-- nothing is left of it but stop words.
CREATE FUNCTION comment_query(language text, typed text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN numnode(q.query) > 0 THEN q.query END
      FROM (SELECT websearch_to_tsquery(comment_configuration(language),
                                        comment_text(language, typed)) AS query) q
$$;

CREATE INDEX survey_words_pt ON survey USING gin (comment_vector('pt', workspace_id, comment))
    WHERE comment_language = 'pt';
CREATE INDEX survey_words_en ON survey USING gin (comment_vector('en', workspace_id, comment))
    WHERE comment_language = 'en';

-- Comments, newest first, as survey_time has all surveys.
CREATE INDEX survey_comment ON survey (workspace_id, (coalesce(answered_at, sent_at)) DESC, id)
    WHERE comment IS NOT NULL;

-- Drivers: the scored answers about an aspect by time, and the overall answer of a submission.
CREATE INDEX survey_aspect ON survey (workspace_id, answered_at)
    WHERE aspect IS NOT NULL AND score_class IS NOT NULL;
CREATE INDEX survey_submission ON survey (workspace_id, submission_id)
    WHERE submission_id IS NOT NULL AND aspect IS NULL AND solicited AND score_class IS NOT NULL;
