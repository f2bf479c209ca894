-- Labels, taints and what work asks of them: who takes it, why it waits, and that every way of deciding agrees.
\set VERBOSITY terse
SELECT hwsched.create_pool('labels');
SELECT hwsched.register_worker('eu', '{"hostname": "h1", "cpu_cores": 8, "available_memory": 64, "labels": {"zone": "eu", "browser": "115.0.5790", "slots": 3, "tags": ["a", "b"], "fast": true}}', 'labels'),
	hwsched.register_worker('us', '{"hostname": "h2", "cpu_cores": 8, "available_memory": 64, "labels": {"zone": "us", "browser": "99", "slots": 10, "tags": "b"}, "software_versions": {"python": "3.11.7", "cuda": "12.2"}}', 'labels'),
	hwsched.register_worker('lab', '{"hostname": "h3", "cpu_cores": 8, "available_memory": 64, "labels": {"zone": "lab"}, "taints": {"lab": "only", "slow": true}}', 'labels'),
	hwsched.register_worker('gpus', '{"hostname": "h4", "available_memory": 64, "labels": {"zone": "dc", "slot": "none"}, "devices": [
		{"hardware_class": "gpu", "vendor": "nvidia", "model_name": "A100", "memory_total_bytes": 8589934592, "labels": {"slot": 1, "nvlink": true}},
		{"hardware_class": "gpu", "vendor": "nvidia", "model_name": "A100", "memory_total_bytes": 8589934592, "labels": {"slot": 2, "nvlink": true}},
		{"hardware_class": "gpu", "vendor": "amd", "model_name": "MI210", "memory_total_bytes": 8589934592}]}', 'labels');
SELECT worker_id, labels, taints FROM hwsched.worker WHERE pool = 'labels' ORDER BY 1;
SELECT worker_id, device_no, labels FROM hwsched.device WHERE pool = 'labels' ORDER BY 1, 2;

-- where work with such requirements goes: by a plan, by the batch under each solver, by schedule() and by the rank of all
CREATE FUNCTION pg_temp.goes(requirements jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan text;
	other text;
	way text;
BEGIN
	PERFORM hwsched.submit(requirements || '{"test_id": "probe"}', 'labels');
	SELECT string_agg(worker_id || device_nos::text, ' ') INTO plan FROM hwsched.plan_pending(pool => 'labels');
	FOREACH way IN ARRAY '{greedy,optimal,policy,schedule,claim}'::text[] LOOP
		BEGIN
			PERFORM hwsched.alter_pool('labels', CASE way WHEN 'optimal' THEN '{"solver": "optimal"}' WHEN 'policy' THEN '{"policy": {"hardware_aware": 0.9, "performance": 0.1}}' ELSE '{}' END::jsonb);
			IF way = 'schedule' THEN
				PERFORM hwsched.schedule('probe', 'labels');
			ELSIF way = 'claim' AND plan IS NULL THEN
				PERFORM hwsched.claim(w, pool => 'labels') FROM unnest('{eu,us,lab,gpus}'::text[]) AS w;
			ELSIF way = 'claim' THEN
				PERFORM hwsched.claim(split_part(plan, '{', 1), pool => 'labels');
			ELSE
				PERFORM hwsched.assign_pending(NULL, 'labels');
			END IF;
			SELECT string_agg(worker_id || device_nos::text, ' ') INTO other FROM hwsched.assignment WHERE pool = 'labels' AND finished_at IS NULL;
			IF other IS DISTINCT FROM plan AND way <> 'claim' OR (other IS NULL) <> (plan IS NULL) THEN
				RAISE NOTICE '% % instead of %', way, other, plan;
			END IF;
			RAISE EXCEPTION USING ERRCODE = 'ZZ000';
		EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
		END;
	END LOOP;
	IF plan IS NULL THEN
		SELECT reason INTO plan FROM hwsched.pending_workloads WHERE pool = 'labels' AND workload_id = 'probe';
	ELSIF split_part(plan, '{', 1) <> (SELECT worker_id FROM hwsched.compatible_hardware('probe', 'labels') WHERE reason IS NULL LIMIT 1) THEN
		plan := plan || ', ranked otherwise';
	END IF;
	PERFORM hwsched.cancel('probe', 'labels');
	RETURN plan;
END $$;

-- conditions: a value, a list, bounds, not, exists
SELECT no, pg_temp.goes(jsonb_build_object('required_labels', c)) AS goes, c AS condition FROM unnest(ARRAY[
	'{"zone": "us"}', '{"zone": "mars"}', '{"zone": "US"}', '{"zone": ["mars", "us"]}', '{"fast": true}', '{"fast": "true"}', '{"tags": "a"}', '{"tags": ["a", "c"], "zone": "us"}',
	'{"browser": {"max": "115", "min": "100"}}', '{"browser": {"max": "115.0.1"}}', '{"browser": {"min": "115.0.5791"}}', '{"browser": {"min": 99, "max": 99}}',
	'{"slots": {"min": 3.5}}', '{"slots": {"max": 9}}', '{"slots": 10}', '{"slots": {"exists": true, "not": 3}}', '{"slots": {"exists": false}, "zone": {"not": "dc"}}', '{"zone": {"not": ["eu", "us", "lab"]}}',
	'{"worker_id": "us"}', '{"worker_id": ["nobody", "us"]}', '{"hostname": "h2"}', '{"hardware_class": "gpu"}', '{"vendor": "amd"}', '{"model_name": {"not": "A100"}, "hardware_class": "gpu"}',
	'{"slot": 2}', '{"slot": "none"}', '{"nvlink": true, "slot": {"not": 1}}', '{"zone": "dc", "nvlink": {"exists": false}}', '{}', '{"zone": null}']::jsonb[]) WITH ORDINALITY AS t (c, no) ORDER BY no;
-- together with what hardware is asked for
SELECT pg_temp.goes('{"required_labels": {"nvlink": true}, "required_accelerators": {"gpu": 2}}') AS two, pg_temp.goes('{"required_labels": {"nvlink": true}, "required_accelerators": {"gpu": 3}}') AS three,
	pg_temp.goes('{"required_labels": {"zone": "us"}, "required_accelerators": {"gpu": 1}}') AS elsewhere, pg_temp.goes('{"required_labels": {"zone": "us"}, "minimum_memory": 65}') AS too_large,
	pg_temp.goes('{"required_labels": {"slot": 2}, "accelerator_share": 0.5}') AS share;
-- preferred: each that is lacking counts 0.9
SELECT pg_temp.goes('{"preferred_labels": {"zone": "us"}}') AS us, pg_temp.goes('{"preferred_labels": {"zone": "us", "browser": {"min": 100}, "fast": true}}') AS eu, pg_temp.goes('{"preferred_labels": {"zone": "mars"}}') AS whoever,
	pg_temp.goes('{"preferred_labels": {"slot": 2}, "required_accelerators": {"gpu": 1}}') AS slot;
SELECT hwsched.submit('{"test_id": "value", "preferred_labels": {"zone": "us", "fast": true}, "required_labels": {"zone": ["eu", "us"]}}', 'labels');
SELECT worker_id, rank, adjusted_efficiency_ratio, round(score::numeric, 3) AS score, reason FROM hwsched.compatible_hardware('value', 'labels') ORDER BY 1;
SELECT hwsched.cancel('value', 'labels');
-- taints keep away what does not tolerate all of them
SELECT pg_temp.goes('{"required_labels": {"zone": "lab"}}') AS none, pg_temp.goes('{"required_labels": {"zone": "lab"}, "tolerations": ["lab"]}') AS one, pg_temp.goes('{"required_labels": {"zone": "lab"}, "tolerations": ["slow", "lab", "more"]}') AS both;
SELECT pg_temp.goes('{"tolerations": ["slow", "lab"], "preferred_labels": {"zone": "lab"}}') AS tolerates;
-- software: conditions beside least versions; models without case
SELECT no, pg_temp.goes(jsonb_build_object('required_software', c)) AS goes, c AS condition FROM unnest(ARRAY['{"python": "3.11"}', '{"Python": ">=3.12"}', '{"python": {"max": "3.11"}}', '{"python": {"min": "3.9", "max": "3.10"}}', '{"python": {"not": "3.11.7"}}',
	'{"python": ["3.10", "3.11.7.0"]}', '{"cuda": {"exists": true}, "rocm": {"exists": false}}', '{"cuda": {"exists": false}, "python": "3"}']::jsonb[]) WITH ORDINALITY AS t (c, no) ORDER BY no;
SELECT pg_temp.goes('{"required_models": ["mi210"]}') AS model;

-- gangs, and that a condition is part of the kind of work
SELECT hwsched.submit_many('[{"test_id": "g1", "allocation_strategy": "replicated", "max_shards": 2, "required_labels": {"zone": ["eu", "us"]}}, {"test_id": "g2", "allocation_strategy": "replicated", "min_shards": 3, "required_labels": {"zone": ["eu", "us"]}}]', 'labels');
SELECT hwsched.assign_pending(NULL, 'labels');
SELECT workload_id, worker_id FROM hwsched.assignment WHERE pool = 'labels' AND finished_at IS NULL ORDER BY 1, 2;
SELECT workload_id, reason FROM hwsched.pending_workloads WHERE pool = 'labels';
SELECT hwsched.cancel(w, 'labels') FROM unnest('{g1,g2}'::text[]) AS w;
-- who registers with other labels is chosen by them
SELECT hwsched.register_worker('us', '{"hostname": "h2", "cpu_cores": 8, "available_memory": 64, "labels": {"zone": "asia"}}', 'labels');
SELECT pg_temp.goes('{"required_labels": {"zone": "us"}}') AS us, pg_temp.goes('{"required_labels": {"zone": "asia"}}') AS asia;
-- steal, rebalance and preemption obey them
SELECT hwsched.register_worker('idle', '{"cpu_cores": 8, "available_memory": 64, "labels": {"zone": "idle"}}', 'labels');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'r' || i, 'required_labels', '{"zone": "eu"}'::jsonb)) FROM generate_series(1, 4) AS i), 'labels');
SELECT hwsched.assign_pending(NULL, 'labels'), hwsched.update_load('eu', '{"cpu_utilization": 85, "memory_utilization": 80}', 'labels');
SELECT count(*) AS stolen FROM hwsched.claim('idle', 4, true, 'labels');
SELECT count(*) AS moved FROM hwsched.rebalance(10, 'labels') AS moves WHERE moves > 0;
SELECT workload_id, worker_id FROM hwsched.assignment WHERE pool = 'labels' AND finished_at IS NULL ORDER BY 1, 2;
SELECT hwsched.cancel('r' || i, 'labels') FROM generate_series(1, 4) AS i;

-- what is refused, and what is warned of
CREATE FUNCTION pg_temp.error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
	hint text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN sqlstate || concat_ws(' | ', '', message, nullif(detail, ''), nullif(hint, ''));
END $$;
SELECT pg_temp.error_of(format('SELECT hwsched.submit(%L, %L)', d, 'labels')) FROM unnest(ARRAY[
	'{"required_labels": ["a"]}', '{"required_labels": {"a": {"minimum": 3}}}', '{"required_labels": {"a": {}}}', '{"required_labels": {"a": []}}', '{"required_labels": {"a": {"min": [1]}}}', '{"required_labels": {"a": {"exists": 1}}}', '{"required_labels": {"a": [{"b": 1}]}}',
	'{"preferred_labels": 7}', '{"tolerations": "a"}', '{"tolerations": {"a": true}}', '{"labels": {"a": {"b": 1}}}', '{"labels": 7}', '{"required_software": {"python": "<3"}}', '{"required_software": {"python": 3}}', '{"required_software": {"python": {"max": "~3"}}}']) WITH ORDINALITY AS t (d, no) ORDER BY no;
SELECT pg_temp.error_of(format('SELECT hwsched.register_worker(%L, %L, %L)', 'x', d, 'labels')) FROM unnest(ARRAY[
	'{"labels": ["a"]}', '{"labels": {"a": {"b": 1}}}', '{"labels": {"a": [["b"]]}}', '{"taints": ["a"]}', '{"devices": [{"hardware_class": "cpu", "labels": 7}]}', '{"devices": [{"hardware_class": "cpu", "taints": {"a": 1}}]}']) WITH ORDINALITY AS t (d, no) ORDER BY no;
SELECT hwsched.submit('{"test_id": "w", "labels": {"zone": "eu", "team": "x", "nvlink": true}}', 'labels');
SELECT path, severity, hint FROM hwsched.check_requirements('{"test_id": "w", "labels": {"zone": "eu", "team": "x"}}', 'labels');
SELECT hwsched.drop_pool('labels');
