-- Stores a workspace's row; its triggers (migrations/0007, 0008) do what follows from the change.
-- $1 workspace, $2 timezone, $3 currency, $4 language, $5 json: an object of all settings. No result.
UPDATE workspace SET timezone = $2, currency = $3, language = $4,
       response_window_days = ($5::json->>'response_window_days')::integer,
       gross_margin = ($5::json->>'gross_margin')::numeric,
       cac_categories = CASE WHEN $5::json->>'cac_categories' IS NOT NULL THEN
           ARRAY(SELECT x.label FROM json_array_elements_text($5::json->'cac_categories')
                        WITH ORDINALITY AS x(label, place) ORDER BY x.place) END,
       response_target_seconds = ($5::json->>'response_target_seconds')::integer,
       relationship_weights = ARRAY[
           $5::json->'relationship_weights'->>'csat',
           $5::json->'relationship_weights'->>'nps',
           $5::json->'relationship_weights'->>'first_contact_resolution',
           $5::json->'relationship_weights'->>'annualised_retention',
           $5::json->'relationship_weights'->>'ces',
           $5::json->'relationship_weights'->>'speed']::double precision[]
 WHERE id = $1
