# schedule() reads only part of the fleet, and yet it chooses what scoring all of
# it chooses: on random fleets, each choice is compared with the plan of a queue
# that holds just that workload.  Some fleets are made of few values (variety 1),
# so that ties are the rule, or of two reports and few kinds of hardware (0), and
# some of many (2), so that hardly any are equal.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use Test::More;

my $node = new_node('seek');
$node->safe_psql('postgres', 'CREATE EXTENSION hwsched');

$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION pick(VARIADIC choices text[]) RETURNS text LANGUAGE sql VOLATILE
AS 'SELECT choices[1 + floor(random() * cardinality(choices))::int]';

CREATE FUNCTION capabilities(variety int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT pick(
		'{"cpu_cores": 8, "available_memory": 32}',
		'{"cpu_cores": 8, "available_memory": 32, "max_concurrent": 2}',
		'{"cpu_cores": 4, "available_memory": 16, "supported_backends": ["cuda"]}',
		'{"cpu_cores": 4, "available_memory": 16, "supported_backends": ["cuda"], "software_versions": {"python": "3.11"}}',
		'{"cpu_cores": 16, "available_memory": 64, "available_accelerators": {"gpu": 3}}',
		'{"cpu_cores": 16, "available_memory": 64, "available_accelerators": {"gpu": 2, "tpu": 1}}',
		'{"supported_backends": ["webgpu"]}',
		'{"cpu_cores": 8, "available_memory": 32, "devices": [{"hardware_class": "gpu", "supported_backends": ["rocm"], "memory_total_bytes": 8589934592, "idle_celsius": 20, "throttle_celsius": 80},
			{"hardware_class": "gpu", "supported_backends": ["cuda"], "memory_total_bytes": 4294967296, "compute_units": 80, "throttle_celsius": 100}]}')::jsonb
		-- more kinds of hardware than are read one by one
		|| CASE WHEN variety > 0 AND random() < 0.7 THEN jsonb_build_object('cpu_cores', 4 + floor(random() * 10)) ELSE '{}' END
$$;

CREATE FUNCTION requirements(test_id text) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT jsonb_build_object('test_id', test_id, 'priority', 1, 'test_type', pick('vision', 'nlp', 'audio', 'inference', 'mixed'),
		'expected_duration', pick('60', '500')::int) || pick(
		'{}', '{}', '{"minimum_memory": 2}', '{"cpu_cores": 2}', '{"host_memory": 6, "cpu_cores": 1}', '{"required_backend": "gpu"}', '{"preferred_backend": "cuda"}',
		'{"required_accelerators": {"gpu": 1}}', '{"required_accelerators": {"gpu": 3}}', '{"required_accelerators": {"gpu": 1, "tpu": 1}}', '{"required_accelerators": {"cuda": 2}}',
		'{"required_accelerators": {"cpu": 1}}', '{"accelerator_share": 0.3}', '{"accelerator_share": 0.5, "required_accelerators": {"cuda": 1}}', '{"required_software": {"python": "3.10"}}')::jsonb
$$;

CREATE FUNCTION load(variety int, devices int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN variety = 0 THEN pick('{"cpu_utilization": 30, "gpu_utilization": 10, "temperature": 0.3}', '{"cpu_utilization": 37}')::jsonb ELSE
		jsonb_build_object('cpu_utilization', u[1], 'memory_utilization', u[2], 'gpu_utilization', u[3], 'io_utilization', u[4])
		|| CASE pick('none', 'scale', 'celsius') WHEN 'scale' THEN jsonb_build_object('temperature', CASE WHEN variety < 2 THEN pick('0', '0.5')::float8 ELSE random() END)
			WHEN 'celsius' THEN jsonb_build_object('temperature_celsius', 20 + CASE WHEN variety < 2 THEN 40 ELSE random() * 90 END) ELSE '{}' END
		|| CASE WHEN devices > 0 AND random() < 0.3 THEN jsonb_build_object('devices', (SELECT jsonb_agg(jsonb_build_object('device_no', n, 'utilization', CASE WHEN variety < 2 THEN pick('0', '30', '90')::float8 ELSE random() * 100 END,
			'temperature_celsius', CASE WHEN random() < 0.5 THEN 30 + random() * 50 END)) FROM generate_series(0, devices - 1) n)) ELSE '{}' END END
	FROM (SELECT array_agg(CASE WHEN variety < 2 THEN pick('0', '40', '80', '100')::float8 ELSE random() * 100 END) AS u FROM generate_series(1, 4)) AS r
$$;

CREATE FUNCTION change(variety int, n int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	worker text := 'w' || 1 + floor(random() * n)::int;
	ids bigint[];
BEGIN
	CASE pick('load', 'load', 'load', 'hot', 'age', 'phase', 'drain', 'register', 'finish', 'finish', 'prefer', 'batch')
	WHEN 'load' THEN PERFORM hwsched.update_load(worker, load(variety, (SELECT count(*)::int FROM hwsched.device WHERE pool = 'seek' AND worker_id = worker)), 'seek');
	WHEN 'hot' THEN PERFORM hwsched.update_load(worker, '{"cpu_utilization": 100, "memory_utilization": 100, "gpu_utilization": 100, "io_utilization": 100, "temperature": 1}', 'seek');
		-- and cools down without saying how hot it is
		PERFORM hwsched.update_load(worker, '{"cpu_utilization": 20}', 'seek') WHERE random() < 0.5;
	WHEN 'phase' THEN
		PERFORM hwsched.start_warming(worker, '100 s', 'seek');
		UPDATE hwsched.worker_load SET phase = pick('warming', 'cooling')::hwsched.thermal_phase, phase_since = now() - make_interval(secs => floor(random() * 12) * 10) WHERE pool = 'seek' AND worker_id = worker;
	WHEN 'age' THEN
		UPDATE hwsched.worker_load SET reported_at = reported_at - interval '10 s' WHERE pool = 'seek';
		UPDATE hwsched.pool_activity SET done_at = done_at - interval '10 s' WHERE pool = 'seek' AND activity = 'oldest_report';
		UPDATE hwsched.device_heat SET model[2] = model[2] - 10 WHERE pool = 'seek';
	WHEN 'drain' THEN
		PERFORM hwsched.drain_worker(worker, 'seek');
		PERFORM hwsched.resume_worker(worker_id, 'seek') FROM hwsched.worker WHERE pool = 'seek' AND state = 'draining' AND random() < 0.3;
	WHEN 'register' THEN PERFORM hwsched.register_worker(worker, capabilities(variety), 'seek');
	WHEN 'finish' THEN
		PERFORM hwsched.start(assignment_id, 'seek'), hwsched.complete(assignment_id, pool => 'seek') FROM hwsched.assignment WHERE pool = 'seek' AND state = 'assigned' AND random() < 0.1;
	WHEN 'prefer' THEN
		INSERT INTO hwsched.track_record SELECT 'seek', type, worker, p.preference, 1, now() FROM unnest('{vision,nlp,audio,inference,mixed}'::text[]) AS type, LATERAL (SELECT CASE WHEN variety < 2 THEN pick('0.4', '0.5', '0.6')::float8 ELSE random() END AS preference) AS p
		WHERE random() < 0.5 ON CONFLICT (pool, workload_type, worker_id) DO UPDATE SET preference = EXCLUDED.preference;
	WHEN 'batch' THEN
		PERFORM hwsched.submit(jsonb_build_object('cpu_cores', 0.1), 'seek') FROM generate_series(1, 10);
		PERFORM hwsched.assign_pending(pool => 'seek');
		PERFORM hwsched.cancel(workload_id, 'seek') FROM hwsched.pending WHERE pool = 'seek';
	END CASE;
END $$;

CREATE TABLE choice (round int, call int, requirements jsonb, planned text, chosen text);

-- One fleet: calls of schedule(), each beside the plan, and changes between them
CREATE PROCEDURE round(round int, workers int, calls int, variety int, reported float8, settings jsonb, INOUT result text DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	wanted jsonb;
	planned text;
	chosen text;
	wrong int := 0;
	placed int := 0;
BEGIN
	PERFORM setseed(round / 100.0);
	PERFORM hwsched.create_pool('seek', settings);
	PERFORM hwsched.register_worker('w' || i, capabilities(variety), 'seek') FROM generate_series(1, workers) i;
	PERFORM hwsched.update_load('w' || i, load(variety, 1), 'seek') FROM generate_series(1, workers) i WHERE random() < reported;
	FOR n IN 1 .. calls LOOP
		PERFORM hwsched.cancel(workload_id, 'seek') FROM hwsched.pending WHERE pool = 'seek';
		wanted := requirements('t' || n);
		PERFORM hwsched.submit(wanted, 'seek');
		planned := (SELECT format('%s %s', worker_id, device_nos) FROM hwsched.plan_pending(1, 'seek'));
		chosen := (SELECT format('%s %s', worker_id, device_nos) FROM hwsched.schedule('t' || n, 'seek'));
		IF planned IS DISTINCT FROM chosen THEN
			wrong := wrong + 1;
			INSERT INTO choice VALUES (round, n, wanted, planned, chosen);
		END IF;
		placed := placed + (chosen IS NOT NULL)::int;
		PERFORM change(variety, workers) FROM generate_series(1, floor(random() * 3)::int);
		IF n % 100 = 50 THEN
			PERFORM hwsched.alter_pool('seek', format('{"max_concurrent": %s}', 1 + n / 100 % 4)::jsonb);
		END IF;
		COMMIT;
	END LOOP;
	PERFORM hwsched.drop_pool('seek');
	-- both answers have to be frequent, or the comparison means nothing
	result := format('%s wrong, %s', wrong, CASE WHEN placed BETWEEN calls / 4 AND calls THEN 'many placed' ELSE placed || ' placed' END);
END $$;
SQL

my @rounds = (
	[ 'an idle fleet', "60, 300, 1, 0, '{}'" ],
	[ 'two different loads', "200, 300, 0, 1, '{}'" ],
	[ 'few different loads', "60, 300, 1, 1, '{}'" ],
	[ 'many different loads', "100, 300, 2, 1, '{}'" ],
	[ 'half of it idle, and preferences that count much', "100, 300, 2, 0.5, '{\"preference_weight\": 1}'" ],
	[ 'a least score and a lower load limit', "60, 300, 1, 1, '{\"min_score\": 0.7, \"max_load\": 0.6}'" ],
	[ 'preferences that do not count, and few slots', "60, 300, 1, 0.5, '{\"preference_weight\": 0, \"max_concurrent\": 2}'" ],
	[ 'a fleet that is mostly full', "6, 300, 1, 0.5, '{}'" ],
	[ 'a larger fleet', "400, 200, 1, 0.9, '{}'" ]);
my $number = 0;
for (@rounds)
{
	my ($what, $arguments) = @$_;
	$number++;
	is($node->safe_psql('postgres', "CALL round($number, $arguments)"), '0 wrong, many placed', $what);
}
is($node->safe_psql('postgres', 'SELECT * FROM choice LIMIT 5'), '', 'the choice is always that of scoring the whole fleet');

$node->stop;
done_testing();
