-- The pure functions: the guide's formulas, callable one by one.
--
-- IMMUTABLE are those that depend on their arguments alone; those that look up
-- words in the taxonomy are STABLE.

CREATE FUNCTION hwsched.workload_profile(requirements jsonb) RETURNS jsonb
LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hwsched_workload_profile';
COMMENT ON FUNCTION hwsched.workload_profile(jsonb) IS
  'The workload profile that requirements mean: what the work asks of a device. A name the '
  'taxonomy does not know is an error.';

CREATE FUNCTION hwsched.device_profiles(capabilities jsonb) RETURNS SETOF jsonb
LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp ROWS 4
AS 'MODULE_PATHNAME', 'hwsched_device_profiles';
COMMENT ON FUNCTION hwsched.device_profiles(jsonb) IS
  'The profiles of the devices that a worker of these capabilities has, one row a device: those '
  'it lists, or else those its cores and backends imply.';

CREATE FUNCTION hwsched.is_compatible(workload jsonb, device jsonb) RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_is_compatible';
COMMENT ON FUNCTION hwsched.is_compatible(jsonb, jsonb) IS
  'Whether a device of this profile meets each demand of a workload profile: backends, models, '
  'precisions, features, compute units and memory.';

CREATE FUNCTION hwsched.efficiency_score(workload jsonb, device jsonb) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_efficiency_score';
COMMENT ON FUNCTION hwsched.efficiency_score(jsonb, jsonb) IS
'How well a device profile suits a workload profile, 0 to 1.';

CREATE FUNCTION hwsched.raw_efficiency(workload jsonb, device jsonb) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_raw_efficiency';
COMMENT ON FUNCTION hwsched.raw_efficiency(jsonb, jsonb) IS
  'The efficiency score before it is limited to 1. Ranking uses it, so that hardware made for '
  'the work (up to 1.3) counts as such.';

CREATE FUNCTION hwsched.load_score(cpu float8, memory float8, gpu float8, io float8, network float8)
    RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_load_score';
COMMENT ON FUNCTION hwsched.load_score(float8, float8, float8, float8, float8) IS
'The load, 0 (idle) to 1, that utilizations in percent amount to.';

CREATE FUNCTION hwsched.effective_load_score(cpu float8, memory float8, gpu float8, io float8,
    network float8,
	warming boolean, cooling boolean, performance_level float8) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_effective_load_score';
COMMENT ON FUNCTION hwsched.effective_load_score(float8, float8, float8, float8, float8, boolean,
                                                 boolean, float8) IS
  'The load score, raised while a device warms up or cools down by what its performance level '
  'lacks; 0 to 1.';

CREATE FUNCTION hwsched.adjusted_efficiency(efficiency float8,
	cpu float8, memory float8, gpu float8, io float8, network float8,
	warming boolean, cooling boolean, performance_level float8, temperature float8) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_adjusted_efficiency';
COMMENT ON FUNCTION hwsched.adjusted_efficiency(float8, float8, float8, float8, float8, float8,
                                                boolean, boolean, float8, float8) IS
  'An efficiency less what load, warming up or cooling down, and temperature (0 to 1; 0 where it '
  'is not known) take away. It is not limited to 1.';

CREATE FUNCTION hwsched.preference_after(old float8, observed float8, alpha float8 DEFAULT 0.3)
    RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_preference_after';
COMMENT ON FUNCTION hwsched.preference_after(float8, float8, float8) IS
  'A learned preference after one more observation: a moving average in which the newest value '
  'has the share alpha, 0 to 1.';

CREATE FUNCTION hwsched.predict_seconds(workload jsonb, device jsonb) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_predict_seconds';
COMMENT ON FUNCTION hwsched.predict_seconds(jsonb, jsonb) IS
  'The seconds, at least 1, that work of this profile is expected to take on a device of that '
  'profile. What was learned from earlier runs is not in it.';

CREATE FUNCTION hwsched.predict_joules(workload jsonb, device jsonb, seconds float8) RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_predict_joules';
COMMENT ON FUNCTION hwsched.predict_joules(jsonb, jsonb, float8) IS
  'The energy in joules that work of this profile is expected to use in so many seconds on a '
  'device of that profile.';

CREATE FUNCTION hwsched.compatibility_score(device jsonb, other jsonb) RETURNS float8
LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'hwsched_compatibility_score';
COMMENT ON FUNCTION hwsched.compatibility_score(jsonb, jsonb) IS
  'How well a device of one profile stands in for one of the other, 0 to 1: by their classes, '
  'backends and precisions. The order of the two does not matter.';

CREATE FUNCTION hwsched.thermal_step(temperature float8, load float8, dt_seconds float8)
    RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_thermal_step';
COMMENT ON FUNCTION hwsched.thermal_step(float8, float8, float8) IS
  'The temperature, 0 to 1, one step later as the guide''s reference steps: it rises by 0.1 a '
  'step at most, so the result depends on how often it is called.';

CREATE FUNCTION hwsched.thermal_at(temperature float8, load float8, dt_seconds float8)
    RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_thermal_at';
COMMENT ON FUNCTION hwsched.thermal_at(float8, float8, float8) IS
  'The temperature, 0 to 1, after some seconds at a constant load (0 to 1): advancing twice by '
  'half the time gives the same.';

CREATE FUNCTION hwsched.performance_level(phase text, since timestamptz, duration interval,
    at timestamptz)
    RETURNS float8
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'hwsched_performance_level';
COMMENT ON FUNCTION hwsched.performance_level(text, timestamptz, interval, timestamptz) IS
  'The share of its performance that a device has at a time in a phase (normal, idle, warming, '
  'cooling) that began at another: warming rises from 0.6 and cooling from 0.7 to 1 at the end '
  'of the duration.';

-- What is good, what a warning and what poor, for charts, reports and queries alike.
CREATE FUNCTION hwsched.efficiency_rating(efficiency_ratio float8) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN efficiency_ratio >= 0.7 THEN 'good' WHEN efficiency_ratio >= 0.4 THEN 'warning'
                WHEN efficiency_ratio < 0.4 THEN 'poor' END;
COMMENT ON FUNCTION hwsched.efficiency_rating(float8) IS
  'How good an efficiency is: good from 0.7, poor below 0.4, else warning.';

CREATE FUNCTION hwsched.prediction_rating(actual_to_predicted_ratio float8) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN actual_to_predicted_ratio BETWEEN 1 / 1.25 AND 1.25 THEN 'good'
                WHEN actual_to_predicted_ratio BETWEEN 1 / 2.0 AND 2 THEN 'warning'
                WHEN actual_to_predicted_ratio IS NOT NULL THEN 'poor' END;
COMMENT ON FUNCTION hwsched.prediction_rating(float8) IS
  'How good a prediction was, by actual over predicted duration: good within a factor of 1.25, '
  'longer or shorter, poor beyond a factor of 2, else warning.';

-- A row that cannot be read as a device profile would trouble every worker that
-- registers later, so it is read when it is written.
ALTER TABLE hwsched.implied_device DROP CONSTRAINT IF EXISTS implied_device_profile,
    ADD CONSTRAINT implied_device_profile
    CHECK (profile ->> 'hardware_class' IS NOT NULL
           AND hwsched.is_compatible('{}', profile) IS NOT NULL);

CREATE FUNCTION hwsched.temperature_ratio(celsius float8, idle_celsius float8,
    throttle_celsius float8)
    RETURNS float8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'hwsched_temperature_ratio';
COMMENT ON FUNCTION hwsched.temperature_ratio(float8, float8, float8) IS
  'A temperature in degrees on a device''s scale, 0 (idle) to 1 (throttling), as decisions use '
  'it; NaN for a point that is not known.';

CREATE FUNCTION hwsched_internal.sketch_quantile(sketch bigint[], q float8) RETURNS float8
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'hwsched_sketch_quantile';
COMMENT ON FUNCTION hwsched_internal.sketch_quantile(bigint[], float8) IS
  'The number that a share q of all numbers in a sketch is not above, to 2 percent of it; NULL '
  'for an empty sketch.';

CREATE FUNCTION hwsched_internal.sketch_merge(sketch bigint[], other bigint[]) RETURNS bigint[]
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'hwsched_sketch_merge';
COMMENT ON FUNCTION hwsched_internal.sketch_merge(bigint[], bigint[]) IS
  'The sketch of the numbers in two sketches.';

CREATE FUNCTION hwsched_internal.is_sketch(sketch bigint[]) RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'hwsched_is_sketch';
COMMENT ON FUNCTION hwsched_internal.is_sketch(bigint[]) IS
  'Whether some numbers are a sketch, which the others refuse if they are not.';

CREATE AGGREGATE hwsched_internal.sketch_sum(bigint[]) (
    SFUNC = hwsched_internal.sketch_merge, STYPE = bigint[],
    COMBINEFUNC = hwsched_internal.sketch_merge,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE hwsched_internal.sketch_sum(bigint[]) IS
  'The sketch of the numbers in all sketches; NULL for none.';
