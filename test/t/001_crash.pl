# Many clients at once, and a server that is killed under them: nothing is lost
# or counted twice, and nobody waits in a circle.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use IPC::Run qw(start timeout);
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('crash');
$node->safe_psql('postgres', 'CREATE EXTENSION hwsched');
$node->safe_psql('postgres', <<'SQL');
-- what went wrong that should not, counted
CREATE TABLE trouble (sqlstate text, call text, message text);
CREATE FUNCTION try(call text, OUT result text) LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'SELECT ' || call;
  result = 'done';
EXCEPTION
  WHEN object_not_in_prerequisite_state OR no_data_found OR unique_violation THEN
    result = sqlstate;
  WHEN OTHERS THEN
    INSERT INTO trouble VALUES (sqlstate, call, sqlerrm);
    result = sqlstate;
END $$;
-- in pool p1 the hardware stays; in p2 workers come, go and change
DO $$
BEGIN
  FOR p IN 1 .. 2 LOOP
    PERFORM hwsched.create_pool('p' || p, '{"max_concurrent": 3, "retry_backoff": "0 s", "quarantine_after": 1000}');
    FOR w IN 1 .. 4 LOOP
      PERFORM hwsched.register_worker('w' || w, '{"cpu_cores": 6, "available_memory": 12, "supported_backends": ["cuda"],
        "available_accelerators": {"cuda": 2}, "max_concurrent": 5}', 'p' || p);
    END LOOP;
  END LOOP;
END $$;
SQL

my $script = $node->basedir . '/mixed.sql';
append_to_file($script, <<'SQL');
\set op random(1, 100)
\set p random(1, 2)
\set w random(1, 4)
\set n random(1, 80)
\if :op <= 30
SELECT try(format('hwsched.submit(%L, %L)', jsonb_build_object('test_id', 't' || :n, 'cpu_cores', :n % 3, 'host_memory', :n % 4,
  'minimum_memory', :n % 5, 'retries', :n % 3, 'test_type', CASE WHEN :n % 2 = 0 THEN 'vision' ELSE 'nlp' END)
  || CASE WHEN :n % 6 = 0 THEN '{"required_accelerators": {"cuda": 1}}' WHEN :n % 6 = 1 THEN '{"accelerator_share": 0.4}' ELSE '{}' END::jsonb, 'p' || :p));
\elif :op <= 42
SELECT try(format('hwsched.assign_pending(pool => %L)', 'p' || :p));
\elif :op <= 58
SELECT try(format('hwsched.claim(%L, 2, pool => %L)', 'w' || :w, 'p' || :p));
\elif :op <= 72
SELECT try(format('hwsched.complete(%s, pool => %L)', assignment_id, pool)) FROM (SELECT assignment_id, pool FROM hwsched.assignment WHERE state = 'running' AND pool = 'p' || :p ORDER BY random() LIMIT 1) x;
\elif :op <= 80
SELECT try(format('hwsched.fail(%s, %L, %L)', assignment_id, 'broken', pool)) FROM (SELECT assignment_id, pool FROM hwsched.assignment WHERE state IN ('assigned', 'running') AND pool = 'p' || :p ORDER BY random() LIMIT 1) x;
\elif :op <= 84
SELECT try(format('hwsched.cancel(%L, %L)', 't' || :n, 'p' || :p));
\elif :op <= 86
SELECT try(format('hwsched.schedule(%L, %L)', 't' || :n, 'p' || :p));
\elif :op <= 88
SELECT try(format('hwsched.complete_many(ARRAY[%s]::bigint[], %L)', string_agg(assignment_id::text, ','), 'p' || :p)) FROM (SELECT assignment_id FROM hwsched.assignment WHERE state = 'running' AND pool = 'p' || :p ORDER BY random() LIMIT 3) x;
\elif :op <= 93
SELECT try(format('hwsched.update_load(%L, %L, %L)', 'w' || :w, '{"cpu_utilization": 20, "devices": [{"device_no": 0, "utilization": 30}]}', 'p' || :p));
\elif :op <= 97
SELECT try(format('hwsched.register_worker(%L, %L, %L)', 'w' || :w, jsonb_build_object('cpu_cores', 4 + :n % 3, 'available_memory', 12,
  'supported_backends', '["cuda"]'::jsonb, 'available_accelerators', jsonb_build_object('cuda', 1 + :n % 2)), 'p2'));
\elif :op <= 98
SELECT try(format('hwsched.unregister_worker(%L, %L)', 'w' || :w, 'p2'));
\else
SELECT try(format('hwsched.alter_pool(%L, %L)', 'p2', jsonb_build_object('max_concurrent', 3)));
\endif
SQL

sub pgbench
{
	my ($seconds, $file) = @_;
	return [ 'pgbench', '-n', '-c', 8, '-j', 2, '-T', $seconds, '-f', $file // $script,
		'-h', $node->host, '-p', $node->port, '-U', 'postgres', 'postgres' ];
}

# In pool p1, whose hardware stays, nothing is over its capacity.
my $over = <<'SQL';
SELECT 'device', u.worker_id, u.device_no FROM hwsched.device_reserved u JOIN hwsched.device d USING (pool, worker_id, device_no)
WHERE u.pool = 'p1' AND (u.slots / 3.0 + u.share / 1000000.0 > 1.000001 OR u.memory_bytes > d.memory_bytes)
UNION ALL
SELECT 'worker', w.worker_id, NULL FROM hwsched.worker w JOIN hwsched.worker_reserved u USING (pool, worker_id)
WHERE w.pool = 'p1' AND (u.assignments > 5 OR u.cpu_millicores > w.cpu_millicores OR
  u.host_memory_bytes + coalesce((SELECT sum(x.memory_bytes) FROM hwsched.device_reserved x JOIN hwsched.device d USING (pool, worker_id, device_no)
    WHERE x.pool = w.pool AND x.worker_id = w.worker_id AND d.uses_host_memory), 0) > w.memory_bytes)
SQL

my $trouble = "SELECT sqlstate, regexp_replace(message, '[0-9]+', 'N', 'g'), count(*), min(call) FROM trouble GROUP BY 1, 2";

# --- eight clients, undisturbed

my ($out, $err) = ('', '');
ok(IPC::Run::run(pgbench(7), '>', \$out, '2>', \$err), 'eight clients work on two pools') or diag($err);
unlike($err, qr/deadlock|aborted/, 'no client was aborted');
my ($done) = $out =~ /actually processed: (\d+)/;
note("transactions: $done");
is($node->safe_psql('postgres', $trouble), '', 'no deadlock and no other error than that of a state');
is(problems($node), '', 'usage, queue and assignments agree');
is($node->safe_psql('postgres', $over), '', 'no capacity is exceeded');
is( $node->safe_psql('postgres',
		"SELECT count(*) > 50 AND count(*) FILTER (WHERE state = 'completed') > 20 AND count(*) FILTER (WHERE state = 'failed') > 5 FROM hwsched.assignment"),
	't', 'there was something to do');

# --- all at one worker, which comes and goes: nobody waits in a circle

my $storm = $node->basedir . '/storm.sql';
append_to_file($storm, <<'SQL');
\set op random(1, 12)
\set n random(1, 20)
\if :op <= 2
SELECT try(format('hwsched.submit(%L, %L)', jsonb_build_object('test_id', 't' || :n), 'p4'));
\elif :op <= 3
SELECT try(format('hwsched.assign_pending(pool => %L)', 'p4'));
\elif :op <= 5
SELECT try(format('hwsched.fail(%s, %L, %L)', assignment_id, 'broken', 'p4')) FROM (SELECT assignment_id FROM hwsched.assignment WHERE state IN ('assigned', 'running') AND pool = 'p4' LIMIT 1) x;
\elif :op <= 6
SELECT try(format('hwsched.claim(%L, pool => %L)', 'w', 'p4'));
\elif :op <= 7
SELECT try(format('hwsched.complete(%s, pool => %L)', assignment_id, 'p4')) FROM (SELECT assignment_id FROM hwsched.assignment WHERE state = 'running' AND pool = 'p4' LIMIT 1) x;
\elif :op <= 9
SELECT try(format('hwsched.register_worker(%L, %L, %L)', 'w', jsonb_build_object('cpu_cores', 4 + :n % 2, 'available_memory', 12), 'p4'));
\elif :op <= 10
SELECT try(format('hwsched.unregister_worker(%L, %L)', 'w', 'p4'));
\elif :op <= 11
SELECT try(format('hwsched.update_load(%L, %L, %L)', 'w', '{"cpu_utilization": 20, "devices": [{"device_no": 0, "utilization": 30}]}', 'p4'));
\else
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '1 minute' WHERE pool = 'p4';
\endif
SQL
$node->safe_psql('postgres', "SELECT hwsched.create_pool('p4', '{\"retry_backoff\": \"0 s\", \"quarantine_after\": 1000}'); ALTER SYSTEM SET deadlock_timeout = '50ms'; SELECT pg_reload_conf()");
ok(IPC::Run::run(pgbench(5, $storm), '>', \$out, '2>', \$err), 'eight clients work on one worker') or diag($err);
is($node->safe_psql('postgres', $trouble), '', 'no deadlock and no other error than that of a state');
is(problems($node), '', 'usage, queue and assignments agree');

# --- killed in the middle of it, twice

for my $round (1 .. 2)
{
	my $before = $node->safe_psql('postgres', 'SELECT coalesce(max(assignment_id), 0) FROM hwsched.assignment');
	my $h = start(pgbench(30), '>', \$out, '2>', \$err);
	$node->poll_query_until('postgres', "SELECT max(assignment_id) > $before + 20 FROM hwsched.assignment");
	$node->stop('immediate');
	$h->finish;
	$node->start;
	is(problems($node), '', "crash $round: usage, queue and assignments agree");
	is($node->safe_psql('postgres', $over), '', "crash $round: no capacity is exceeded");
	cmp_ok($node->safe_psql('postgres', 'SELECT max(assignment_id) FROM hwsched.assignment'), '>', $before,
		"crash $round: what was committed is there");
}

# --- an uncommitted batch is gone with the server, and the pool is free again

$node->safe_psql('postgres', <<'SQL');
SELECT hwsched.create_pool('p3', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4, "available_memory": 8}', 'p3');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'u' || n)) FROM generate_series(1, 3) n), 'p3');
SQL
my ($in, $said, $complained) = ("BEGIN; SELECT 'placed', hwsched.assign_pending(pool => 'p3');\n", '', '');
my $psql = start([ 'psql', '-XAtq', '-h', $node->host, '-p', $node->port, '-U', 'postgres', 'postgres' ],
	'<', \$in, '>', \$said, '2>', \$complained, timeout(60));
$psql->pump until $said =~ /placed\|3/;
$node->stop('immediate');
eval { $psql->finish };
$node->start;
is($node->safe_psql('postgres', "SELECT count(*) FROM hwsched.workload WHERE pool = 'p3' AND state = 'pending'"), 3,
	'an uncommitted batch is undone');
is($node->safe_psql('postgres', "SELECT hwsched.assign_pending(pool => 'p3')"), 3, 'and can be done again');
is(problems($node), '', 'all agrees');

$node->stop;
done_testing();
