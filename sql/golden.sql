-- The reference's vectors (test/golden), every value bit for bit.
--
-- Where the reference errs we differ on purpose: such rows are counted as
-- excluded, by a rule that stands with the comparison.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;
CREATE SCHEMA golden;
SET search_path = golden;

CREATE TABLE efficiency (case_id int, workload_type text, preferred_class text, preferred_architecture text,
	preferred_vendors text[], compute_intensity float8, memory_intensity float8, hw_class text, hw_architecture text,
	hw_vendor text, hw_features text[], hw_compute_units int, hw_memory_total_bytes bigint, score float8);
CREATE TABLE compatible (case_id int, hw_backends text[], hw_precisions text[], hw_features text[],
	hw_memory_total_bytes bigint, hw_compute_units int, required_backends text[], required_precisions text[],
	required_features text[], min_memory_bytes bigint, min_compute_units int, compatible boolean);
CREATE TABLE adjusted (case_id int, efficiency float8, cpu float8, memory float8, gpu float8, io float8,
	network float8, warming boolean, cooling boolean, performance_level float8, temperature float8, adjusted float8);
CREATE TABLE load (case_id int, cpu float8, memory float8, gpu float8, io float8, network float8,
	warming boolean, cooling boolean, performance_level float8, load_score float8, effective_load_score float8);
CREATE TABLE preference (case_id int, seq_id int, step int, workload_type text, worker_id text,
	efficiency float8, preference float8);
CREATE TABLE profile (case_id int, test_id text, test_type text, model_id text, minimum_memory float8,
	expected_duration float8, priority int, required_backend text, preferred_backend text, custom_properties jsonb,
	out_workload_id text, out_workload_type text, out_compute_intensity float8, out_memory_intensity float8,
	out_latency_sensitivity float8, out_throughput_sensitivity float8, out_min_memory_bytes bigint,
	out_min_compute_units int, out_required_backends text[], out_priority int, out_estimated_duration_seconds int,
	out_is_shardable boolean, out_min_shards int, out_max_shards int, out_allocation_strategy text, out_model_id text);
CREATE TABLE worker_profiles (case_id int, worker_id text, capabilities jsonb, n_profiles int, profile_index int,
	hw_class text, architecture text, vendor text, model_name text, backends text[], precisions text[],
	features text[], memory_total_bytes bigint, memory_available_bytes bigint, memory_is_shared boolean,
	memory_hierarchy_levels int, memory_has_unified boolean, memory_type text, compute_units int, clock_speed_mhz int);
CREATE TABLE predict (case_id int, workload_type text, preferred_class text, preferred_architecture text,
	preferred_vendors text[], compute_intensity float8, memory_intensity float8, energy_sensitivity float8,
	estimated_duration_seconds int, min_memory_bytes bigint, min_compute_units int, hw_class text,
	hw_architecture text, hw_vendor text, hw_features text[], hw_compute_units int, hw_memory_total_bytes bigint,
	hw_tdp_watts float8, energy_duration_seconds float8, predicted_seconds float8, predicted_joules float8);
CREATE TABLE compatibility_score (case_id int, class_1 text, backends_1 text[], precisions_1 text[],
	class_2 text, backends_2 text[], precisions_2 text[], score float8);
CREATE TABLE thermal (case_id int, traj_id int, step int, dt_seconds float8, load float8,
	temperature float8, warming boolean, cooling boolean);

\copy golden.efficiency from 'test/golden/efficiency.csv' csv header
\copy golden.compatible from 'test/golden/compatible.csv' csv header
\copy golden.adjusted from 'test/golden/adjusted.csv' csv header
\copy golden.load from 'test/golden/load.csv' csv header
\copy golden.preference from 'test/golden/preference.csv' csv header
\copy golden.profile from 'test/golden/profile.csv' csv header
\copy golden.worker_profiles from 'test/golden/worker_profiles.csv' csv header
\copy golden.predict from 'test/golden/predict.csv' csv header
\copy golden.compatibility_score from 'test/golden/compatibility_score.csv' csv header
\copy golden.thermal from 'test/golden/thermal.csv' csv header

CREATE TABLE verdict (no int GENERATED ALWAYS AS IDENTITY, what text, compared bigint, excluded bigint, differing bigint);

-- Efficiency, and the product it is limited from
CREATE VIEW efficiency_case AS
SELECT score,
	jsonb_strip_nulls(jsonb_build_object('workload_type', workload_type,
		'preferred_hardware_class', preferred_class, 'preferred_architecture', preferred_architecture,
		'preferred_vendors', preferred_vendors,
		'metrics', jsonb_build_object('compute_intensity', compute_intensity,
			'memory_intensity', memory_intensity))) AS workload,
	jsonb_build_object('hardware_class', hw_class, 'architecture', hw_architecture, 'vendor', hw_vendor,
		'features', hw_features, 'compute_units', hw_compute_units,
		'memory_total_bytes', hw_memory_total_bytes) AS device
FROM efficiency;
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'efficiency_score', count(*), 0,
	count(*) FILTER (WHERE hwsched.efficiency_score(workload, device) IS DISTINCT FROM score)
FROM efficiency_case;
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'raw_efficiency, limited to 1', count(*), 0,
	count(*) FILTER (WHERE least(1.0, hwsched.raw_efficiency(workload, device)) IS DISTINCT FROM score)
FROM efficiency_case;

-- Compatibility with a workload's demands
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'is_compatible', count(*), 0,
	count(*) FILTER (WHERE hwsched.is_compatible(workload, device) IS DISTINCT FROM compatible)
FROM (SELECT compatible,
		jsonb_build_object('required_backends', required_backends, 'required_precisions', required_precisions,
			'required_features', required_features, 'min_memory_bytes', min_memory_bytes,
			'min_compute_units', min_compute_units) AS workload,
		jsonb_build_object('supported_backends', hw_backends, 'supported_precisions', hw_precisions,
			'features', hw_features, 'memory_total_bytes', hw_memory_total_bytes,
			'compute_units', hw_compute_units) AS device
	FROM compatible) AS c;

-- Load, with utilizations out of range, and what it takes away
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'load_score', count(*), 0,
	count(*) FILTER (WHERE hwsched.load_score(cpu, memory, gpu, io, network) IS DISTINCT FROM load_score)
FROM load;
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'effective_load_score', count(*), 0,
	count(*) FILTER (WHERE hwsched.effective_load_score(cpu, memory, gpu, io, network,
		warming, cooling, performance_level) IS DISTINCT FROM effective_load_score)
FROM load;
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'adjusted_efficiency', count(*), 0,
	count(*) FILTER (WHERE hwsched.adjusted_efficiency(efficiency, cpu, memory, gpu, io, network,
		warming, cooling, performance_level, coalesce(temperature, 0)) IS DISTINCT FROM adjusted)
FROM adjusted;

-- Preference: each sequence starts at 0.5
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'preference_after', count(*), 0,
	count(*) FILTER (WHERE hwsched.preference_after(old, efficiency) IS DISTINCT FROM preference)
FROM (SELECT efficiency, preference,
		lag(preference, 1, 0.5) OVER (PARTITION BY seq_id, workload_type, worker_id ORDER BY step) AS old
	FROM preference) AS p;

-- Type of a test: the reference takes the first of its words that is found
-- anywhere in the text.  Excluded are the texts where that is not a whole word
-- of the text, such as "text" in "context_switch", or is "multi", which in
-- "multi_gpu" says nothing of modality, unless the text is the name of the type
-- itself ("multimodal").
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'workload_profile: type', count(*) FILTER (WHERE comparable), count(*) FILTER (WHERE NOT comparable),
	count(*) FILTER (WHERE comparable AND hwsched.workload_profile(jsonb_strip_nulls(
		jsonb_build_object('test_type', test_type)))->>'workload_type' IS DISTINCT FROM out_workload_type)
FROM (SELECT test_type, out_workload_type,
		found.word IS NULL OR lower(test_type) = out_workload_type
			OR (found.word <> 'multi'
				AND found.word = ANY (regexp_split_to_array(lower(test_type), '[^a-z0-9]+'))) AS comparable
	FROM profile LEFT JOIN LATERAL (SELECT word
		FROM unnest('{vision,image,nlp,text,language,audio,speech,embedding,training,inference,conversational,multi}'::text[])
			WITH ORDINALITY AS w (word, no)
		WHERE strpos(lower(test_type), word) > 0 ORDER BY no LIMIT 1) AS found ON true) AS t;

-- Everything else that is inferred of a test
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'workload_profile: numbers and names', count(*), 0,
	count(*) FILTER (WHERE (p->>'workload_id', p->'custom_properties'->>'model_id',
			(p->'metrics'->>'compute_intensity')::float8, (p->'metrics'->>'memory_intensity')::float8,
			(p->'metrics'->>'latency_sensitivity')::float8, (p->'metrics'->>'throughput_sensitivity')::float8,
			(p->>'min_memory_bytes')::bigint, (p->>'min_compute_units')::int,
			(p->>'priority')::int, (p->>'estimated_duration_seconds')::float8)
		IS DISTINCT FROM (out_workload_id, out_model_id,
			out_compute_intensity, out_memory_intensity,
			out_latency_sensitivity, out_throughput_sensitivity,
			out_min_memory_bytes, out_min_compute_units,
			out_priority, out_estimated_duration_seconds::float8))
FROM (SELECT *, hwsched.workload_profile(jsonb_strip_nulls(jsonb_build_object('test_id', test_id,
		'test_type', test_type, 'model_id', model_id, 'minimum_memory', minimum_memory,
		'expected_duration', expected_duration, 'priority', priority))) AS p
	FROM profile) AS t;

-- Required backends.  Excluded are the rows where the reference turns a
-- preferred backend into a demand, drops a class (which we keep as a demand)
-- or drops a name it does not know (which we refuse).
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'workload_profile: backends', count(*) FILTER (WHERE comparable), count(*) FILTER (WHERE NOT comparable),
	count(*) FILTER (WHERE comparable AND hwsched.workload_profile(
		jsonb_strip_nulls(jsonb_build_object('required_backend', required_backend)))->'required_backends'
		IS DISTINCT FROM to_jsonb(out_required_backends))
FROM (SELECT required_backend, out_required_backends,
		CASE WHEN required_backend IS NULL THEN preferred_backend IS NULL
			ELSE out_required_backends <> '{}' END AS comparable
	FROM profile) AS t;

-- Shards.  Excluded are the rows with a maximum below the minimum, given or by
-- the reference's default of 1; the first is an error, and ours is the minimum.
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'workload_profile: shards', count(*) FILTER (WHERE comparable), count(*) FILTER (WHERE NOT comparable),
	count(*) FILTER (WHERE CASE WHEN comparable THEN
		(SELECT ((p->>'is_shardable')::boolean, (p->>'min_shards')::int, (p->>'max_shards')::int,
				p->>'allocation_strategy')
			IS DISTINCT FROM (out_is_shardable, out_min_shards, out_max_shards, out_allocation_strategy)
		FROM hwsched.workload_profile(jsonb_strip_nulls(
			jsonb_build_object('custom_properties', custom_properties))) AS p) END)
FROM (SELECT *, out_max_shards >= out_min_shards AS comparable FROM profile) AS t;

-- Devices that a worker's capabilities imply.  Excluded are workers
-- 1. that say webgpu, which the reference takes for an NVIDIA GPU as well
-- 2. that say rocm or mps, which the reference does not take for a GPU
-- 3. that have several words for one device: the reference makes one of each
-- 4. of no known kind that list backends in lower case, which the reference's
--    generic CPU loses
CREATE VIEW worker_case AS
SELECT worker_id, capabilities,
	NOT bool_or(word ~* 'webgpu|rocm|mps')
		AND count(*) FILTER (WHERE word ~* 'cuda|gpu') <= 1
		AND count(*) FILTER (WHERE word ~* 'tpu') <= 1
		AND count(*) FILTER (WHERE word ~* 'npu|qnn') <= 1
		AND count(*) FILTER (WHERE word ~* 'webnn') <= 1
		AND NOT (model_name = 'Generic-CPU'
			AND bool_or(word = lower(word) AND word NOT IN ('', 'cpu'))) AS comparable
FROM worker_profiles, LATERAL (SELECT '' UNION ALL
	SELECT jsonb_array_elements_text(capabilities->'supported_backends')) AS b (word)
WHERE profile_index = 0
GROUP BY worker_id, capabilities, model_name;
SELECT count(*) FILTER (WHERE comparable) AS comparable_workers, count(*) AS workers FROM worker_case;
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'device_profiles', count(*) FILTER (WHERE comparable), count(*) FILTER (WHERE NOT comparable),
	count(*) FILTER (WHERE comparable AND expected IS DISTINCT FROM got)
FROM (SELECT coalesce(comparable, true) AS comparable, expected, got
	FROM (SELECT worker_id, profile_index, comparable,
			jsonb_build_object('hardware_class', hw_class, 'architecture', architecture, 'vendor', vendor,
				'model_name', model_name, 'supported_backends', backends, 'supported_precisions', precisions,
				'features', features, 'memory_total_bytes', memory_total_bytes,
				'memory_available_bytes', memory_available_bytes, 'memory_is_shared', memory_is_shared,
				'memory_hierarchy_levels', memory_hierarchy_levels, 'memory_has_unified', memory_has_unified,
				'memory_type', memory_type, 'compute_units', compute_units, 'clock_speed_mhz', clock_speed_mhz) AS expected
		FROM worker_profiles JOIN worker_case USING (worker_id)) AS reference
	FULL JOIN (SELECT worker_id, (no - 1)::int AS profile_index,
			-- the keys that the reference has, too
			(SELECT jsonb_object_agg(key, value) FROM jsonb_each(device)
				WHERE key IN ('hardware_class', 'architecture', 'vendor', 'model_name', 'supported_backends',
					'supported_precisions', 'features', 'memory_total_bytes', 'memory_available_bytes',
					'memory_is_shared', 'memory_hierarchy_levels', 'memory_has_unified', 'memory_type',
					'compute_units', 'clock_speed_mhz')) AS got
		FROM worker_case, hwsched.device_profiles(capabilities) WITH ORDINALITY AS d (device, no)
		WHERE comparable) AS ours USING (worker_id, profile_index)) AS d;

-- Time and energy; the reference's energy sensitivity is multiplied in here
CREATE VIEW predict_case AS
SELECT predicted_seconds, predicted_joules, energy_duration_seconds, energy_sensitivity,
	jsonb_strip_nulls(jsonb_build_object('workload_type', workload_type,
		'preferred_hardware_class', preferred_class, 'preferred_architecture', preferred_architecture,
		'preferred_vendors', preferred_vendors, 'estimated_duration_seconds', estimated_duration_seconds,
		'min_memory_bytes', min_memory_bytes, 'min_compute_units', min_compute_units,
		'metrics', jsonb_build_object('compute_intensity', compute_intensity,
			'memory_intensity', memory_intensity, 'energy_sensitivity', energy_sensitivity))) AS workload,
	jsonb_strip_nulls(jsonb_build_object('hardware_class', hw_class, 'architecture', hw_architecture,
		'vendor', hw_vendor, 'features', hw_features, 'compute_units', hw_compute_units,
		'memory_total_bytes', hw_memory_total_bytes, 'thermal_design_power_w', hw_tdp_watts)) AS device
FROM predict;
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'predict_seconds', count(*), 0,
	count(*) FILTER (WHERE hwsched.predict_seconds(workload, device) IS DISTINCT FROM predicted_seconds)
FROM predict_case;
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'predict_joules', count(*), 0,
	count(*) FILTER (WHERE hwsched.predict_joules(workload, device, energy_duration_seconds)
		* coalesce(0.5 + 0.5 * energy_sensitivity, 1) IS DISTINCT FROM predicted_joules)
FROM predict_case;

-- One device for another, both ways round
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'compatibility_score', count(*), 0,
	count(*) FILTER (WHERE hwsched.compatibility_score(a, b) IS DISTINCT FROM score
		OR hwsched.compatibility_score(b, a) IS DISTINCT FROM score)
FROM (SELECT score,
		jsonb_build_object('hardware_class', class_1, 'supported_backends', backends_1,
			'supported_precisions', precisions_1) AS a,
		jsonb_build_object('hardware_class', class_2, 'supported_backends', backends_2,
			'supported_precisions', precisions_2) AS b
	FROM compatibility_score) AS c;

-- Temperature: each trajectory starts at 0.  The integral has no vectors of
-- its own: cut in two it must agree with itself.
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'thermal_step', count(*), 0,
	count(*) FILTER (WHERE hwsched.thermal_step(before, load, dt_seconds) IS DISTINCT FROM temperature)
FROM (SELECT dt_seconds, load, temperature,
		lag(temperature, 1, 0.0) OVER (PARTITION BY traj_id ORDER BY step) AS before
	FROM thermal) AS t;
INSERT INTO verdict (what, compared, excluded, differing)
SELECT 'thermal_at composes', count(*), 0,
	count(*) FILTER (WHERE abs(hwsched.thermal_at(hwsched.thermal_at(temperature, load, dt_seconds), load, dt_seconds)
		- hwsched.thermal_at(temperature, load, 2 * dt_seconds)) > 1e-12)
FROM thermal;

SELECT what, compared, excluded, differing FROM verdict ORDER BY no;

DROP SCHEMA golden CASCADE;
