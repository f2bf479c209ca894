# Backends and whole servers killed with signal 9 at random moments, under
# clients that do all there is to do, and under the example programs, which are
# killed, too.  After each recovery all invariants hold, and what a client was
# told is so.
#
# A few rounds as a rule; HWSCHED_FIRE=200 asks for more, HWSCHED_FIRE_CLIENTS
# for another number of clients, and HWSCHED_FIRE_SEED for the same moments.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use Trace;
use IPC::Run qw(start timeout);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $rounds = $ENV{HWSCHED_FIRE} || 6;
my $clients = $ENV{HWSCHED_FIRE_CLIENTS} || ($rounds > 20 ? 32 : 8);
my $seed = $ENV{HWSCHED_FIRE_SEED} || time % 1000000;
srand($seed);
note("$rounds rounds, $clients clients, HWSCHED_FIRE_SEED=$seed");

my $node = new_node('fire');
$node->append_conf('postgresql.conf', "restart_after_crash = on\nmax_connections = 60\ndeadlock_timeout = 50ms\nlog_min_messages = warning");
my $trace = Trace->begin($node);
$node->restart;
$node->safe_psql('postgres', 'CREATE EXTENSION hwsched');
$node->safe_psql('postgres', <<'SQL');
SELECT hwsched.create_pool(p, '{"max_concurrent": 4, "lease": "1 s", "retry_backoff": "0.2 s", "offline_after": "3 s", "quarantine_after": 10, "preemption": true}')
FROM unnest(ARRAY['fire', 'py']) p;
SELECT hwsched.alter_pool('fire', '{"start_timeout": "1 s", "fair_share": {"half_life": "10 s"}, "limits": {"k0": {"concurrent": 3}, "k1": {"per_minute": 400}},
  "tenants": {"a": {"weight": 1, "quota": {"workloads": 3}}, "b": {"weight": 2, "quota": {"accelerators": 2, "cpu_cores": 6}}}}');
-- two racks, and one worker for those who tolerate it
SELECT hwsched.register_worker('w' || n, '{"cpu_cores": 8, "available_memory": 16, "max_concurrent": 9,
  "supported_backends": ["cuda"], "available_accelerators": {"cuda": 2}}'::jsonb
  || jsonb_build_object('labels', jsonb_build_object('rack', 'r' || n % 2)) || CASE n WHEN 6 THEN '{"taints": {"spare": "yes"}}' ELSE '{}' END::jsonb, 'fire') FROM generate_series(1, 6) n;
-- Makes a call; says whether the state allowed it.  Any other error ends the client.
CREATE FUNCTION try(call text) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'SELECT ' || call;
  RETURN 1;
EXCEPTION WHEN object_not_in_prerequisite_state OR no_data_found OR null_value_not_allowed THEN
  RETURN 0;
END $$;
CREATE FUNCTION pick(what text) RETURNS text LANGUAGE sql AS $$
  SELECT workload_id FROM hwsched.submission WHERE pool = 'fire' AND outcome IS NULL AND workload_id > what ORDER BY workload_id LIMIT 1
$$;
-- One in six is a gang, others want whole accelerators, shares or memory, depend on
-- one another, exclude one another, have a deadline, or want a place, a time or an
-- order; all are a tenant's.  What
-- a client that was killed has claimed is taken back when its time is up.
CREATE FUNCTION work(n int) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('timeout', 1.5, 'retries', n % 3, 'priority', 1 + n % 5, 'test_type', (ARRAY['vision', 'nlp', 'training'])[1 + n % 3], 'cpu_cores', n % 3)
    || CASE n % 6 WHEN 0 THEN '{"required_accelerators": {"cuda": 1}}' WHEN 1 THEN '{"accelerator_share": 0.4, "minimum_memory": 1}' WHEN 2 THEN '{"host_memory": 1.5}'
       WHEN 3 THEN CASE n % 4 WHEN 1 THEN '{"custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2, "max_shards": 3}}'
                              ELSE '{"custom_properties": {"allocation_strategy": "replicated", "max_shards": 3, "quorum": 2}}' END
       ELSE '{}' END::jsonb
    || CASE WHEN n % 7 = 0 THEN jsonb_build_object('depends_on', (SELECT coalesce(jsonb_agg(id), '[]') FROM unnest(ARRAY[pick(md5(n::text)), pick(md5(n::text || 'b'))]) id WHERE id IS NOT NULL))
            WHEN n % 7 = 1 THEN jsonb_build_object('concurrency_key', 'k' || n % 5)
            WHEN n % 7 = 2 THEN jsonb_build_object('deadline', now() + make_interval(secs => n % 10)) ELSE '{}' END
    || CASE n % 11 WHEN 0 THEN '{"required_labels": {"rack": "r1"}, "preferred_labels": {"worker_id": "w3"}}' WHEN 1 THEN '{"tolerations": ["spare"]}'
       WHEN 2 THEN '{"exclusive": true}' WHEN 3 THEN '{"group": "apart", "group_apart": true}' WHEN 4 THEN '{"group": "even", "spread_by": "rack"}'
       WHEN 5 THEN jsonb_build_object('run_at', now() + interval '0.3 s') WHEN 6 THEN jsonb_build_object('expires_at', now() + CASE n % 4 WHEN 0 THEN interval '1 h' ELSE '0.5 s' END)
       WHEN 7 THEN '{"concurrency_key": {"k0": 2, "k1": 1}}' WHEN 8 THEN CASE WHEN n % 6 = 1 THEN '{"checkpointable": true}' ELSE '{"required_accelerators": {"cuda": 2}, "checkpointable": true}' END::jsonb
       ELSE '{}' END::jsonb
    || jsonb_build_object('tenant', (ARRAY['a', 'b', ''])[1 + n % 3], 'on_failed_dependency', (ARRAY['cancel', 'run', 'wait'])[1 + n / 7 % 3])
$$;
-- What clients were told, once they say so.
CREATE TABLE told (what text, id text);
SQL

# A client notes what it was told only after it was told: \shell runs when the
# answer to the statement before it has come.
my $told = $node->basedir . '/told';
my $script = $node->basedir . '/cycle.sql';
append_to_file($told, '');
append_to_file($script, <<'SQL' =~ s/TOLD/$told/gr);
\set op random(1, 100)
\set w random(1, 6)
\set n random(1, 1000000)
\if :op <= 24
SELECT hwsched.submit(work(:n), 'fire') AS id \gset
\shell echo submitted :id >> TOLD
\elif :op <= 25
SELECT try(format('hwsched.alter_workload(%L, %L, NULL, ''fire'')', pick(md5(:n::text)), jsonb_build_object('priority', 1 + :n % 5)));
\elif :op <= 26
SELECT hwsched.drain_device('w' || :w, :n % 2, 'fire');
SELECT hwsched.resume_device('w' || :w, :n % 2, 'fire');
\elif :op <= 27
SELECT hwsched.pause_pool('fire');
SELECT hwsched.resume_pool('fire');
\elif :op <= 28
SELECT hwsched.cancel_many(jsonb_build_object('group', 'even', 'tenant', 'a', 'submitted_before', now() - interval '2 s'), 'fire');
SELECT hwsched.retry_many('{"tenant": "b"}', 'fire');
\elif :op <= 36
SELECT hwsched.assign_pending(pool => 'fire');
\elif :op <= 40
SELECT hwsched.maintain('fire');
\elif :op <= 41
SELECT hwsched.rebalance(3, 'fire');
\elif :op <= 43
SELECT hwsched.update_load('w' || :w, jsonb_build_object('cpu_utilization', :n % 80, 'temperature_celsius', 30 + :n % 60), 'fire');
\elif :op <= 46
SELECT coalesce(pick(md5(:n::text)), '-') AS id \gset
SELECT try(format('hwsched.cancel(%L, ''fire'')', ':id')) AS done \gset
\if :done = 1
\shell echo cancelled :id >> TOLD
\endif
\elif :op <= 47
SELECT try(format('hwsched.retry_dead(%L, ''fire'')', (SELECT workload_id FROM hwsched.submission WHERE pool = 'fire' AND outcome = 'dead' LIMIT 1)));
\elif :op <= 50
SELECT try(format('hwsched.schedule(%L, ''fire'')', pick(md5(:n::text))));
\elif :op <= 54
WITH running AS (SELECT array_agg(assignment_id) AS ids FROM (SELECT assignment_id FROM hwsched.assignment WHERE pool = 'fire' AND worker_id = 'w' || :w AND finished_at IS NULL AND state = 'running' LIMIT 3) x)
SELECT try(format('hwsched.complete_many(%L, ''fire'')', ids)) AS done, coalesce(array_to_string(ids, ','), '0') AS ids FROM running \gset
\if :done = 1
\shell echo completed :ids >> TOLD
\endif
\elif :op <= 64
-- completes and claims at once, or completes nothing
SELECT coalesce(array_to_string(array_agg(assignment_id), ','), '0') AS ids FROM (SELECT assignment_id FROM hwsched.assignment
  WHERE pool = 'fire' AND worker_id = 'w' || :w AND finished_at IS NULL AND state = 'running' LIMIT 2) x \gset
SELECT try(format('count(*) FROM hwsched.next(%L, %L, 2, pool => ''fire'')', 'w' || :w, array_remove(string_to_array(':ids', ',')::bigint[], 0))) AS done \gset
\if :done = 1
\shell echo completed :ids >> TOLD
\endif
\elif :op <= 68
SELECT coalesce(min(assignment_id), 0) AS id FROM hwsched.assignment WHERE pool = 'fire' AND worker_id = 'w' || :w AND finished_at IS NULL AND state = 'running' \gset
SELECT count(*) FROM hwsched.heartbeat('w' || :w, ARRAY[:id], 'fire');
SELECT try(format('hwsched.progress(%s, 0.5, ''{"step": 1}'', ''fire'')', :id));
SELECT try(format('hwsched.yield_work(%s, ''{"step": 1}'', ''fire'')', :id));
\else
SELECT coalesce(max(assignment_id), 0) AS id FROM hwsched.claim('w' || :w, 1, pool => 'fire') \gset
\if :id > 0
\if :op <= 86
SELECT try(format('hwsched.complete(%s, NULL, ''fire'')', :id)) AS done \gset
\if :done = 1
\shell echo completed :id >> TOLD
\endif
\elif :op <= 93
SELECT try(format('hwsched.fail(%s, ''broken'', ''fire'')', :id));
\endif
\endif
\endif
SQL
my @pgbench = ('pgbench', '-n', '-c', $clients, '-j', 2, '-T', 60, '-f', $script, '-h', $node->host, '-p', $node->port, '-U', 'postgres', 'postgres');

# --- the example programs, on a pool of their own

my %program;
my $said = $node->basedir . '/said';
my $jobs = $node->basedir . '/jobs.json';
append_to_file($jobs, '[' . join(',', map { qq({"test_id": "job $_", "retries": 1000, "timeout": 20, "custom_properties": {"command": ["sleep", "0.$_"]}}) } 1 .. 10 + 4 * $rounds) . ']');

sub launch
{
	my ($name) = @_;
	my @command = $name eq 'coordinator' ? example($node, 'coordinator', 'postgres', '--pool', 'py', '--dispatch', '--every', 0.3, $jobs) :
		example($node, 'worker', 'postgres', '--pool', 'py', '--name', $name, '--slots', 2, '--poll', 0.3, '--report', 1);
	$program{$name} = start(\@command, '<', \undef, '>>', "$said.$name", '2>&1');
	return;
}

# Kills one of the programs and starts it again.
sub relaunch
{
	my ($name) = @_;
	# once all is closed, it would submit it again
	$program{$name}->pump_nb if $program{$name}->pumpable;
	return if $name eq 'coordinator' && !$program{$name}->pumpable;
	$program{$name}->signal('KILL');
	eval { $program{$name}->finish };
	launch($name);
	return;
}

END
{
	my $status = $?;
	$_->kill_kill for grep { $_->pumpable } values %program;
	$? = $status;
}

my @programs = has_psycopg() ? qw(coordinator one two) : ();
launch($_) for @programs;

# --- the rounds

# What a client was told, against what is there.
my $broken_word = <<'SQL';
SELECT what, id, w.outcome::text FROM told LEFT JOIN hwsched.submission w ON w.pool = 'fire' AND w.workload_id = id
WHERE (what = 'submitted' AND w.pool IS NULL) OR (what = 'cancelled' AND w.outcome IS DISTINCT FROM 'cancelled')
UNION ALL
SELECT what, id, state::text FROM (SELECT what, regexp_split_to_table(id, ',') AS id FROM told WHERE what = 'completed' AND id <> '0') t LEFT JOIN hwsched.assignment a ON a.pool = 'fire' AND a.assignment_id = id::bigint
WHERE a.state IS DISTINCT FROM 'completed' OR (SELECT p.allocation_strategy = 'single' FROM hwsched.workload_profile p WHERE p.pool = a.pool AND p.profile_id = a.profile_id)
  AND EXISTS (SELECT FROM hwsched.assignment b WHERE b.pool = 'fire' AND b.workload_id = a.workload_id AND b.run = a.run AND b.assignment_id > a.assignment_id)
SQL

my ($backends, $servers, $others, $slowest, @trouble) = (0, 0, 0, 0);
my $lines = 0;
for my $round (1 .. $rounds)
{
	my ($out, $err) = ('', '');
	my $bench = start(\@pgbench, '<', \undef, '>', \$out, '2>', \$err);
	# all are at work, some in the middle of something
	my $size = -s $told;
	for (1 .. 200)
	{
		last if -s $told > $size + 100 * $clients;
		sleep(0.05);
	}
	sleep(rand(0.8));
	relaunch($programs[rand @programs]) if @programs && rand() < 0.4;
	my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	# the last round is a whole server's, so that there is one
	if ($round % 3 == 0 || $round == $rounds)
	{
		$servers++;
		kill_server($node);
	}
	else
	{
		# a client's backend, or now and then a process of the server itself
		my @all = children($postmaster);
		my @clients = grep { slurp_file("/proc/$_/cmdline") =~ /postgres: .* (?:\[local\]|127)/ } grep { -r "/proc/$_/cmdline" } @all;
		my @victims = @clients && rand() < 0.8 ? @clients : @all;
		$#victims < 0 or kill 'KILL', $victims[ rand @victims ];
		@clients && @victims == @clients ? $backends++ : $others++;
	}
	# those that a checkpointer's death does not reach in time are ended by it
	eval { $bench->finish } or $bench->kill_kill;
	my $began = time;
	$node->poll_query_until('postgres', 'SELECT 1', '1') or die 'the server does not come back';
	$slowest = time - $began if time - $began > $slowest;
	push @trouble, map { "round $round, pgbench: $_" } grep { /ERROR|PANIC|meta-command/ } split /\n/, $err;

	# what it is told from now on does not count yet
	my @told = split /\n/, slurp_file($told);
	my $new = $node->basedir . '/new';
	unlink $new;
	append_to_file($new, join('', map { tr/ /\t/r . "\n" } @told[ $lines .. $#told ]));
	$lines = @told;
	$node->safe_psql('postgres', "COPY told FROM '$new'");
	$trace->read if $trace;
	my $broken = problems($node);
	push @trouble, "round $round: $broken" if $broken ne '';
	$broken = $node->safe_psql('postgres', $broken_word);
	push @trouble, "round $round, told otherwise: $broken" if $broken ne '';
	last if @trouble;
	note("round $round: ", $node->safe_psql('postgres', "SELECT count(*), count(*) FILTER (WHERE outcome IS NOT NULL) FROM hwsched.submission")) if $round % 10 == 0;
}
is(join("\n", @trouble), '', "$servers servers, $backends backends and $others other processes killed: all invariants hold, and what clients were told");
my %count = map { split /\|/ } split /\n/, $node->safe_psql('postgres', 'SELECT what, count(*) FROM told GROUP BY what');
cmp_ok($count{$_} // 0, '>', $rounds, "clients were told of $count{$_} that were $_") for qw(submitted completed);
note("slowest recovery: $slowest s");
is($node->safe_psql('postgres', "SELECT string_agg(DISTINCT state::text, ' ' ORDER BY state::text) FROM hwsched.assignment WHERE pool = 'fire' AND finished_at IS NOT NULL"),
	'cancelled completed expired failed', 'assignments ended in every way');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|was terminated by signal (?!9)|deadlock detected/, 'no process died but those that were killed');

# --- nothing is lost: all that is open can be brought to its end

sleep(1.6);
$node->safe_psql('postgres', "SELECT hwsched.resume_pool('fire'); SELECT hwsched.resume_device('w' || n, d, 'fire') FROM generate_series(1, 6) n, generate_series(0, 1) d; SELECT hwsched.maintain('fire')");
my ($left, $least, $since) = (0, 1e9, 0);
while ($since < 60)
{
	$node->safe_psql('postgres', <<'SQL');
SELECT hwsched.update_load('w' || n, '{"active_tests": 0}', 'fire') FROM generate_series(1, 6) n;
SELECT hwsched.maintain('fire');
DO $$
DECLARE
  one record;
BEGIN
  FOR turn IN 1 .. 5 LOOP
    PERFORM hwsched.assign_pending(pool => 'fire');
    FOR one IN SELECT a.assignment_id FROM generate_series(1, 6) n, hwsched.claim('w' || n, 100, pool => 'fire') a LOOP
      PERFORM try(format('hwsched.complete(%s, NULL, ''fire'')', one.assignment_id));
    END LOOP;
  END LOOP;
END $$;
-- what depends on something cancelled or dead waits for ever, unless that is cancelled, too
SELECT try(format('hwsched.cancel(%L, ''fire'')', workload_id)) FROM (SELECT DISTINCT d.workload_id FROM hwsched.dependency d
  JOIN hwsched.submission s ON s.pool = d.pool AND s.workload_id = d.depends_on WHERE d.pool = 'fire' AND s.outcome IN ('cancelled', 'dead')) hopeless;
SQL
	$left = $node->safe_psql('postgres', "SELECT count(*) FROM hwsched.workload WHERE pool = 'fire' AND state IN ('pending', 'assigned', 'running')");
	last if $left == 0;
	# of those that exclude one another, one is done at a time
	$since = $left < $least ? 0 : $since + 1;
	$least = $left if $left < $least;
	sleep(0.2);
}
is($left, 0, 'what was open could be brought to its end')
	or diag($node->safe_psql('postgres', "SELECT w.workload_id, w.state, q.reason, w.requirements FROM hwsched.workload w LEFT JOIN hwsched.pending_workloads q USING (pool, workload_id)
		WHERE pool = 'fire' AND w.state IN ('pending', 'assigned', 'running') LIMIT 10; SELECT * FROM hwsched.worker_usage WHERE pool = 'fire'; SELECT * FROM hwsched.pending WHERE pool = 'fire' LIMIT 10; SELECT a.assignment_id, workload_id, attempt, run, state, started_at, lease_until, finished_at, now(), is_gang FROM hwsched.assignment a WHERE pool = 'fire' AND finished_at IS NULL; SELECT * FROM hwsched.maintain('fire')"));
is(problems($node), '', 'and all agrees');
is($node->safe_psql('postgres', <<'SQL'), '', 'work of all kinds was completed');
SELECT key FROM unnest(ARRAY['concurrency_key', 'deadline', 'custom_properties', 'required_labels', 'tolerations', 'exclusive', 'group_apart',
  'spread_by', 'run_at', 'expires_at', 'checkpointable', 'required_accelerators', 'accelerator_share']) key
WHERE NOT EXISTS (SELECT FROM hwsched.submission WHERE pool = 'fire' AND outcome = 'completed' AND requirements ? key)
UNION ALL SELECT 'depends_on' WHERE NOT EXISTS (SELECT FROM hwsched.submission WHERE pool = 'fire' AND outcome = 'completed' AND requirements -> 'depends_on' <> '[]')
SQL

SKIP:
{
	skip 'python3-psycopg is not installed', 4 unless @programs;
	my $deadline = time + 60 + $rounds;
	until (!$program{coordinator}->pumpable || time > $deadline) { $program{coordinator}->pump_nb; sleep(0.1) }
	ok($program{coordinator}->finish, 'the coordinator ends, as all its work is completed') or diag(slurp_file("$said.coordinator"));
	is($node->safe_psql('postgres', "SELECT DISTINCT state FROM hwsched.workload WHERE pool = 'py'"), 'completed', 'it is');
	$program{$_}->signal('TERM') for qw(one two);
	is(join(' ', map { $program{$_}->finish } qw(one two)), '1 1', 'the workers end when asked to');
	# a worker says so when the server has said so
	my @completed = map { slurp_file("$said.$_") =~ /^\S+ (job \d+): completed$/mg } qw(one two);
	my %times;
	$times{$_}++ for @completed;
	# a coordinator that was killed when all was closed has submitted it again
	my %run = map { split /\|/ } split /\n/, $node->safe_psql('postgres', "SELECT workload_id, run FROM hwsched.workload WHERE pool = 'py'");
	is(join(', ', grep { $times{$_} > $run{$_} } sort keys %times), '', 'no work was completed twice');
	note(scalar(@completed), ' completions acknowledged to the workers');
}
is(problems($node), '', 'all agrees at the end');

# --- and all that was committed on the way is what the model allows

SKIP:
{
	skip $Trace::missing, 1 unless $trace;
	$trace->read;
	is($trace->refused, '', 'every transaction is one of the model');
	note(scalar($trace->transactions), ' transactions followed');
}

$node->stop;
done_testing();
