-- A workspace's own row. $1 workspace. Columns: name, timezone, currency, language, created_at,
-- updated_at, settings: a JSON object of the settings in the order of enum workspace_setting.
-- Relies on the primary key.
SELECT name, timezone, currency, language, created_at, updated_at,
       json_build_object(
           'response_window_days', response_window_days,
           'gross_margin', gross_margin,
           'cac_categories', cac_categories,
           'response_target_seconds', response_target_seconds,
           'relationship_weights', json_build_object(
               'csat', relationship_weights[1],
               'nps', relationship_weights[2],
               'first_contact_resolution', relationship_weights[3],
               'annualised_retention', relationship_weights[4],
               'ces', relationship_weights[5],
               'speed', relationship_weights[6])) AS settings
  FROM workspace WHERE id = $1
