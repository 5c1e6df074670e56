-- Adding changes to the totals, recomputing everything that is derived, and proving that it need not be.

-- Adds a workspace's oldest changes to its totals: those of the next `most` numbers. True where more are left.
-- Does nothing where another session is at it. No writer of records waits for it.
-- Changes are hashed by their labels, not sorted: of a table that is emptied all the time the planner expects few.
-- What is sorted nevertheless has costs then for which it would be compiled (jit).
CREATE FUNCTION totals_fold(workspace integer, most bigint DEFAULT 5000) RETURNS boolean
LANGUAGE plpgsql SET enable_sort = off SET jit = off AS $$
DECLARE
    folded bigint;
    version bigint;
    first bigint;
    oldest bigint;
    through bigint;
    waits boolean;
    name text;
    target text;
BEGIN
    IF NOT pg_try_advisory_xact_lock(22103, workspace) THEN
        RETURN false;
    END IF;
    folded := coalesce((SELECT f.through FROM totals_folded f WHERE f.workspace_id = workspace), 0);
    -- Of the changes up to this one all are seen from now on.
    version := (SELECT v.version FROM data_version v WHERE v.workspace_id = workspace);
    FOR name IN SELECT s.source || '_change' FROM change_source s LOOP
        EXECUTE format('SELECT c.number FROM %I c WHERE c.workspace_id = $1 AND c.number > $2
                         ORDER BY c.number LIMIT 1', name)
           INTO first USING workspace, folded;
        oldest := least(oldest, first);
    END LOOP;
    -- All that there is where nothing waits. The changes of a statement have one number: they are folded together.
    through := least(version, oldest + most - 1);
    FOR name IN SELECT s.source FROM change_source s LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I c WHERE c.workspace_id = $1 AND c.number > $2
                                          AND c.number <= $3 OFFSET 0)', name || '_change')
           INTO waits USING workspace, folded, through;
        CONTINUE WHEN NOT waits;
        FOR target IN SELECT t.target FROM totals_target t WHERE t.source = name LOOP
            EXECUTE format('SELECT %I($1, $2)', target || '_add') USING workspace, through;
        END LOOP;
        EXECUTE format('DELETE FROM %I c WHERE c.workspace_id = $1 AND c.number > $2 AND c.number <= $3',
                       name || '_change') USING workspace, folded, through;
    END LOOP;
    INSERT INTO totals_folded AS f VALUES (workspace, through)
    ON CONFLICT (workspace_id) DO UPDATE SET through = excluded.through;
    RETURN through < version;
END $$;

-- Recomputes a workspace's derived rows and totals from its records, under its lock: readers see
-- the old figures until the transaction commits, writers wait.
CREATE FUNCTION workspace_rebuild(workspace integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    name text;
    totals record;
BEGIN
    PERFORM workspace_lock(workspace);
    -- Against totals_fold. Writers have the other lock, too, when they come to this one.
    PERFORM pg_advisory_xact_lock(22103, workspace);
    PERFORM follow_workspace(workspace);
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
    FOR name IN SELECT s.source FROM change_source s LOOP
        EXECUTE format('DELETE FROM %I WHERE workspace_id = $1', name || '_change') USING workspace;
    END LOOP;
    FOR totals IN SELECT * FROM totals_target LOOP
        EXECUTE format('DELETE FROM %I WHERE workspace_id = $1', totals.stored) USING workspace;
        EXECUTE format('SELECT %I($1, NULL)', totals.target || '_add') USING workspace;
    END LOOP;
    UPDATE data_version SET version = version + 1 WHERE workspace_id = workspace;
END $$;

-- Every derived cell that differs from what the records say, as (table, 'stored' or 'expected',
-- the row as JSON). No row: all is right. Run it inside one REPEATABLE READ transaction.
CREATE FUNCTION workspace_check(workspace integer)
RETURNS TABLE (place text, side text, cell jsonb) LANGUAGE plpgsql STABLE AS $$
DECLARE
    target text;
    keys text;
    sums text;
    counts text;
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
        SELECT 'survey', 'stored', jsonb_build_object('id', r.id, 'comment_language', r.comment_language)
          FROM survey r
          JOIN workspace w ON w.id = r.workspace_id
         WHERE r.workspace_id = workspace
           AND r.comment_language IS DISTINCT FROM CASE WHEN r.comment IS NOT NULL THEN w.language END;
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
    FOR target IN SELECT x.target FROM totals_target x LOOP
        -- What is stored is the totals and the changes that wait. A row of zeros says the same as no row.
        SELECT string_agg(format('%I', a.attname), ', ') FILTER (WHERE NOT is_sum),
               string_agg(format('sum(%I)::%s AS %1$I', a.attname, a.atttypid::regtype), ', ') FILTER (WHERE is_sum),
               string_agg(format('sum(%I) <> 0', a.attname), ' OR ') FILTER (WHERE is_sum)
          INTO keys, sums, counts
          FROM pg_attribute a
         CROSS JOIN LATERAL (SELECT a.atttypid IN ('bigint'::regtype, 'numeric'::regtype) AS is_sum) s
         WHERE a.attrelid = target::regclass AND a.attnum > 0 AND NOT a.attisdropped;
        RETURN QUERY EXECUTE format($query$
            WITH expected AS MATERIALIZED (SELECT %1$s, %2$s FROM %5$I($1) GROUP BY %1$s),
            stored AS MATERIALIZED (
                SELECT %1$s, %2$s
                  FROM (SELECT * FROM %4$I t WHERE t.workspace_id = $1
                        UNION ALL SELECT * FROM %6$I($1, 9223372036854775807)) x
                 GROUP BY %1$s HAVING %3$s)
            SELECT %4$L, 'stored', to_jsonb(x) FROM (SELECT * FROM stored EXCEPT SELECT * FROM expected) x
            UNION ALL
            SELECT %4$L, 'expected', to_jsonb(x) FROM (SELECT * FROM expected EXCEPT SELECT * FROM stored) x
            $query$, keys, sums, counts, target, target || '_expected', target || '_changes') USING workspace;
    END LOOP;
END $$;
