-- Rules that statements in C and views share. Each is one expression, which the planner
-- puts in place of the call: no SECURITY DEFINER, no SET, no subquery. A body in SQL-standard
-- form is parsed once, here, so that no search_path changes what it means.

CREATE FUNCTION hwsched_internal.phase_now(phase hwsched.thermal_phase, since timestamptz,
    duration interval)
    RETURNS hwsched.thermal_phase
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN CASE WHEN now() < since + duration THEN phase ELSE 'normal' END;
COMMENT ON FUNCTION hwsched_internal.phase_now(hwsched.thermal_phase, timestamptz, interval) IS
  'The thermal phase of a worker now, from the one that began last: normal once it is over.';

CREATE FUNCTION hwsched_internal.aged_priority(priority smallint, since timestamptz,
    ageing float8)
    RETURNS smallint
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN least(priority,
                 greatest(1, priority - floor(ageing * date_part('epoch', now() - since) / 3600)))
           ::smallint;
COMMENT ON FUNCTION hwsched_internal.aged_priority(smallint, timestamptz, float8) IS
  'The priority of work that waits since a time, by the setting ageing: so many steps higher for '
  'each hour, at most 1.';

CREATE FUNCTION hwsched_internal.profile_digest(profile jsonb, demand jsonb)
    RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN sha256(convert_to(profile::text || coalesce(demand::text, ''), 'UTF8'));
COMMENT ON FUNCTION hwsched_internal.profile_digest(jsonb, jsonb) IS
  'The digest by which equal workload profiles are one, and without a demand equal device '
  'profiles.';
