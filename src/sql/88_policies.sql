-- Who sees which rows. All tables that have a pool have a policy, so that none is
-- forgotten: what is not said to be the fleet's or a tenant's is for those who see the
-- whole pool. Views read with the rights of who reads them.

DO $$
DECLARE
    relation record;
BEGIN
    FOR relation IN
        SELECT c.relname AS name, coalesce(s.condition, 'sees_all(pool)') AS condition
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'pool'
        LEFT JOIN (VALUES
            -- the fleet, and how much of it is in use
            ('pool', 'sees_pool(pool)'), ('hardware', 'sees_pool(pool)'),
            ('device_profile', 'sees_pool(pool)'), ('worker', 'sees_pool(pool)'),
            ('worker_load', 'sees_pool(pool)'), ('worker_usage', 'sees_pool(pool)'),
            ('device', 'sees_pool(pool)'), ('device_load', 'sees_pool(pool)'),
            ('device_usage', 'sees_pool(pool)'), ('device_heat', 'sees_pool(pool)'),
            ('load_history', 'sees_pool(pool)'),
            -- the work of tenants
            ('workload_profile', 'sees_tenant(pool, tenant)'),
            ('tenant_past', 'sees_tenant(pool, tenant)'),
            ('submission', 'sees_profile(pool, profile_id)'),
            ('pending', 'sees_profile(pool, profile_id)'),
            ('assignment', 'sees_profile(pool, profile_id)'),
            ('reserved_place', 'sees_profile(pool, profile_id)'),
            ('dependency', 'sees_workload(pool, workload_id)'),
            ('key_holder', 'sees_assignment(pool, assignment_id)'),
            ('progress', 'sees_assignment(pool, assignment_id)'),
            ('unsettled', 'sees_assignment(pool, assignment_id)')
        ) AS s (name, condition) ON s.name = c.relname
        WHERE c.relnamespace = 'hwsched'::pg_catalog.regnamespace AND c.relkind IN ('r', 'p')
            AND NOT c.relispartition
    LOOP
        EXECUTE pg_catalog.format('ALTER TABLE hwsched.%I ENABLE ROW LEVEL SECURITY',
                                  relation.name);
        EXECUTE pg_catalog.format('DROP POLICY IF EXISTS access ON hwsched.%I', relation.name);
        EXECUTE pg_catalog.format('CREATE POLICY access ON hwsched.%I USING (hwsched_internal.%s)',
                                  relation.name, relation.condition);
    END LOOP;
    FOR relation IN
        SELECT c.oid::pg_catalog.regclass AS name FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace::pg_catalog.regnamespace::pg_catalog.text
                IN ('hwsched', 'hwsched_internal')
            AND c.relkind = 'v'
    LOOP
        EXECUTE pg_catalog.format('ALTER VIEW %s SET (security_invoker = true)', relation.name);
    END LOOP;
END
$$;
