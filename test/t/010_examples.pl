# The example programs: a worker whose login may do nothing but act for its
# worker, and a coordinator.
use strict;
use warnings;
use File::Basename qw(dirname);
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use IPC::Run qw(run start timeout);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'python3-psycopg is not installed' unless has_psycopg();

my $node = new_node('examples');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hwsched;
SELECT hwsched.alter_pool('default', '{"lease": "2 s", "retry_backoff": "0 s"}');
CREATE ROLE node_login LOGIN;
CREATE ROLE boss LOGIN IN ROLE hwsched_coordinator;
SELECT hwsched.register_worker('node', '{}'), hwsched.grant_worker('node', 'node_login');
SQL
my $dir = $node->basedir;
my @worker = example($node, 'worker', 'node_login', '--name', 'node', '--slots', 3, '--poll', 0.3, '--report', 0.5);
my @running;

END
{
	my $status = $?;
	$_->kill_kill for grep { $_->pumpable } @running;
	$? = $status;
}

sub launch
{
	my ($log, @command) = @_;
	my $harness = start(\@command, '<', \undef, '>>', $log, '2>&1');
	push @running, $harness;
	return $harness;
}

# Waits until a file says something; returns whether it did.
sub says
{
	my ($file, $pattern) = @_;
	for (1 .. 200)
	{
		return 1 if -e $file && slurp_file($file) =~ $pattern;
		sleep(0.05);
	}
	return 0;
}

# Finds what runs "sleep" for so many seconds, which no one else does.
sub sleepers
{
	my ($seconds) = @_;
	return grep { (eval { slurp_file($_) } // '') =~ /^sleep\x00(?:$seconds)\x00/ } glob '/proc/[0-9]*/cmdline';
}

# Waits until such a command runs, or with none until none does; returns whether so.
sub sleeps
{
	my ($seconds, $none) = @_;
	for (1 .. 100)
	{
		return 1 if !!sleepers($seconds) != !!$none;
		sleep(0.05);
	}
	return 0;
}

sub state_of
{
	my ($workload) = @_;
	return $node->safe_psql('postgres', "SELECT state FROM hwsched.workload WHERE workload_id = '$workload'");
}

# --- one of each: done, failed once, failed for good, too long, no command

my $jobs = "$dir/jobs.json";
append_to_file($jobs, <<'JSON');
[{"test_id": "hello", "custom_properties": {"command": ["echo", "hello", "a  b; $HOME"]}},
 {"test_id": "again", "retries": 1, "custom_properties": {"command": ["sh", "-c", "echo attempt $HWSCHED_ATTEMPT of $HWSCHED_WORKLOAD_ID; test $HWSCHED_ATTEMPT -gt 1"]}},
 {"test_id": "broken", "retries": 0, "custom_properties": {"command": ["sh", "-c", "echo no luck >&2; exit 7"]}},
 {"test_id": "slow", "retries": 0, "timeout": 1.2, "custom_properties": {"command": ["sh", "-c", "sleep 61 & sleep 62"]}},
 {"test_id": "longer than a lease", "retries": 0, "custom_properties": {"command": ["sleep", "2.6"]}},
 {"test_id": "killed", "retries": 0, "custom_properties": {"command": ["sh", "-c", "kill -SEGV $$"]}},
 {"test_id": "bytes", "retries": 0, "custom_properties": {"command": ["printf", "a\\000b\\377c"]}},
 {"test_id": "missing", "retries": 0, "custom_properties": {"command": ["/no/such/program"]}},
 {"test_id": "a line", "retries": 0, "custom_properties": {"command": "echo a shell"}},
 {"test_id": "real time", "retries": 0, "custom_properties": {"command": ["sh", "-c", "kill -40 $$"]}},
 {"test_id": "odd \u001b[2J\n\u00e4", "retries": 0, "custom_properties": {"command": ["true"]}},
 {"test_id": "none", "retries": 0}]
JSON
my $log = "$dir/worker.log";
my $worker = launch($log, @worker);
my ($out, $err) = ('', '');
ok(!run([ example($node, 'coordinator', 'boss', '--dispatch', '--every', 0.3, $jobs) ], '>', \$out, '2>', \$err, timeout(60)),
	'the coordinator says that not all was completed') or diag(slurp_file($log));
is($err, '', 'and has no complaints');
like($out, qr/^$_->[0] +$_->[1] +node +$_->[2] .*$_->[3]/m, "it tells the outcome of $_->[0]")
	for [ 'hello', 'completed', 1, '' ], [ 'again', 'completed', 2, '' ], [ 'broken', 'dead', 1, 'exit status 7: no luck' ],
	[ 'slow', 'dead', 1, 'time' ], [ 'longer than a lease', 'completed', 1, '  2\.\d' ], [ 'killed', 'dead', 1, 'killed by SIGSEGV' ],
	[ 'bytes', 'completed', 1, '' ], [ 'missing', 'dead', 1, 'No such file' ], [ 'a line', 'dead', 1, 'no list of arguments' ], [ 'none', 'dead', 1, 'no list of arguments' ],
	[ 'real time', 'dead', 1, 'killed by 40' ];
unlike($out . slurp_file($log), qr/\e/, 'and nothing that a terminal would obey');
is($node->safe_psql('postgres', "SELECT result ->> 'output' FROM hwsched.assignment WHERE workload_id = 'hello' AND state = 'completed'"), "hello a  b; \$HOME\n", 'no shell saw the arguments');
is($node->safe_psql('postgres', "SELECT result FROM hwsched.assignment WHERE workload_id = 'bytes' AND state = 'completed'") =~ s/"seconds": [\d.]+/S/r,
	"{\"output\": \"a\x{fffd}b\x{fffd}c\", S, \"exit_status\": 0}" =~ s/\x{fffd}/\xef\xbf\xbd/gr, 'bytes that JSON cannot hold do no harm');
is($node->safe_psql('postgres', "SELECT string_agg(result ->> 'output', '' ORDER BY attempt) FROM hwsched.assignment WHERE workload_id = 'again' AND state = 'completed'"),
	"attempt 2 of again\n", 'the command knows its workload and attempt');
ok(sleeps('6[12]', 'not'), 'what a command left running has gone with it');

# --- the example of the README

($out, $err) = ('', '');
ok(run([ example($node, 'coordinator', 'boss', '--dispatch', '--every', 0.3, dirname(__FILE__) . '/../../examples/coordinator/jobs.json') ], '>', \$out, '2>', \$err, timeout(60)),
	'the example jobs are all completed') or diag($out, $err);
is($node->safe_psql('postgres', "SELECT result ->> 'output' FROM hwsched.assignment WHERE workload_id = 'report' AND state = 'completed'"), "report: the others are done\n", 'the last one, too');
is($node->safe_psql('postgres', "SELECT bool_and(r.started_at >= o.finished_at) FROM hwsched.assignment r, hwsched.assignment o WHERE r.workload_id = 'report' AND o.workload_id IN ('hello', 'checksum') AND o.run = (SELECT max(run) FROM hwsched.workload w WHERE w.workload_id = o.workload_id)"), 't', 'which waited for the others');

# --- what it says about its machine

is($node->safe_psql('postgres', <<'SQL'), 't|t|t|t|t', 'the worker says what its machine is');
SELECT w.cpu_millicores >= 1000, w.memory_bytes > 1e8, w.max_concurrent = 3, d.model_name <> '', d.hardware_class = 'cpu'
FROM hwsched.worker w JOIN hwsched.device USING (pool, worker_id) JOIN hwsched.device_profile d USING (pool, profile_id) WHERE worker_id = 'node'
SQL
my $total = slurp_file('/proc/meminfo') =~ /^MemTotal: +(\d+)/m && $1 * 1024;
cmp_ok(abs($node->safe_psql('postgres', 'SELECT memory_bytes FROM hwsched.worker') / $total - 1), '<', 0.001, 'its memory is the real one');
is($node->safe_psql('postgres', "SELECT cpu_utilization BETWEEN 0 AND 100 AND memory_utilization BETWEEN 0.1 AND 100 AND io_utilization BETWEEN 0 AND 100 AND reported_at > now() - interval '3 s' FROM hwsched.worker_load"),
	't', 'and how busy it is');

# --- the server goes away and comes back

my $followed = "$dir/followed.json";
append_to_file($followed, '[{"test_id": "followed", "custom_properties": {"command": ["sleep", "2"]}}]');
my $coordinator = launch("$dir/coordinator.log", example($node, 'coordinator', 'boss', '--every', 1, $followed));
ok(says("$dir/coordinator.log", qr/1 running/), 'a coordinator follows what runs');
$node->safe_psql('postgres', q[SELECT hwsched.submit('{"test_id": "through it", "retries": 0, "custom_properties": {"command": ["sleep", "1.3"]}}')]);
ok(says($log, qr/through it: started/), 'it starts work without being called, too');
kill_server($node);
ok(says($log, qr/through it: completed/), 'and completes it after the server was killed');
ok(says("$dir/coordinator.log", qr/^followed +completed/m) && $coordinator->finish, 'which the coordinator outlives while it waits') or diag(slurp_file("$dir/coordinator.log"));
is(state_of('through it'), 'completed', 'as the server knows');

# --- a lost lease

$node->safe_psql('postgres', q[SELECT hwsched.submit('{"test_id": "lost", "custom_properties": {"command": ["sleep", "63"]}}')]);
ok(says($log, qr/lost: started/) && sleeps(63), 'it runs');
$node->safe_psql('postgres', "SELECT hwsched.cancel('lost')");
ok(says($log, qr/lost: stopped: .*cancelled/), 'when it is cancelled, the worker is told to stop');
ok(sleeps(63, 'not'), 'and kills the command');

# --- what gives way comes to an end, and goes on later from where it was

$node->safe_psql('postgres', <<'SQL');
SELECT hwsched.alter_pool('default', '{"preemption": true}');
SELECT hwsched.submit(jsonb_build_object('test_id', 'gives way', 'priority', 5, 'retries', 0, 'checkpointable', true, 'cpu_cores', cpu_millicores / 1000.0,
  'custom_properties', '{"command": ["bash", "-c", "trap \"echo step 7; exit 1\" TERM; case $HWSCHED_NOTE in *step*) echo \"$HWSCHED_NOTE\";; *) sleep 65 & wait;; esac"]}'::jsonb)) FROM hwsched.worker;
SQL
ok(says($log, qr/gives way: started/) && sleeps(65), 'work that can be stopped runs');
$node->safe_psql('postgres', <<'SQL');
SELECT hwsched.submit(jsonb_build_object('test_id', 'urgent', 'priority', 1, 'cpu_cores', cpu_millicores / 1000.0, 'custom_properties', '{"command": ["true"]}'::jsonb)) FROM hwsched.worker;
SELECT hwsched.assign_pending();
SQL
ok(says($log, qr/gives way: yielded/), 'it yields to what is more important');
ok(sleeps(65, 'not'), 'and has come to an end');
ok(says($log, qr/gives way: completed/), 'then it runs again');
is($node->safe_psql('postgres', "SELECT string_agg(state || coalesce(' ' || error, ''), ', ' ORDER BY assignment_id) FROM hwsched.assignment WHERE workload_id = 'gives way'"),
	'expired yielded, completed', 'without a failed attempt');
like($node->safe_psql('postgres', "SELECT result ->> 'output' FROM hwsched.assignment WHERE workload_id = 'gives way' AND state = 'completed'"), qr/step 7/, 'from where it was');
is(state_of('urgent'), 'completed', 'and the other is done, too');

# --- asked to end, it finishes what it runs; killed, it takes its commands along

$node->safe_psql('postgres', q[SELECT hwsched.submit('{"test_id": "last", "retries": 0, "custom_properties": {"command": ["sleep", "1"]}}')]);
ok(says($log, qr/last: started/), 'the last work starts');
$worker->signal('TERM');
sleep(0.2);
$node->safe_psql('postgres', q[SELECT hwsched.submit('{"test_id": "too late", "custom_properties": {"command": ["sleep", "64"]}}')]);
ok($worker->finish, 'asked to end, the worker does');
is(state_of('last'), 'completed', 'it has finished what it had');
isnt(state_of('too late'), 'running', 'and has started nothing new');

$worker = launch($log, @worker);
ok(says($log, qr/too late: started/) && sleeps(64), 'the next one starts it');
$worker->signal('KILL');
eval { $worker->finish };
ok(sleeps(64, 'not'), 'killed, it takes its command along');
$node->poll_query_until('postgres', "SELECT state = 'pending' FROM (SELECT hwsched.maintain()) m, hwsched.workload WHERE workload_id = 'too late'");
is($node->safe_psql('postgres', "SELECT state || ' ' || error FROM hwsched.assignment WHERE workload_id = 'too late'"), 'expired the lease ran out', 'its work is taken back when the lease has run out');

# back before that, it says itself what it has lost: its reports would keep the lease
unlink $log;
$worker = launch($log, @worker);
ok(says($log, qr/too late: started, attempt 2/), 'it is tried again');
$worker->signal('KILL');
eval { $worker->finish };
$worker = launch($log, @worker);
ok(says($log, qr/too late: started, attempt 3/), 'a worker that is killed and comes back starts at once what it lost');
is($node->safe_psql('postgres', "SELECT state || ' ' || error FROM hwsched.assignment WHERE workload_id = 'too late' AND attempt = 2"),
	'expired the worker has started again', 'having said so');
$worker->signal('TERM');
$node->safe_psql('postgres', "SELECT hwsched.cancel('too late')");
ok($worker->finish, 'it ends when what it runs is cancelled');

# --- GPUs, as nvidia-smi tells of them

mkdir "$dir/bin" or die;
append_to_file("$dir/bin/nvidia-smi", "#!/bin/sh\necho 'NVIDIA A100-SXM4-40GB, 40960, 400.00, 37, 51, 88.50'\necho 'NVIDIA A100-SXM4-40GB, 40960, 400.00, 0, 40, [N/A]'\n");
chmod 0755, "$dir/bin/nvidia-smi";
{
	local $ENV{PATH} = "$dir/bin:$ENV{PATH}";
	$worker = launch("$dir/gpu.log", @worker);
}
$node->safe_psql('postgres', q[SELECT hwsched.submit('{"test_id": "on a gpu", "required_accelerators": {"gpu": 1}, "minimum_memory": 30, "custom_properties": {"command": ["sh", "-c", "echo gpu $CUDA_VISIBLE_DEVICES"]}}')]);
ok(says("$dir/gpu.log", qr/on a gpu: completed/), 'work that needs a GPU runs');
is($node->safe_psql('postgres', "SELECT device_nos, result ->> 'output' FROM hwsched.assignment WHERE workload_id = 'on a gpu' AND state = 'completed'") =~ s/\s+$//r, '{2}|gpu 1', 'and sees the one it was given, which was the idle one');
is($node->safe_psql('postgres', 'SELECT device_no, utilization, temperature_celsius, power_w FROM hwsched.device_load WHERE utilization IS NOT NULL ORDER BY device_no'),
	"1|37|51|88.5\n2|0|40|", 'the load of each GPU is reported');
$worker->signal('TERM');
ok($worker->finish, 'that worker ends, too');

# --- the login may act for no other worker

$node->safe_psql('postgres', "SELECT hwsched.register_worker('other', '{\"cpu_cores\": 1}')");
($out, $err) = ('', '');
ok(!run([ example($node, 'worker', 'node_login', '--name', 'other') ], '>', \$out, '2>', \$err, timeout(20)), 'a worker of another name is refused');
like($err, qr/^worker: role "node_login" may not act for worker "other"/, 'and says why');

is(problems($node), '', 'all agrees');
$node->stop;
done_testing();
