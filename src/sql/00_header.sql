\echo Use "CREATE EXTENSION hwsched" to load this file. \quit

-- A plain CREATE: a schema of this name that is there already is refused, and
-- DROP EXTENSION removes ours.
CREATE SCHEMA hwsched;
COMMENT ON SCHEMA hwsched IS 'Hardware-aware workload scheduler: which device runs what.';

-- What only the extension itself calls, so that hwsched has what users call.
CREATE SCHEMA hwsched_internal;
COMMENT ON SCHEMA hwsched_internal IS
  'What hwsched''s own views and functions are made of; nothing that users call.';

-- The roles are the cluster's, so they may be here from another database. A
-- role of that name that can log in or is a superuser is somebody else's.
DO $$
DECLARE
    wanted text;
    present pg_catalog.pg_roles;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['hwsched_admin', 'hwsched_coordinator', 'hwsched_worker',
                                  'hwsched_viewer'] LOOP
        SELECT * INTO present FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) wanted;
        IF NOT FOUND THEN
            EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', wanted);
        ELSIF present.rolcanlogin OR present.rolsuper THEN
            RAISE EXCEPTION 'role "%" exists and is not a group role', wanted
                USING ERRCODE = 'duplicate_object',
                      DETAIL = 'hwsched needs a role of this name without LOGIN and SUPERUSER.',
                      HINT = 'Rename the role, or take LOGIN and SUPERUSER from it.';
        END IF;
    END LOOP;
END
$$;
GRANT hwsched_viewer TO hwsched_coordinator;
GRANT hwsched_coordinator, hwsched_worker TO hwsched_admin;
