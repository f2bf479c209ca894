-- Why work waits, what would place it, and why it is where it is.
SET client_min_messages = warning;
\pset null '-'
SELECT hwsched.create_pool('why', '{"retry_backoff": "1 h"}');
SELECT hwsched.register_worker('big', '{"cpu_cores": 16, "available_memory": 64, "cost_per_hour": 4,
  "software_versions": {"python": "3.9"}, "labels": {"zone": "us"}, "devices": [
  {"hardware_class": "gpu", "model_name": "A100", "supported_backends": ["cuda"], "compute_units": 108,
   "memory_total_bytes": 85899345920, "count": 2}]}', 'why'),
       hwsched.register_worker('small', '{"cpu_cores": 4, "available_memory": 8, "taints": {"slow": true}}', 'why');
CREATE TEMP VIEW why AS
SELECT w.id, coalesce(e.worker_id, '-') AS worker_id, e.device_nos, e.verdict, e.rank,
       (SELECT string_agg(format('%s: %s', r ->> 'check', r ->> 'text'), '; ') FROM jsonb_array_elements(e.reasons) r) AS reasons
FROM (VALUES ('memory'), ('all'), ('two'), ('exclusive'), ('report'), ('later'), ('key'), ('quota')) w(id)
CROSS JOIN LATERAL hwsched.explain(w.id, 'why') e;

-- every check that fails, of each device, with its numbers
SELECT hwsched.submit('{"test_id": "runs", "minimum_memory": 68, "cpu_cores": 10, "required_accelerators": {"gpu": 1}, "expected_duration": 100, "concurrency_key": "licence"}', 'why');
SELECT hwsched.assign_pending(pool => 'why');
SELECT hwsched.alter_pool('why', '{"tenants": {"acme": {"quota": {"accelerators": 0}}}}');
SET client_min_messages = error;
SELECT hwsched.submit_many('[
  {"test_id": "memory", "minimum_memory": 200, "required_accelerators": {"gpu": 1}},
  {"test_id": "all", "required_backend": "rocm", "required_labels": {"zone": "eu"}, "required_software": {"python": "3.12"},
   "cpu_cores": 32, "host_memory": 100, "minimum_memory": 10},
  {"test_id": "two", "required_accelerators": {"gpu": 2}},
  {"test_id": "exclusive", "exclusive": true},
  {"test_id": "report", "depends_on": ["two"], "run_at": "2100-01-01"},
  {"test_id": "later", "cpu_cores": 8},
  {"test_id": "key", "concurrency_key": "licence"},
  {"test_id": "quota", "tenant": "acme", "required_accelerators": {"gpu": 1}}]', 'why');
SET client_min_messages = warning;
SELECT * FROM why WHERE id IN ('memory', 'all', 'two', 'exclusive');
SELECT * FROM why WHERE id NOT IN ('memory', 'all', 'two', 'exclusive') AND worker_id = '-';
-- the numbers are numbers
SELECT device_nos, r ->> 'check' AS "check", r -> 'needed' AS needed, r -> 'available' AS available, r -> 'total' AS total, r ->> 'unit' AS unit
FROM hwsched.explain('later', 'why'), jsonb_array_elements(reasons) r WHERE worker_id = 'big' ORDER BY 1, 2;
-- summed up, with the position of the first
SELECT reason, workloads, first_position, ready FROM hwsched.explain_pending('why');
SELECT "position", workload_id FROM hwsched.pending_workloads WHERE pool = 'why' ORDER BY 1 LIMIT 3;
-- of a worker that is not there
SELECT hwsched.drain_worker('big', 'why'), hwsched.pause_pool('why');
SELECT worker_id, verdict, reasons #>> '{0,check}' AS "check", reasons #>> '{0,text}' AS text FROM hwsched.explain('two', 'why') WHERE reasons @> '[{"check": "paused"}]' OR reasons @> '[{"check": "worker_drained"}]';
SELECT change FROM hwsched.suggest('two', 'why');
SELECT hwsched.resume_worker('big', 'why'), hwsched.resume_pool('why');

-- a decision as it was: the place, and the best of the others
SELECT worker_id, device_nos, verdict, rank, score, factors FROM hwsched.explain('runs', 'why');
SELECT hwsched.create_pool('scored', '{"policy": {"hardware_aware": 0.5, "cost": 0.3, "round_robin": 0.2}}');
SELECT hwsched.register_worker(w, jsonb_build_object('cpu_cores', cores, 'available_memory', 16, 'cost_per_hour', cost), 'scored')
FROM (VALUES ('cheap', 8, 1), ('fast', 64, 4)) v(w, cores, cost);
SELECT hwsched.submit('{"test_id": "a", "expected_duration": 60}', 'scored');
SELECT worker_id, verdict, rank, round(score::numeric, 4) AS score, factors FROM hwsched.explain('a', 'scored');
SELECT hwsched.assign_pending(pool => 'scored');
SELECT worker_id, verdict, rank, round(score::numeric, 4) AS score, factors FROM hwsched.explain('a', 'scored');
SELECT hwsched.alter_pool('scored', '{"decision_detail": "winner"}');
SELECT hwsched.submit('{"test_id": "b"}', 'scored');
SELECT worker_id FROM hwsched.schedule('b', 'scored');
SELECT verdict, factors IS NOT NULL AS kept FROM hwsched.explain('b', 'scored');
SELECT hwsched.alter_pool('scored', '{"decision_detail": "none"}');
SELECT hwsched.submit('{"test_id": "c"}', 'scored');
SELECT worker_id FROM hwsched.schedule('c', 'scored');
SELECT verdict, factors IS NOT NULL AS kept FROM hwsched.explain('c', 'scored');
SELECT hwsched.alter_pool('scored', '{"decision_detail": "all"}');

-- what would place it now
SELECT w, CASE WHEN change ? 'wait_for' THEN jsonb_build_object('wait_for', jsonb_array_length(change -> 'wait_for')) ELSE change END AS change, effect ~ '^would be placed' AS told, cost > 0 AS costs
FROM unnest('{memory,all,two,exclusive,report,later,key,quota}'::text[]) w, hwsched.suggest(w, 'why') WHERE NOT change ? 'register_worker';
SELECT w, change #>> '{register_worker,worker_id}' AS worker_id, cost FROM unnest('{memory,two,all}'::text[]) w, hwsched.suggest(w, 'why') WHERE change ? 'register_worker';
-- it does
SELECT hwsched.apply_suggestion('two', (SELECT change FROM hwsched.suggest('two', 'why') WHERE change ? 'requirements' ORDER BY cost LIMIT 1), 'why');
SELECT worker_id FROM hwsched.schedule('two', 'why');
SELECT hwsched.apply_suggestion('quota', (SELECT change FROM hwsched.suggest('memory', 'why') WHERE change ? 'register_worker'), 'why');
SELECT worker_id FROM hwsched.schedule('memory', 'why');
SELECT hwsched.apply_suggestion('memory', '{"settings": {"max_load": 0.95}}', 'why');
SELECT value FROM hwsched.pool_settings('why') WHERE name = 'max_load';
SET client_min_messages = notice;
SELECT hwsched.apply_suggestion('later', '{"wait_for": [1]}', 'why');
SELECT hwsched.apply_suggestion('later', '{"wish": 1}', 'why');
SELECT hwsched.apply_suggestion('later', NULL, 'why');
-- nothing is to be suggested for what is placed, or unknown
SELECT count(*) FROM hwsched.suggest('runs', 'why');
SELECT * FROM hwsched.suggest('nobody', 'why');
SELECT * FROM hwsched.explain('nobody', 'why');
SELECT * FROM hwsched.explain('two', 'nowhere');
-- all of it reads
BEGIN READ ONLY;
SELECT count(*) > 0 FROM hwsched.explain('later', 'why');
SELECT count(*) >= 0 FROM hwsched.suggest('later', 'why');
SELECT count(*) > 0 FROM hwsched.explain_pending('why');
COMMIT;
SELECT hwsched.cancel_many('{}', 'why');
SELECT reasons #>> '{0,text}' FROM hwsched.explain('later', 'why');
SELECT hwsched.drop_pool('why'), hwsched.drop_pool('scored');
