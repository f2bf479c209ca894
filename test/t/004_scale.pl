# A batch of some size: its result, being cancelled in the middle, and memory.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use IPC::Run qw(start timeout);
use Test::More;
use Time::HiRes qw(time sleep);

my $workers = 2000;
my $work = 20000;

my $node = new_node('scale');
$node->safe_psql('postgres', 'CREATE EXTENSION hwsched');

my $started = time;
my $step = sub {
	my ($what) = @_;
	note(sprintf('%s in %.2f s', $what, time - $started));
	$started = time;
};

# each has a CPU and a GPU of 5 slots; ten kinds of them
$node->safe_psql('postgres', <<"SQL");
SELECT count(hwsched.register_worker('w' || n, jsonb_build_object('cpu_cores', 8 + n % 10, 'available_memory', 64,
  'supported_backends', '["cuda"]'::jsonb))) FROM generate_series(1, $workers) n;
SQL
$step->("$workers workers registered");
$node->safe_psql('postgres', <<"SQL");
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || n, 'cpu_cores', (n % 5) * 0.1,
  'test_type', CASE n % 3 WHEN 0 THEN 'vision' WHEN 1 THEN 'nlp' ELSE 'mixed' END, 'priority', 1 + n % 5)) FROM generate_series(1, $work) n));
SQL
$step->("$work workloads submitted");
$node->safe_psql('postgres', 'ANALYZE');

# --- stopped in the middle, nothing is left

my $untouched = "SELECT (SELECT count(*) FROM hwsched.pending), (SELECT count(*) FROM hwsched.assignment),"
	. " (SELECT sum(assignments) + sum(total_assignments) FROM hwsched.worker_usage), (SELECT sum(slots) FROM hwsched.device_usage),"
	. " (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')";
is($node->safe_psql('postgres', $untouched), "$work|0|0|0|0", 'nothing is placed yet');
my $cancelled = 0;
for my $timeout (1, 5, 10, 20, 40, 60, 80, 100, 150)
{
	my $stderr = psql_error($node, 'postgres', "BEGIN; SET LOCAL statement_timeout = $timeout; SELECT hwsched.assign_pending(); ROLLBACK");
	$cancelled++ if $stderr =~ /canceling statement due to statement timeout/;
	my $state = $node->safe_psql('postgres', $untouched);
	is($state, "$work|0|0|0|0", "after a timeout of $timeout ms nothing is placed");
}
cmp_ok($cancelled, '>=', 3, "a batch was stopped $cancelled times by a timeout");

my ($in, $out, $err) = ("SELECT 'ready';\nSELECT hwsched.assign_pending();\n", '', '');
my $cancelling = 0;
for my $delay (0.02, 0.08)
{
	($in, $out, $err) = ("BEGIN; SELECT 'ready', pg_backend_pid();\n", '', '');
	my $psql = start([ 'psql', '-XAtq', '-h', $node->host, '-p', $node->port, '-U', 'postgres', 'postgres' ],
		'<', \$in, '>', \$out, '2>', \$err, timeout(60));
	$psql->pump until $out =~ /ready\|(\d+)\n/;
	my ($pid) = $out =~ /ready\|(\d+)/;
	$in .= "SELECT hwsched.assign_pending(); SELECT 'over'; ROLLBACK; SELECT 'next', count(*) FROM hwsched.plan_pending(10);\n\\q\n";
	$psql->pump_nb;
	sleep($delay);
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	$psql->finish;
	$cancelling++ if $err =~ /canceling statement due to user request/;
	like($out, qr/next\|10/, 'a session whose batch was cancelled goes on');
	is($node->safe_psql('postgres', $untouched), "$work|0|0|0|0", 'after a cancellation nothing is placed');
}
cmp_ok($cancelling, '>=', 1, "a batch was cancelled $cancelling times");

# an error after the decision is written: all of it is undone
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no more'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON hwsched.assignment FOR EACH ROW WHEN (NEW.workload_id = 't15000') EXECUTE FUNCTION refuse();
SQL
like(psql_error($node, 'postgres', 'SELECT hwsched.assign_pending()'), qr/no more/, 'an error in the middle of a batch');
is($node->safe_psql('postgres', $untouched), "$work|0|0|0|0", 'leaves nothing behind');
$node->safe_psql('postgres', 'DROP TRIGGER refuse ON hwsched.assignment');
$step->('stopped in many ways');

# --- the whole batch

is($node->safe_psql('postgres', 'SELECT count(*) FROM hwsched.plan_pending()'), $work, 'all of it is planned');
$step->('planned');
is($node->safe_psql('postgres', 'SELECT hwsched.assign_pending()'), $work, "$work workloads on $workers workers in one batch");
my $seconds = time - $started;
$step->('assigned');
cmp_ok($seconds, '<', 20, 'within seconds');
is($node->safe_psql('postgres', 'SELECT min(assignments), max(assignments) FROM hwsched.worker_reserved'), '10|10', 'every slot is used');
is(problems($node), '', 'usage, queue and assignments agree');
is($node->safe_psql('postgres', "SELECT hwsched.submit('{\"test_id\": \"more\"}'), hwsched.assign_pending()"), 'more|0', 'and what comes then waits');
is($node->safe_psql('postgres', 'SELECT reason, workloads FROM hwsched.explain_pending()') =~ /\|1$/ ? 1 : 0, 1, 'with a reason');
is($node->safe_psql('postgres', "SELECT sum(hwsched.complete_many(ids)) FROM (SELECT array_agg(assignment_id) AS ids FROM (SELECT c.assignment_id FROM generate_series(1, 50) n, hwsched.claim('w' || n, 9) c) x) y"),
	450, 'work of many workers completed in one call');
is($node->safe_psql('postgres', 'SELECT hwsched.assign_pending()'), 1, 'makes room');
is(problems($node), '', 'all agrees');
$step->('checked');

# --- memory: what a session keeps does not grow with the number of calls

my $round = <<'SQL';
SELECT hwsched.submit('{"test_id": "m", "cpu_cores": 0.1}', 'small');
SELECT count(*) FROM hwsched.plan_pending(pool => 'small');
SELECT hwsched.assign_pending(pool => 'small');
SELECT count(*) FROM hwsched.compatible_hardware('m', 'small');
SELECT count(*) FROM hwsched.explain_pending('small');
SELECT hwsched.complete(assignment_id, pool => 'small') FROM hwsched.claim('w1', pool => 'small');
SELECT hwsched.update_load('w1', '{"cpu_utilization": 1}', 'small');
SELECT hwsched.register_worker('w1', '{"cpu_cores": 4, "available_memory": 8}', 'small');
SQL
my $memory = "SELECT 'memory', sum(total_bytes), count(*) FROM pg_backend_memory_contexts;\n";
my $big = "SELECT hwsched.assign_pending();\n";
$node->safe_psql('postgres', "SELECT hwsched.create_pool('small'); SELECT hwsched.register_worker('w1', '{\"cpu_cores\": 4, \"available_memory\": 8}', 'small')");
# a full fleet, so that its batches place nothing; they read all of it
$node->safe_psql('postgres', "SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'x' || n, 'minimum_memory', 900)) FROM generate_series(1, 10) n))");
$out = $node->safe_psql('postgres', ($round x 20) . ($big x 3) . $memory . ($round x 180) . ($big x 17) . $memory);
my @memory = $out =~ /^memory\|(\d+)\|(\d+)$/mg;
is(scalar @memory, 4, 'memory was measured');
note("bytes in contexts: $memory[0] in $memory[1] after 20 rounds, $memory[2] in $memory[3] after 200");
cmp_ok($memory[2] - $memory[0], '<', 200_000, 'a session does not grow with its calls');
cmp_ok($memory[3] - $memory[1], '<', 20, 'nor do its memory contexts');

# the same when each call fails
$out = $node->safe_psql('postgres', <<"SQL");
\\set ON_ERROR_STOP 0
@{[ "SELECT hwsched.submit('{\"test_id\": 7}');\nSELECT hwsched.cancel('nobody');\nSELECT hwsched.complete(0);\nSELECT hwsched.register_worker('w', '{\"cpu_cores\": \"many\"}');\n" x 10 ]}
$memory
@{[ "SELECT hwsched.submit('{\"test_id\": 7}');\nSELECT hwsched.cancel('nobody');\nSELECT hwsched.complete(0);\nSELECT hwsched.register_worker('w', '{\"cpu_cores\": \"many\"}');\n" x 200 ]}
$memory
SQL
@memory = $out =~ /^memory\|(\d+)\|(\d+)$/mg;
note("bytes in contexts: $memory[0] after 10 rounds of errors, $memory[2] after 210");
cmp_ok($memory[2] - $memory[0], '<', 200_000, 'a session does not grow with its errors');
$step->('measured');

$node->stop;
done_testing();
