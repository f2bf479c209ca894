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
