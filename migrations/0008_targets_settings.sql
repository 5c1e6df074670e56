-- Targets of KPIs, and what follows from the settings of the money KPIs.

-- What a workspace aims at: a KPI at `healthy` or better is healthy, at `warning` or better in
-- warning, else in fever. Both in the KPI's unit; which way is better is the catalogue's business.
CREATE TABLE target (
    workspace_id integer NOT NULL REFERENCES workspace,
    kpi text COLLATE "C" NOT NULL,
    healthy double precision NOT NULL CHECK (abs(healthy) <= 1e15),
    warning double precision NOT NULL CHECK (abs(warning) <= 1e15),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, kpi)
);

ALTER TABLE workspace
    ADD CHECK (cardinality(cac_categories) > 0 AND array_position(cac_categories, NULL) IS NULL),
    ADD CHECK (array_position(relationship_weights, NULL) IS NULL AND 0 <= ALL (relationship_weights)
               AND 1 >= ALL (relationship_weights) AND 0 < ANY (relationship_weights));

-- cost_totals.counted depends on the categories, too.
DROP TRIGGER recounted ON workspace;
CREATE TRIGGER recounted AFTER UPDATE ON workspace FOR EACH ROW
    WHEN (OLD.timezone IS DISTINCT FROM NEW.timezone
          OR OLD.response_window_days IS DISTINCT FROM NEW.response_window_days
          OR OLD.cac_categories IS DISTINCT FROM NEW.cac_categories)
    EXECUTE FUNCTION workspace_recounted();
