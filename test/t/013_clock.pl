# A clock that jumps: hours ahead, and further back.  Leases run out, waits get
# longer or shorter; nothing is lost, no time is negative, the order stays.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use PostgreSQL::Test::Utils;
use Test::More;

my ($library) = glob '/usr/lib/*/faketime/libfaketime.so.1';
plan skip_all => 'libfaketime is not installed' unless defined $library;

my $node = new_node('clock');
$node->stop;
my $offset = $node->basedir . '/offset';
append_to_file($offset, '+0');
{
	local %ENV = (%ENV, LD_PRELOAD => $library, FAKETIME_TIMESTAMP_FILE => $offset, FAKETIME_NO_CACHE => 1, DONT_FAKE_MONOTONIC => 1, NO_FAKE_STAT => 1);
	$node->start;
}

# Sets the server's clock to so many seconds before or after the real one.
sub jump
{
	my ($seconds) = @_;
	open(my $handle, '>', "$offset.new") or die;
	print $handle $seconds;
	close $handle;
	rename "$offset.new", $offset or die;
	$node->poll_query_until('postgres', "SELECT abs(extract(epoch FROM now()) - ($seconds) - @{[ time ]}) < 60")
		or die 'the clock does not jump';
	return;
}

sub sql { return $node->safe_psql('postgres', $_[0]) }

# Returns what is negative of all that views and tables say of durations.
sub negatives
{
	return sql(<<'SQL');
SELECT 'waiting', workload_id FROM hwsched.pending_workloads WHERE wait_seconds < 0
UNION ALL SELECT 'silent', worker_id FROM hwsched.worker_status WHERE silent_seconds < 0
UNION ALL SELECT 'execution', workload_id FROM hwsched.execution_times WHERE actual_seconds < 0 OR start_wait_seconds < 0
UNION ALL SELECT 'level', worker_id FROM hwsched.thermal_states WHERE performance_level_ratio NOT BETWEEN 0 AND 1
UNION ALL SELECT 'workload', workload_id FROM hwsched.submission WHERE closed_at < submitted_at
SQL
}

sub complete { return sql("SELECT hwsched.complete(assignment_id) FROM hwsched.assignment WHERE workload_id = '$_[0]' AND finished_at IS NULL") }

sql(<<'SQL');
CREATE EXTENSION hwsched;
SELECT hwsched.alter_pool('default', '{"lease": "60 s", "retry_backoff": "1 s", "ageing": 0.1}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 4, "available_memory": 8, "max_concurrent": 2}') FROM unnest(ARRAY['w1', 'w2']) w;
SELECT hwsched.start_warming('w1', '10 min');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'a' || n, 'timeout', 86400)) FROM generate_series(1, 6) n));
SELECT hwsched.assign_pending();
SELECT count(*) FROM hwsched.claim('w1', 1);
SELECT count(*) FROM hwsched.claim('w2', 1);
SQL
my %on = map { split /\|/ } split /\n/, sql("SELECT worker_id, workload_id FROM hwsched.assignment WHERE state = 'running'");
is(join(' ', sort keys %on), 'w1 w2', 'one runs on each worker');
is(sql("SELECT string_agg(state || ' ' || n, ', ' ORDER BY state) FROM (SELECT state, count(*) AS n FROM hwsched.workload GROUP BY state) s"), 'pending 2, assigned 2, running 2', 'others have a place, others wait');

# --- ahead: what nobody extends in time is taken back, what somebody extends is not

jump('+7200');
sql("SELECT hwsched.heartbeat('w1')");
sql('SELECT hwsched.maintain()');
is(problems($node), '', 'ahead: all agrees');
is(negatives(), '', 'ahead: nothing is negative');
is(sql("SELECT string_agg(worker_id || ' ' || state, ', ' ORDER BY worker_id) FROM hwsched.assignment WHERE started_at IS NOT NULL"), 'w1 running, w2 expired', 'ahead: the lease of who is silent has run out, that of who is not goes on');
is(sql("SELECT count(*) FROM hwsched.workload WHERE state IN ('pending', 'assigned', 'running')"), 6, 'ahead: nothing is lost');
complete($on{w1});
is(sql("SELECT state || ' ' || (actual_seconds >= 7200) FROM hwsched.workload JOIN hwsched.execution_times USING (pool, workload_id) WHERE workload_id = '$on{w1}'"), 'completed true', 'ahead: it can be completed, and took that long');
my $late = psql_error($node, 'postgres', "SELECT hwsched.complete(assignment_id) FROM hwsched.assignment WHERE workload_id = '$on{w2}' AND state = 'expired'");
like($late, qr/its lease is lost/, 'ahead: who comes too late is told so');

# --- back, behind where it began: what was put off is not put off for hours

sql(<<'SQL');
SELECT hwsched.heartbeat(w) FROM unnest(ARRAY['w1', 'w2']) w;
SELECT hwsched.assign_pending();
SELECT count(*) FROM hwsched.claim('w1');
SELECT count(*) FROM hwsched.claim('w2');
SELECT hwsched.submit_many('[{"test_id": "b1"}, {"test_id": "b2"}]');
-- one fails, and is put off by a second of a clock that is hours ahead
SELECT hwsched.fail(min(assignment_id), 'broken') FROM hwsched.assignment WHERE state = 'running';
SQL
jump('-7200');
is(problems($node), '', 'back: all agrees');
is(negatives(), '', 'back: nothing is negative');
my $running = sql("SELECT string_agg(workload_id, ',' ORDER BY workload_id) FROM hwsched.assignment WHERE state = 'running'");
sql("SELECT hwsched.maintain(); SELECT hwsched.assign_pending()");
is(sql("SELECT string_agg(workload_id, ',' ORDER BY workload_id) FROM hwsched.assignment WHERE state = 'running'"), $running, 'back: what runs runs on');
my ($silent, @others) = split /,/, $running;
complete($_) for @others;
is(sql("SELECT count(*) FROM hwsched.assignment WHERE finished_at < started_at OR finished_at < assigned_at"), 0, 'back: what is completed ends no earlier than it began');
is(problems($node), '', 'back: all agrees');
is(negatives(), '', 'back: nothing is negative');

# what runs on a worker that died when the clock was ahead is not kept until it is there again
jump('-6900');
sql('SELECT hwsched.maintain()');
like(sql("SELECT string_agg(state || ' ' || error, ', ') FROM hwsched.assignment WHERE workload_id = '$silent' AND started_at IS NOT NULL AND error ~ 'lease|silent' AND assignment_id = (SELECT max(assignment_id) FROM hwsched.assignment b WHERE b.workload_id = '$silent' AND b.started_at IS NOT NULL)"),
	qr/^expired the (lease ran out|worker is silent)$/, 'back: who is silent loses its lease in time');
is(sql("SELECT string_agg(DISTINCT health::text, ' ') FROM hwsched.worker"), 'offline', 'back: and is known to be offline');
sql("SELECT hwsched.heartbeat(w) FROM unnest(ARRAY['w1', 'w2']) w");
is(problems($node), '', 'back: all agrees');

# new work has its place behind the old
sql(q[SELECT hwsched.submit_many('[{"test_id": "c1"}, {"test_id": "c2", "priority": 1}]')]);
for (1 .. 40)
{
	sql('SELECT hwsched.maintain(); SELECT hwsched.assign_pending()');
	complete($_) for split /\n/, sql("SELECT workload_id FROM hwsched.claim('w1'); SELECT workload_id FROM hwsched.claim('w2')");
	last if sql("SELECT count(*) FROM hwsched.workload WHERE state IN ('pending', 'assigned', 'running')") == 0;
}
is(sql("SELECT string_agg(workload_id, ' ') FROM hwsched.workload WHERE state <> 'completed'"), '', 'back: all is brought to its end, nothing waits for the clock');
is(sql("SELECT string_agg(workload_id, ' ' ORDER BY assignment_id) FROM hwsched.assignment WHERE workload_id ~ '^[bc]'"), 'c2 b1 b2 c1', 'back: placed by priority and in the order of submission');
is(problems($node), '', 'back: all agrees');
is(negatives(), '', 'back: nothing is negative');

$node->stop;
done_testing();
