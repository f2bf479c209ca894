-- Drives work through SQL in the order in which simulate() lets it happen, and tells where the
-- two differ.
CREATE TABLE simulated (workload_id text, worker_id text, device_nos int[], submitted_at timestamptz, started_at timestamptz, finished_at timestamptz, joules float8, cost float8);
CREATE TABLE arrival (requirements jsonb, at float8, seconds_on jsonb);
CREATE TABLE different (workload_id text, simulated text, placed text);

-- A number from 0 to below 1 that depends on what it is for only.
CREATE FUNCTION chance(what text) RETURNS float8 LANGUAGE sql AS $$ SELECT ('x' || substr(md5(what), 1, 8))::bit(32)::bigint / 4294967296.0 $$;

-- A small cluster of several kinds of worker.
CREATE FUNCTION fleet() RETURNS TABLE (worker_id text, capabilities jsonb) LANGUAGE sql AS $$
  SELECT 'a' || w, '{"cpu_cores": 32, "available_memory": 128, "supported_backends": ["cuda"], "cost_per_hour": 3, "devices": [{"hardware_class": "gpu", "vendor": "nvidia", "architecture": "gpu_cuda", "model_name": "A100", "supported_backends": ["cuda"], "memory_total_bytes": 42949672960, "compute_units": 108, "count": 4}]}'::jsonb FROM generate_series(1, 4) w
  UNION ALL SELECT 'b' || w, '{"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cuda"], "cost_per_hour": 1, "devices": [{"hardware_class": "gpu", "vendor": "nvidia", "architecture": "gpu_cuda", "model_name": "T4", "supported_backends": ["cuda"], "memory_total_bytes": 17179869184, "compute_units": 40, "count": 2}]}' FROM generate_series(1, 5) w
  UNION ALL SELECT 'c' || w, '{"cpu_cores": 8, "available_memory": 32, "supported_backends": ["cpu"]}' FROM generate_series(1, 4) w
$$;

-- Lets time pass in a pool: what was written down lies so much further back.
CREATE PROCEDURE pass(seconds float8) LANGUAGE plpgsql AS $$
BEGIN
  UPDATE hwsched.assignment SET assigned_at = assigned_at - make_interval(secs => seconds), started_at = started_at - make_interval(secs => seconds) WHERE pool = 'driven';
  UPDATE hwsched.reserved_place SET starts_at = starts_at - make_interval(secs => seconds), backfill_until = backfill_until - make_interval(secs => seconds) WHERE pool = 'driven';
END $$;

CREATE PROCEDURE drive(workloads int, settings jsonb) LANGUAGE plpgsql AS $$
DECLARE
  own jsonb := settings || '{"learning": false, "notify": false, "lease": "300 days", "offline_after": "300 days"}';
  instant timestamptz;
  before timestamptz;
BEGIN
  TRUNCATE simulated, arrival, different;
  PERFORM hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'driven';
  PERFORM hwsched.create_pool('driven', own);
  PERFORM hwsched.register_worker(worker_id, capabilities, 'driven') FROM fleet();
  INSERT INTO arrival
  SELECT jsonb_strip_nulls(jsonb_build_object('test_id', 't' || i, 'test_type', (ARRAY['vision', 'training', 'inference'])[1 + i % 3],
      'model_id', 'model-' || i % 7, 'timeout', 1e8, 'priority', CASE WHEN chance('p' || i) < 0.1 THEN 1 ELSE 3 END,
      'expected_duration', 10 * (1 + i % 4), 'cpu_cores', CASE WHEN i % 4 = 0 THEN 1 + i % 8 END,
      'required_accelerators', CASE WHEN i % 3 > 0 THEN jsonb_build_object('gpu', (ARRAY[1, 1, 1, 2, 4])[1 + floor(5 * chance('g' || i))::int]) END,
      'accelerator_share', CASE WHEN i % 12 = 9 THEN 0.5 END,
      'concurrency_key', CASE WHEN i % 10 = 1 THEN 'key' END,
      'minimum_memory', CASE WHEN i % 5 = 0 THEN 20 WHEN i % 3 = 0 THEN 1 END)),
    3 * sum(CASE WHEN i % 5 = 0 THEN 0 ELSE -ln(1 - chance('a' || i)) END) OVER (ORDER BY i),
    jsonb_build_object('A100', 5 + 60 * chance('d' || i), 'T4', 10 + 90 * chance('e' || i))
  FROM generate_series(1, workloads) i;
  INSERT INTO simulated SELECT * FROM hwsched.simulate('{"arrivals": "arrival"}', 'driven');
  COMMIT;

  -- Of one instant what ends comes first, then what arrives, then one batch.  Where predicted
  -- ends count, all of it is one transaction, whose time stands still.
  FOR instant IN SELECT submitted_at FROM simulated UNION SELECT finished_at FROM simulated WHERE finished_at IS NOT NULL ORDER BY 1 LOOP
    CALL pass(extract(epoch FROM instant - before));
    before := instant;
    PERFORM hwsched.complete(a.assignment_id, NULL, 'driven') FROM simulated s JOIN hwsched.assignment a
      ON a.pool = 'driven' AND a.workload_id = s.workload_id AND a.state = 'running' WHERE s.finished_at = instant;
    PERFORM hwsched.submit_many(jsonb_agg(requirements ORDER BY substr(requirements ->> 'test_id', 2)::int), 'driven')
      FROM arrival WHERE requirements ->> 'test_id' IN (SELECT workload_id FROM simulated WHERE submitted_at = instant) HAVING count(*) > 0;
    PERFORM hwsched.assign_pending(pool => 'driven');
    IF settings @> '{"reservations": 0}' THEN COMMIT; END IF;
    INSERT INTO different
    SELECT coalesce(s.workload_id, a.workload_id), s.worker_id || s.device_nos::text, a.worker_id || a.device_nos::text
    FROM (SELECT * FROM simulated WHERE started_at = instant) s
    FULL JOIN (SELECT * FROM hwsched.assignment WHERE pool = 'driven' AND state = 'assigned') a USING (workload_id)
    WHERE (s.worker_id, s.device_nos) IS DISTINCT FROM (a.worker_id, a.device_nos);
    EXIT WHEN FOUND;
    PERFORM hwsched.start(assignment_id, 'driven') FROM hwsched.assignment WHERE pool = 'driven' AND state = 'assigned';
    UPDATE hwsched.assignment SET assigned_at = now(), started_at = now() WHERE pool = 'driven' AND state = 'running' AND started_at > now();
  END LOOP;
END $$;
