# Running unattended: the loop, pg_cron for real, and who is told of it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use IPC::Run qw(start timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $node = PostgreSQL::Test::Cluster->new('loop');
$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
my $has_cron = -e $node->config_data('--pkglibdir') . '/pg_cron.so';
$node->append_conf('postgresql.conf', "log_statement = none\nmax_worker_processes = 20");
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'pg_cron'\ncron.database_name = 'postgres'\ncron.use_background_workers = on") if $has_cron;
$node->start;
my @psql = ('psql', '-XAtq', '-v', 'ON_ERROR_STOP=0', '-h', $node->host, '-p', $node->port, 'postgres', '-U');
my $user = $node->safe_psql('postgres', 'SELECT current_user');

sub sql { return $node->safe_psql('postgres', @_) }

# Waits until a query returns true; returns whether it did.
sub wait_for { return $node->poll_query_until('postgres', @_) }

sql(<<'SQL');
CREATE EXTENSION hwsched;
CREATE ROLE boss LOGIN IN ROLE hwsched_coordinator;
SELECT hwsched.create_pool(p), hwsched.register_worker('w', '{"cpu_cores": 4, "available_memory": 16, "max_concurrent": 9}', p) FROM unnest('{cron,seconds,loop,told,stuck}'::text[]) p;
SELECT hwsched.create_pool(repeat('long', 15) || n) FROM generate_series(1, 2) AS n;
CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE no_data_found; END';
CREATE TRIGGER nothing BEFORE INSERT ON hwsched.assignment FOR EACH ROW WHEN (NEW.pool = 'stuck') EXECUTE FUNCTION public.nothing();
SQL

# --- pg_cron: jobs are made first, and looked at last, as it looks once a minute

like(psql_error($node, 'postgres', q(SELECT hwsched.schedule_jobs(pool => 'cron'))), qr/pg_cron is not installed.*HINT.*CREATE EXTENSION pg_cron/s, 'without pg_cron, an error says what to do');
like(psql_error($node, 'postgres', q(SELECT hwsched.unschedule_jobs('cron'))), qr/pg_cron is not installed/, 'to end it, too');
SKIP:
{
	skip 'pg_cron is not installed', 13 unless $has_cron;
	sql('CREATE EXTENSION pg_cron; GRANT USAGE ON SCHEMA cron TO boss; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA cron TO boss;');
	like(psql_error($node, 'postgres', "SELECT hwsched.schedule_jobs('$_->[0]', '$_->[1]')"), $_->[2], "every $_->[0] in $_->[1]")
	  for ['7 minutes', 'cron', qr/invalid value for "every": "7 minutes".*DETAIL.*divide an hour/s], ['0 s', 'cron', qr/invalid value for "every"/], ['61 s', 'cron', qr/invalid value for "every"/], ['soon', 'cron', qr/invalid schedule/], ['1 minute', 'nowhere', qr/unknown pool "nowhere"/];
	sql(q(SELECT hwsched.submit('{"test_id": "a", "test_type": "vision"}', p) FROM unnest('{cron,seconds}'::text[]) p));
	# one made anew replaces the one before, and belongs to who made it
	sql(q(SET ROLE boss; SELECT hwsched.schedule_jobs('5 minutes', 'cron'); SELECT hwsched.schedule_jobs(pool => 'cron'); SELECT hwsched.schedule_jobs('2 seconds', 'seconds')));
	is(sql('SELECT jobname, schedule, username, command FROM cron.job ORDER BY 1'), <<'OUT' =~ s/\n\z//r, 'the jobs of pg_cron');
hwsched cron|* * * * *|boss|CALL hwsched.run_loop('0 s', '1 s', 'cron')
hwsched seconds|* * * * *|boss|CALL hwsched.run_loop('55 s', '2 s', 'seconds')
OUT
	is(sql("SELECT hwsched.schedule_jobs('$_->[0]', 'told'); SELECT schedule FROM cron.job WHERE jobname = 'hwsched told'") =~ s/.*\n//r, $_->[1], "every $_->[0]")
	  for [ '60 s', '* * * * *' ], [ '30m', '*/30 * * * *' ], [ '120 min', '0 */2 * * *' ], [ '1 day', '0 */24 * * *' ], [ '5 4 * * *', '5 4 * * *' ];
	is(sql("SELECT hwsched.unschedule_jobs('told')"), 't', 'and no more');
	# recurring work, as docs/operations.md has it: what is open is passed over
	sql(q(SET ROLE boss; SELECT cron.schedule('nightly', '* * * * *', $$SELECT hwsched.submit_many('[{"test_id": "nightly"}, {"test_id": "a"}]', 'seconds', on_duplicate => 'skip')$$)));
	# names that begin alike are longer than pg_cron keeps
	is(sql(q(SELECT count(DISTINCT hwsched.schedule_jobs(pool => repeat('long', 15) || n)) FROM generate_series(1, 2) AS n; SELECT hwsched.unschedule_jobs(repeat('long', 15) || n) FROM generate_series(1, 2) AS n)), "2\nt\nt", 'each pool has its own job, however long its name');
}

# --- the loop

my %said;
# Runs statements in a session of its own.
sub session
{
	my ($name, @statements) = @_;
	$said{$name} = [ '', '' ];
	return start([ @psql, $user, map { ('-c', $_) } @statements ], '<', \undef, '>', \$said{$name}[0], '2>', \$said{$name}[1], timeout(120));
}

my $loops = q(SELECT count(*) = 1 FROM pg_stat_activity WHERE query ~ '^CALL hwsched.run_loop.*''loop''' AND state = 'active');
my $loop = session('loop', "SET lock_timeout = '50ms'", "CALL hwsched.run_loop('1 hour', '0.1 s', 'loop')");
ok(wait_for($loops), 'a loop runs');
sql(q(SELECT hwsched.submit('{"test_id": "a", "test_type": "vision"}', 'loop')));
ok(wait_for(q(SELECT state = 'assigned' FROM hwsched.workload WHERE pool = 'loop' AND workload_id = 'a')), 'it assigns what comes');
sql(q(SELECT hwsched.claim('w', pool => 'loop'); UPDATE hwsched.assignment SET lease_until = now() - interval '1 s' WHERE pool = 'loop'; UPDATE hwsched.worker_load SET last_seen_at = now() - interval '80 s' WHERE pool = 'loop'));
ok(wait_for(q(SELECT count(*) > 0 FROM hwsched.assignment WHERE pool = 'loop' AND state = 'expired')), 'and maintains');
# a tick that fails is not the last one
my ($in, $out, $err) = ("BEGIN; SELECT 'holds', hwsched.assign_pending(pool => 'loop');\n", '', '');
my $holder = start([ @psql, $user ], '<', \$in, '>', \$out, '2>', \$err, timeout(60));
$holder->pump until $out =~ /holds/;
$loop->pump until $said{loop}[1] =~ /lock timeout/;
like($said{loop}[1], qr/WARNING:  pool "loop": canceling statement due to lock timeout\nHINT:  The loop goes on/, 'a tick that fails is a warning');
$in .= "COMMIT;\n\\q\n";
$holder->finish;
sql(q(SELECT hwsched.submit('{"test_id": "b", "test_type": "vision"}', 'loop')));
ok(wait_for(q(SELECT state = 'assigned' FROM hwsched.workload WHERE pool = 'loop' AND workload_id = 'b')), 'and the loop goes on');
is(sql("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^CALL hwsched.run_loop' AND xact_start < now() - interval '2 s'"), '0', 'each tick is a transaction of its own');
sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query ~ 'run_loop' AND pid <> pg_backend_pid()");
$loop->finish;
like($said{loop}[1], qr/ERROR:  canceling statement due to user request/, 'a cancel ends it');
$loop = session('dropped', "CALL hwsched.run_loop('1 hour', '0.1 s', 'loop')");
ok(wait_for($loops), 'another one runs');
sql(q(SELECT hwsched.drop_pool('loop')));
$loop->finish;
like($said{dropped}[1], qr/\ANOTICE:  pool "loop" is gone, so the loop ends\s*\z/, 'which ends with its pool');
my $began = time;
sql(q(CALL hwsched.run_loop('1 s', '0.3 s', 'told')));
cmp_ok(time - $began, '<', 30, 'it ends by itself');
# decisions that fail, whatever they say, keep neither the loop nor maintenance from going on
sql(q(SELECT hwsched.submit('{"test_id": "a"}', 'stuck'); UPDATE hwsched.worker_load SET last_seen_at = now() - interval '1 hour' WHERE pool = 'stuck'));
sql(q(SELECT hwsched.register_worker('v', '{"cpu_cores": 4}', 'stuck')));
$loop = session('stuck', "CALL hwsched.run_loop('3 s', '0.2 s', 'stuck')");
$loop->finish;
cmp_ok(scalar(() = $said{stuck}[1] =~ /WARNING:  pool "stuck": no_data_found/g), '>', 1, 'each tick that fails is a warning');
is(sql(q(SELECT health FROM hwsched.worker_status WHERE pool = 'stuck' AND worker_id = 'w')), 'offline', 'maintenance is done all the same');
# the server's oldest snapshot moves on while a loop waits for a distant tick
$loop = session('snapshot', "CALL hwsched.run_loop('2 hours', '1 hour', 'told')");
my $waits = q(FROM pg_stat_activity WHERE query ~ '^CALL hwsched.run_loop.*2 hours' AND wait_event = 'PgSleep');
ok(wait_for("SELECT count(*) = 1 $waits"), 'a loop waits');
my $xid = sql('SELECT txid_current()');
ok(wait_for("SELECT backend_xmin::text::bigint > $xid $waits"), 'and holds back no vacuum meanwhile');
sql("SELECT pg_terminate_backend(pid) $waits");
$loop->finish;
like($said{snapshot}[1], qr/terminating connection/, 'it ends at once when told to');
ok(wait_for("SELECT count(*) = 0 $waits"), 'and is gone');
like(psql_error($node, 'postgres', "CALL hwsched.run_loop($_->[0])"), $_->[1], "run_loop($_->[0])")
  for [ q('1 s', '1 s', 'nowhere'), qr/unknown pool "nowhere"/ ], [ q('-1 s', '1 s'), qr/invalid value for "duration": -00:00:01/ ], [ q('1 s', '0 s'), qr/invalid value for "tick": 00:00:00/ ], [ q(NULL, '1 s'), qr/invalid value for "duration": NULL/ ];
is(sql('SET ROLE boss; SET search_path = nowhere; CALL hwsched.run_loop(interval $$0 s$$, interval $$1 s$$, $$told$$)'), '', 'a coordinator may run one, whatever its search path');

# --- who listens is told once for each batch that placed something

my $hostile = "x'; DROP TABLE hwsched.pool; -- \"<b>\\";
my $quoted = $hostile =~ s/'/''/gr;
sql("SELECT hwsched.create_pool('$quoted'); SELECT hwsched.register_worker('w', '{\"cpu_cores\": 4, \"max_concurrent\": 9}', '$quoted')");
my ($listen_in, $listen_out, $listen_err) = ("LISTEN hwsched_assigned;\n\\echo listening\n", '', '');
my $listener = start([ @psql, $user ], '<', \$listen_in, '>', \$listen_out, '2>', \$listen_err, timeout(120));
$listener->pump until $listen_out =~ /listening/;
$listen_out = '';
sql(qq(SELECT hwsched.submit_many('[{"test_id": "a"}, {"test_id": "b"}, {"test_id": "c"}]', p) FROM unnest(ARRAY['told', '$quoted']) p));
sql(q(SELECT hwsched.assign_pending(2, 'told')));
sql(q(SELECT hwsched.assign_pending(0, 'told')));
sql(q(SELECT hwsched.schedule('c', 'told')));
sql(q(SELECT hwsched.assign_pending(pool => 'told')));
sql(qq(SELECT hwsched.assign_pending(pool => '$quoted')));
# who takes work by itself is not told, and nobody is of what is undone
sql(q(SELECT hwsched.claim('w', 9, pool => 'told'); SELECT hwsched.submit('{"test_id": "e"}', 'told'); SELECT hwsched.claim('w', pool => 'told')));
sql(q(SELECT hwsched.submit('{"test_id": "f"}', 'told'); BEGIN; SELECT hwsched.assign_pending(pool => 'told'); ROLLBACK));
sql(q(SELECT hwsched.alter_pool('told', '{"notify": false}'); SELECT hwsched.submit('{"test_id": "d"}', 'told'); SELECT hwsched.assign_pending(pool => 'told')));
$listen_in .= "SELECT 'done';\n\\q\n";
$listener->finish;
my @told = $listen_out =~ /"hwsched_assigned" with payload "(.*)" received/g;
is_deeply(\@told, [ 'told', 'told', $hostile ], 'one notification for each batch that placed something, and none if the pool wants none');

# --- what pg_cron has done meanwhile

SKIP:
{
	skip 'pg_cron is not installed', 7 unless $has_cron;
	ok(wait_for(q(SELECT state = 'assigned' FROM hwsched.workload WHERE pool = 'cron')), 'pg_cron assigned what waited');
	ok(wait_for(q(SELECT state = 'assigned' FROM hwsched.workload WHERE pool = 'seconds' AND workload_id = 'a')), 'and so did the loop that it started');
	sql(q(SELECT hwsched.submit('{"test_id": "b", "test_type": "vision"}', 'seconds')));
	ok(wait_for(q(SELECT state = 'assigned' FROM hwsched.workload WHERE pool = 'seconds' AND workload_id = 'b')), 'which goes on');
	ok(wait_for(q(SELECT count(*) > 0 FROM hwsched.workload WHERE pool = 'seconds' AND workload_id = 'nightly' AND run = 1)), 'pg_cron submits what recurs');
	is(sql(q(SELECT count(*) FROM cron.job_run_details d JOIN cron.job j USING (jobid) WHERE j.jobname = 'nightly' AND d.status = 'failed')), '0', 'and passes over what is open');
	sql(q(SET ROLE boss; SELECT cron.unschedule('nightly')));
	is(sql(q(SET ROLE boss; SELECT hwsched.unschedule_jobs('cron'), hwsched.unschedule_jobs('cron'), hwsched.unschedule_jobs('seconds'))), 't|f|t', 'jobs end');
	is(sql('SELECT count(*) FROM cron.job'), '0', 'and are gone');
}
$began = time;
$node->stop('fast');
cmp_ok(time - $began, '<', 30, 'a loop does not hold up the server');
is(scalar(() = slurp_file($node->logfile) =~ /(PANIC|TRAP|terminated by signal)/g), 0, 'nothing crashed');
done_testing();
