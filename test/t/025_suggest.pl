# Every change that suggest() names places the workload: a thousand of them are made, over random
# worlds and over a published trace, each in a transaction of its own that is rolled back.
use strict;
use warnings;
use File::Basename qw(dirname);
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('suggest');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hwsched;
CREATE TABLE tried (pool text, workload_id text, kind text, change jsonb, placed boolean);

-- Makes a change, or completes what is to be waited for, and tries to place the workload.
CREATE FUNCTION try(p text, w text, change jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    placed boolean;
    ids bigint[] := ARRAY(SELECT x::bigint FROM jsonb_array_elements_text(change -> 'wait_for') x);
BEGIN
    IF change ? 'wait_for' THEN
        PERFORM hwsched.start(a.assignment_id, p) FROM hwsched.assignment a
        WHERE a.pool = p AND a.assignment_id = ANY (ids) AND a.state = 'assigned';
        PERFORM hwsched.complete_many(ids, p);
    ELSE
        PERFORM hwsched.apply_suggestion(w, change, p);
    END IF;
    placed := EXISTS (SELECT FROM hwsched.schedule(w, p));
    RAISE EXCEPTION USING ERRCODE = 'HW000', MESSAGE = placed::text;
EXCEPTION WHEN SQLSTATE 'HW000' THEN
    RETURN SQLERRM::boolean;
END $$;
CREATE FUNCTION try_all(p text, skipped int, most int) RETURNS void LANGUAGE sql AS $$
    INSERT INTO tried
    SELECT p, w.workload_id, k.kind, s.change, try(p, w.workload_id, s.change)
    FROM (SELECT workload_id FROM hwsched.pending WHERE pool = p ORDER BY queue_no OFFSET skipped LIMIT most) w
    CROSS JOIN LATERAL hwsched.suggest(w.workload_id, p) s CROSS JOIN LATERAL jsonb_object_keys(s.change) k(kind)
$$;

-- One of some texts, or a number below another: as random() has it.
CREATE FUNCTION one_of(VARIADIC choices text[]) RETURNS text VOLATILE LANGUAGE sql AS $$
    SELECT choices[1 + floor(random() * cardinality(choices))::int]
$$;
CREATE FUNCTION maybe(chance float8, value jsonb) RETURNS jsonb VOLATILE LANGUAGE sql AS $$
    SELECT CASE WHEN random() < chance THEN value ELSE '{}' END
$$;

-- A fleet and a queue, different for each seed, as far as a batch has placed it.
CREATE PROCEDURE world(seed int) LANGUAGE plpgsql AS $$
DECLARE
    p text := 'world-' || seed;
BEGIN
    PERFORM setseed(seed / 1000.0);
    PERFORM hwsched.create_pool(p, jsonb_build_object('max_concurrent', 1 + floor(random() * 3), 'notify', false,
        'policy', one_of('{"hardware_aware": 1}', '{"packing": 1}', '{"cost": 0.5, "round_robin": 0.5}')::jsonb,
        'reservations', floor(random() * 3), 'limits', '{"seat": {"concurrent": 2}, "rate": {"per_minute": 1}}'::jsonb)
        || maybe(0.5, '{"tenants": {"a": {"quota": {"accelerators": 1, "workloads": 3}}}}'));
    FOR i IN 1 .. 4 + floor(random() * 8) LOOP
        PERFORM hwsched.register_worker('w' || i, jsonb_build_object('cpu_cores', 2 ^ (1 + floor(random() * 4)),
            'available_memory', 2 ^ (2 + floor(random() * 5)), 'cost_per_hour', floor(random() * 9),
            'labels', jsonb_build_object('zone', one_of('eu', 'us', 'asia')), 'software_versions', jsonb_build_object('python', one_of('3.9', '3.11', '3.12')))
            || maybe(0.2, '{"taints": {"spot": true}}') || maybe(0.2, '{"max_concurrent": 1}')
            || maybe(0.6, jsonb_build_object('devices', jsonb_build_array(jsonb_build_object('hardware_class', 'gpu', 'supported_backends', jsonb_build_array(one_of('cuda', 'rocm')),
                'model_name', one_of('A', 'B'), 'compute_units', 40, 'memory_total_bytes', 2 ^ (33 + floor(random() * 4)), 'count', 1 + floor(random() * 4))))), p);
        IF random() < 0.3 THEN
            PERFORM hwsched.update_load('w' || i, jsonb_build_object('cpu_utilization', 95, 'memory_utilization', 95, 'gpu_utilization', 95), p);
        END IF;
    END LOOP;
    FOR i IN 1 .. 30 + floor(random() * 30) LOOP
        PERFORM hwsched.submit(jsonb_build_object('test_id', 't' || i, 'priority', 1 + floor(random() * 5), 'expected_duration', 10 ^ (random() * 3))
            || maybe(0.4, jsonb_build_object('required_accelerators', jsonb_build_object('gpu', 1 + floor(random() * 3))))
            || maybe(0.4, jsonb_build_object('minimum_memory', 2 ^ floor(random() * 7)))
            || maybe(0.4, jsonb_build_object('cpu_cores', 1 + floor(random() * 16)))
            || maybe(0.2, jsonb_build_object('host_memory', 2 ^ floor(random() * 7)))
            || maybe(0.15, jsonb_build_object('required_labels', jsonb_build_object('zone', one_of('eu', 'us', 'mars'))))
            || maybe(0.15, jsonb_build_object('required_software', jsonb_build_object('python', one_of('3.11', '3.12', '3.14'))))
            || maybe(0.1, jsonb_build_object('required_backend', one_of('cuda', 'rocm', 'tpu')))
            || maybe(0.1, '{"exclusive": true}') || maybe(0.1, '{"group": "g", "group_apart": true}')
            || maybe(0.1, '{"concurrency_key": "seat"}') || maybe(0.1, '{"concurrency_key": "one"}') || maybe(0.1, '{"tenant": "a"}')
            || maybe(0.05, '{"concurrency_key": "rate"}') || maybe(0.05, '{"run_at": "2100-01-01"}')
            || maybe(CASE WHEN i > 1 THEN 0.1 ELSE 0 END, jsonb_build_object('depends_on', jsonb_build_array('t' || (1 + floor(random() * (i - 1))))))
            || maybe(0.1, '{"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 3, "max_shards": 4}'), p);
    END LOOP;
    PERFORM hwsched.assign_pending(pool => p);
    PERFORM hwsched.claim('w1', 3, false, p);
    IF random() < 0.3 THEN
        PERFORM hwsched.drain_worker('w2', p);
    END IF;
    IF random() < 0.2 THEN
        PERFORM hwsched.pause_pool(p);
    END IF;
END $$;
SQL

my $seed = 0;
while ($node->safe_psql('postgres', 'SELECT count(*) FROM tried') < 950)
{
	$seed++;
	$node->safe_psql('postgres', "SET client_min_messages = error; CALL world($seed); SELECT try_all('world-$seed', 0, 1000)");
	last if $seed > 60;
}
my $kinds = "SELECT string_agg(DISTINCT kind, ' ' ORDER BY kind) FROM tried";
is($node->safe_psql('postgres', $kinds), 'register_worker requirements settings wait_for', 'changes of every kind are suggested');
is($node->safe_psql('postgres', 'SELECT pool, workload_id, change FROM tried WHERE NOT placed'), '', 'each of them places its workload');

# The trace: its nodes, and its tasks until far more is asked for than there is.
my $data = dirname(__FILE__) . '/../../data/openb';
$node->safe_psql('postgres', <<"SQL");
SET client_min_messages = error;
CREATE TABLE node (sn text, cpu_milli bigint, memory_mib bigint, gpu int, model text);
\\copy node FROM '$data/openb_node_list_gpu_node.csv' CSV HEADER
CREATE TABLE line (line text);
\\copy line FROM '$data/openb_pod_list_default.csv' (FORMAT csv, HEADER, DELIMITER E'\\x01')
SELECT hwsched.create_pool('openb', '{"policy": {"packing": 1}, "max_concurrent": 100000, "notify": false}');
SELECT count(hwsched.register_worker(sn, jsonb_build_object('cpu_cores', cpu_milli / 1000.0, 'available_memory', memory_mib / 1024.0,
    'devices', jsonb_build_array(jsonb_build_object('hardware_class', 'gpu', 'vendor', 'nvidia', 'model_name', model, 'count', gpu,
        'supported_backends', '["cuda"]'::jsonb, 'compute_units', 80, 'memory_is_shared', true))), 'openb')) FROM node WHERE sn < 'openb-node-0400';
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object('test_id', f[1], 'test_type', 'training', 'expected_duration', 60,
    'cpu_cores', f[2]::int / 1000.0, 'host_memory', f[3]::int / 1024.0,
    'required_accelerators', CASE WHEN f[4]::int > 0 THEN jsonb_build_object('gpu', f[4]::int) END,
    'accelerator_share', CASE WHEN f[4]::int = 1 AND f[5]::int < 1000 THEN f[5]::int / 1000.0 END,
    'required_models', to_jsonb(string_to_array(nullif(f[6], ''), '|')))) ORDER BY md5(f[1])) FROM line, string_to_array(line, ',') f), 'openb');
SELECT hwsched.assign_pending(pool => 'openb');
SQL
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM hwsched.pending WHERE pool = 'openb'"), '>', 1000, 'much of the trace waits');
$node->safe_psql('postgres', "SET client_min_messages = error; SELECT try_all('openb', 100, 25)");
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM tried WHERE pool = 'openb'"), '>=', 100, 'changes are suggested for the trace');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM tried'), '>=', 1000, 'a thousand changes were made');
is($node->safe_psql('postgres', "SELECT workload_id, change FROM tried WHERE pool = 'openb' AND NOT placed"), '', 'each of them places its workload');

# Nothing of it writes, so that a standby answers.
is($node->safe_psql('postgres', "BEGIN READ ONLY; SELECT count(*) > 0 FROM hwsched.explain((SELECT workload_id FROM hwsched.pending WHERE pool = 'openb' LIMIT 1), 'openb'); SELECT txid_current_if_assigned() IS NULL; COMMIT"),
	"t\nt", 'explain() writes nothing');
done_testing();
