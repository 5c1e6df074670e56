-- Recomputing everything that is derived, and proving that it need not be.

CREATE FUNCTION totals_tables() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['survey_totals', 'interaction_totals', 'duration_sketch', 'follow_up_sketch',
                 'life_totals', 'cost_totals', 'payment_totals', 'customer_revenue_totals',
                 'purchase_totals']
$$;

-- Recomputes a workspace's derived rows and totals from its records, under its lock: readers see
-- the old figures until the transaction commits, writers wait.
CREATE FUNCTION workspace_rebuild(workspace integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    target text;
BEGIN
    PERFORM workspace_lock(workspace);
    PERFORM follow_customers(workspace, (SELECT array_agg(DISTINCT x.customer_id)
        FROM (SELECT customer_id FROM survey WHERE workspace_id = workspace
              UNION ALL SELECT customer_id FROM interaction WHERE workspace_id = workspace
              UNION ALL SELECT customer_id FROM payment WHERE workspace_id = workspace) x
       WHERE x.customer_id IS NOT NULL));
    PERFORM follow_interactions(workspace, (SELECT array_agg(DISTINCT interaction_id)
        FROM survey WHERE workspace_id = workspace AND interaction_id IS NOT NULL));
    PERFORM follow_surveys(workspace, (SELECT array_agg(x.id)
        FROM (SELECT id FROM survey WHERE workspace_id = workspace AND follow_up_at IS NOT NULL
              UNION SELECT survey_id FROM action WHERE workspace_id = workspace
                       AND survey_id IS NOT NULL) x));
    PERFORM purchase_recompute(workspace, (SELECT array_agg(x.customer_id)
        FROM (SELECT customer_id FROM payment WHERE workspace_id = workspace AND customer_id IS NOT NULL
              UNION SELECT customer_id FROM purchase_month WHERE workspace_id = workspace) x));
    PERFORM life_recompute(workspace, (SELECT array_agg(x.id)
        FROM (SELECT id FROM customer WHERE workspace_id = workspace
              UNION SELECT customer_id FROM life_event WHERE workspace_id = workspace) x));
    FOREACH target IN ARRAY totals_tables() LOOP
        EXECUTE format('DELETE FROM %I WHERE workspace_id = $1', target) USING workspace;
        EXECUTE format('INSERT INTO %I SELECT * FROM %I($1)', target, target || '_expected') USING workspace;
    END LOOP;
    UPDATE data_version SET version = version + 1 WHERE workspace_id = workspace;
END $$;

-- Every derived cell that differs from what the records say, as (table, 'stored' or 'expected',
-- the row as JSON). No row: all is right. Run it inside one REPEATABLE READ transaction.
CREATE FUNCTION workspace_check(workspace integer)
RETURNS TABLE (place text, side text, cell jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
    target text;
    columns text;
BEGIN
    FOREACH target IN ARRAY ARRAY['interaction', 'survey'] LOOP
        RETURN QUERY EXECUTE format($query$
            SELECT %1$L, 'stored', jsonb_build_object('id', r.id, 'followed_segment', r.followed_segment)
              FROM %1$I r
              LEFT JOIN customer c ON c.workspace_id = r.workspace_id AND c.id = r.customer_id
             WHERE r.workspace_id = $1 AND r.segment IS NULL
               AND r.followed_segment IS DISTINCT FROM c.segment$query$, target) USING workspace;
    END LOOP;
    RETURN QUERY
        SELECT 'payment', 'stored', jsonb_build_object('id', r.id,
                   'followed_labels', ARRAY[r.followed_segment, r.followed_channel])
          FROM payment r
          LEFT JOIN customer c ON c.workspace_id = r.workspace_id AND c.id = r.customer_id
         WHERE r.workspace_id = workspace
           AND (r.followed_segment, r.followed_channel) IS DISTINCT FROM (c.segment, c.channel);
    RETURN QUERY
        SELECT 'survey', 'stored', jsonb_build_object('id', r.id, 'follow_up_at', r.follow_up_at)
          FROM survey r
         WHERE r.workspace_id = workspace
           AND r.follow_up_at IS DISTINCT FROM (SELECT min(a.done_at) FROM action a
                 WHERE a.workspace_id = r.workspace_id AND a.survey_id = r.id AND a.status = 'done'
                   AND r.score_class = -1 AND a.done_at >= r.answered_at
                   AND a.done_at <= r.answered_at + interval '168 hours');
    RETURN QUERY
        SELECT 'survey', 'stored', jsonb_build_object('id', r.id,
                   'followed_labels', ARRAY[r.followed_channel, r.followed_topic, r.followed_agent])
          FROM survey r
          LEFT JOIN interaction i ON i.workspace_id = r.workspace_id AND i.id = r.interaction_id
         WHERE r.workspace_id = workspace
           AND (r.followed_channel, r.followed_topic, r.followed_agent)
               IS DISTINCT FROM (i.channel, i.topic, i.agent);
    RETURN QUERY
        WITH expected AS MATERIALIZED (
            SELECT * FROM life_events_of(workspace,
                (SELECT array_agg(c.id) FROM customer c WHERE c.workspace_id = workspace))),
        stored AS MATERIALIZED (
            SELECT * FROM life_event l WHERE l.workspace_id = workspace)
        SELECT 'life_event', 'stored', to_jsonb(x) FROM (SELECT * FROM stored EXCEPT SELECT * FROM expected) x
        UNION ALL
        SELECT 'life_event', 'expected', to_jsonb(x) FROM (SELECT * FROM expected EXCEPT SELECT * FROM stored) x;
    RETURN QUERY
        WITH expected AS MATERIALIZED (
            SELECT * FROM purchase_months_of(workspace, (SELECT array_agg(DISTINCT p.customer_id)
                FROM payment p WHERE p.workspace_id = workspace AND p.customer_id IS NOT NULL))),
        stored AS MATERIALIZED (
            SELECT * FROM purchase_month m WHERE m.workspace_id = workspace)
        SELECT 'purchase_month', 'stored', to_jsonb(x) FROM (SELECT * FROM stored EXCEPT SELECT * FROM expected) x
        UNION ALL
        SELECT 'purchase_month', 'expected', to_jsonb(x) FROM (SELECT * FROM expected EXCEPT SELECT * FROM stored) x;
    FOREACH target IN ARRAY totals_tables() LOOP
        -- A row of zeros says the same as no row.
        columns := (SELECT string_agg(format('t.%I <> 0', a.attname), ' OR ') FROM pg_attribute a
                     WHERE a.attrelid = target::regclass AND a.attnum > 0 AND NOT a.attisdropped
                       AND a.atttypid IN ('bigint'::regtype, 'numeric'::regtype));
        RETURN QUERY EXECUTE format($query$
            WITH expected AS MATERIALIZED (SELECT * FROM %1$I($1)),
            stored AS MATERIALIZED (SELECT * FROM %2$I t WHERE t.workspace_id = $1 AND (%3$s))
            SELECT %2$L, 'stored', to_jsonb(x) FROM (SELECT * FROM stored EXCEPT SELECT * FROM expected) x
            UNION ALL
            SELECT %2$L, 'expected', to_jsonb(x) FROM (SELECT * FROM expected EXCEPT SELECT * FROM stored) x
            $query$, target || '_expected', target, columns) USING workspace;
    END LOOP;
END $$;
