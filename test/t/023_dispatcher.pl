# The dispatcher: who starts it, what wakes it, what it survives, and when it leaves.
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

my $node = PostgreSQL::Test::Cluster->new('dispatcher');
$node->init(extra => [ '--locale=C', '--encoding=UTF8' ], allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'CONF');
log_statement = none
max_connections = 40
restart_after_crash = on
max_worker_processes = 12
CONF
$node->start;

sub sql { return $node->safe_psql('postgres', @_) }

# Waits until a query returns true; returns whether it did.
sub wait_for { return $node->poll_query_until('postgres', @_) }

# Returns the process that dispatches a database, or an empty text.
sub dispatcher
{
	my ($database, $on) = @_;
	return ($on // $node)->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = 'hwsched dispatcher' AND datname = '$database'");
}

my $one = "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'hwsched dispatcher' AND datname";
my $none = "SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'hwsched dispatcher' AND datname";

# Makes the extension of a database ready for work: a worker with room for all of it.
sub prepare
{
	my ($database) = @_;
	return $node->safe_psql($database, q(CREATE EXTENSION hwsched; SELECT hwsched.alter_pool('default', '{"max_concurrent": 1000}'); SELECT hwsched.register_worker('w', '{"cpu_cores": 400, "available_memory": 1600, "max_concurrent": 1000}')));
}

my $id = 0;
# Submits something in a database; returns the seconds until it has a place.
sub seconds_to_place
{
	my ($database, $pool) = @_;
	$pool //= 'default';
	$id++;
	$node->safe_psql($database, "SELECT hwsched.submit('{\"test_id\": \"t$id\", \"test_type\": \"vision\", \"cpu_cores\": 0.1}', '$pool')");
	my $began = time;
	return 1000 unless $node->poll_query_until($database, "SELECT state = 'assigned' FROM hwsched.workload WHERE pool = '$pool' AND workload_id = 't$id'");
	return time - $began;
}

# Returns how often the log says something since a place in it.
sub logged
{
	my ($pattern, $from) = @_;
	return scalar(() = slurp_file($node->logfile, $from // 0) =~ /$pattern/g);
}

# --- by hand, without preloading

prepare('postgres');
is(sql('SELECT hwsched.start_dispatcher()'), 't', 'one starts');
is(sql('SELECT hwsched.start_dispatcher()'), 'f', 'and no second one');
ok(wait_for("$one = 'postgres'"), 'there is one');
cmp_ok(seconds_to_place('postgres'), '<', 5, 'work gets a place without anybody calling');
is(sql('SELECT hwsched.stop_dispatcher(), hwsched.stop_dispatcher()'), 't|f', 'it stops');
is(dispatcher('postgres'), '', 'and is gone');
is(sql('SELECT hwsched.start_dispatcher()'), 't', 'it starts again');
like(psql_error($node, 'postgres', "CREATE ROLE coordinator IN ROLE hwsched_coordinator; SET ROLE coordinator; SELECT hwsched.start_dispatcher()"), qr/permission denied/, 'it is for administrators');
$node->safe_psql('postgres', 'CREATE DATABASE dropped');
prepare('dropped');
is($node->safe_psql('dropped', 'SELECT hwsched.start_dispatcher()'), 't', 'one starts in another database');
is(psql_error($node, 'postgres', 'CREATE DATABASE copied TEMPLATE dropped'), '', 'it leaves when that is copied');
is(dispatcher('dropped'), '', 'and is gone then');
is($node->safe_psql('dropped', 'SELECT hwsched.start_dispatcher()'), 't', 'it starts again');
is(psql_error($node, 'postgres', 'DROP DATABASE dropped'), '', 'it leaves when that is dropped');
is(dispatcher('postgres') ne '', 1, 'the other one does not care');
sql('DROP EXTENSION hwsched CASCADE');
ok(wait_for("$none = 'postgres'"), 'without the extension it ends');
sql('DROP DATABASE copied');

# --- the launcher

$node->append_conf('postgresql.conf', "shared_preload_libraries = 'hwsched'");
$node->restart;
is(sql("SELECT string_agg(backend_type, ',') FROM pg_stat_activity WHERE backend_type ~ 'hwsched'"), 'hwsched launcher', 'where the extension is not, there is only the launcher');
prepare('postgres');
ok(wait_for("$one = 'postgres'"), 'CREATE EXTENSION starts one');
my @seconds = sort { $a <=> $b } map { seconds_to_place('postgres') } 1 .. 5;
cmp_ok($seconds[2], '<', 1, 'work gets a place within a second');
is(sql("SELECT hwsched.start_dispatcher()"), 'f', 'there is no second one');

# what becomes due is found
sql(q(SELECT hwsched.submit(jsonb_build_object('test_id', 'later', 'run_at', now() + interval '1.5 s'))));
ok(wait_for(q(SELECT state = 'assigned' FROM hwsched.workload WHERE workload_id = 'later')), 'work with run_at gets its place');
cmp_ok(sql(q(SELECT extract(epoch FROM a.assigned_at - s.run_at) FROM hwsched.assignment a JOIN hwsched.submission s USING (pool, workload_id) WHERE workload_id = 'later')), '<', 1, 'on time');

# room that is made is used at once
sql(q(SELECT hwsched.create_pool('small', '{"max_concurrent": 1}'); SELECT hwsched.register_worker('w', '{"cpu_cores": 1, "available_memory": 4}', 'small');));
sql(q(SELECT hwsched.submit_many('[{"test_id": "a"}, {"test_id": "b"}]', 'small')));
ok(wait_for(q(SELECT count(*) = 1 FROM hwsched.assignment WHERE pool = 'small')), 'a pool made later is found, and one of two has a place');
sql(q(SELECT hwsched.complete(assignment_id, pool => 'small') FROM hwsched.claim('w', pool => 'small')));
ok(wait_for(q(SELECT count(*) = 2 FROM hwsched.assignment WHERE pool = 'small')), 'the other one follows');

# never two, whoever asks
is(sql('SELECT hwsched.stop_dispatcher()'), 't', 'it is stopped');
my @said = ('') x 4;
my @starters = map { start([ 'psql', '-XAtq', '-h', $node->host, '-p', $node->port, '-c', 'SELECT hwsched.start_dispatcher()', 'postgres' ], '<', \undef, '>', \$said[$_], timeout(60)) } 0 .. 3;
$_->finish for @starters;
is(join('', sort map { /(\w)/ } @said), 'ffft', 'of four who start one at once, one does');
is(sql(substr($one, 0, index($one, ' = 1')) . " FROM pg_stat_activity WHERE backend_type = 'hwsched dispatcher'"), 1, 'and there is one');

# --- what fails in one pool

sql(<<'SQL');
SELECT hwsched.start_dispatcher();
SELECT hwsched.create_pool('broken'), hwsched.register_worker('w', '{"cpu_cores": 4}', 'broken');
CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''broken on purpose %'', clock_timestamp(); END';
CREATE TRIGGER fail BEFORE INSERT ON hwsched.assignment FOR EACH ROW WHEN (NEW.pool = 'broken') EXECUTE FUNCTION public.fail();
SELECT hwsched.submit('{"test_id": "x"}', 'broken');
SQL
cmp_ok(seconds_to_place('postgres'), '<', 5, 'the others go on');
ok(wait_for(q(SELECT last_error ~ 'broken on purpose' FROM hwsched.pool_summary WHERE pool = 'broken')), 'pool_summary shows the error');
sleep 4;
is(logged('WARNING:.*broken on purpose'), 1, 'and the log, once');
sql('DROP TRIGGER fail ON hwsched.assignment');
ok(wait_for(q(SELECT state = 'assigned' FROM hwsched.workload WHERE pool = 'broken' AND workload_id = 'x')), 'once it is mended the pool goes on');

# code of users cannot become the superuser
sql(<<'SQL');
CREATE TABLE public.seen (who name, is_superuser text);
GRANT ALL ON public.seen TO PUBLIC;
CREATE FUNCTION public.rise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    BEGIN RESET SESSION AUTHORIZATION; RESET ROLE; EXCEPTION WHEN OTHERS THEN NULL; END;
    INSERT INTO public.seen VALUES (current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user));
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER rise AFTER INSERT OR UPDATE ON hwsched.pool_activity DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.rise();
SQL
sql(q(SELECT pg_sleep(1.1); SELECT hwsched.submit('{"test_id": "seen"}', 'broken')));
ok(wait_for(q(SELECT count(*) > 0 FROM public.seen)), 'a deferred trigger runs');
is(sql(q(SELECT DISTINCT who FROM public.seen)), 'hwsched_admin', 'as hwsched_admin');
sql('DROP TRIGGER rise ON hwsched.pool_activity');

# --- signals

my $pid = dispatcher('postgres');
sql("SELECT pg_cancel_backend($pid)");
cmp_ok(seconds_to_place('postgres'), '<', 5, 'a cancel does not end it');
is(dispatcher('postgres'), $pid, 'it is still the same');
$node->append_conf('postgresql.conf', 'hwsched.dispatcher = off');
$node->reload;
ok(wait_for("$none = 'postgres'"), 'the setting ends it');
like(psql_error($node, 'postgres', 'SELECT hwsched.start_dispatcher()'), qr/hwsched.dispatcher is off.*HINT/s, 'and keeps it from being started');
$node->append_conf('postgresql.conf', 'hwsched.dispatcher = on');
$node->reload;
ok(wait_for("$one = 'postgres'"), 'and starts it again');
sql("SELECT pg_terminate_backend(" . dispatcher('postgres') . ")");
sleep 0.5;
ok(wait_for("$one = 'postgres'"), 'one that is terminated is replaced');

# --- DROP EXTENSION, DROP DATABASE, copies

my $from = -s $node->logfile;
sql('DROP EXTENSION hwsched CASCADE');
ok(wait_for("$none = 'postgres'"), 'DROP EXTENSION ends it');
prepare('postgres');
ok(wait_for("$one = 'postgres'"), 'CREATE EXTENSION starts it');
cmp_ok(seconds_to_place('postgres'), '<', 5, 'and it places what comes');
is(logged('WARNING', $from), 0, 'without a warning');
sql('CREATE DATABASE other');
prepare('other');
ok(wait_for("$one = 'other'"), 'a second database has one, too');
my $began = time;
is(psql_error($node, 'postgres', 'DROP DATABASE other'), '', 'DROP DATABASE');
cmp_ok(time - $began, '<', 3, 'does not wait for it');
ok(wait_for("$one = 'postgres'"), 'the other goes on');
sql('CREATE DATABASE owned');
prepare('owned');
ok(wait_for("$one = 'owned'"), 'one of a user');
sql('CREATE ROLE owner LOGIN; ALTER DATABASE owned OWNER TO owner');
is($node->psql('postgres', 'DROP DATABASE owned WITH (FORCE)', extra_params => [ '-U', 'owner' ]), 0, 'its owner drops it by force');
sql('CREATE DATABASE renamed');
prepare('renamed');
ok(wait_for("$one = 'renamed'"), 'one to rename');
is(psql_error($node, 'postgres', 'ALTER DATABASE renamed RENAME TO moved'), '', 'it can be renamed');
is(psql_error($node, 'postgres', 'CREATE DATABASE copied TEMPLATE moved'), '', 'and copied');

# --- which databases, and how many

$node->append_conf('postgresql.conf', "hwsched.database = 'postgres, moved'");
$node->restart;
ok(wait_for("$one = 'postgres'") && wait_for("$one = 'moved'"), 'those that are named have one');
is(dispatcher('copied'), '', 'others have none');
like(psql_error($node, 'postgres', q(ALTER SYSTEM SET hwsched.database = '"a')), qr/invalid value for parameter "hwsched.database"/, 'a list that is none is refused');
$node->append_conf('postgresql.conf', 'max_worker_processes = 3');
$from = -s $node->logfile;
$node->restart;
ok(wait_for("SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'hwsched dispatcher'"), 'with one worker to spare there is one dispatcher');
my $full = 0;
for (1 .. 100) { last if $full = logged('no background worker is free to dispatch', $from); sleep 0.1 }
is($full, 1, 'and the log says that there is none for the other');
$node->append_conf('postgresql.conf', "max_worker_processes = 12\nhwsched.database = 'postgres'");
$node->restart;

# --- crashes

ok(wait_for("$one = 'postgres'"), 'it is there again');
$node->stop('immediate');
$node->start;
ok(wait_for("$one = 'postgres'"), 'after an immediate stop, too');
kill 'KILL', dispatcher('postgres');
sleep 1;
ok($node->poll_query_until('postgres', "$one = 'postgres'"), 'and after a crash of its own');
cmp_ok(seconds_to_place('postgres'), '<', 5, 'it places what comes');

# --- a standby

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('write'));
sleep 1;
is($standby->safe_psql('postgres', "SELECT count(*) FROM pg_stat_activity WHERE backend_type ~ 'hwsched'"), 0, 'on a standby there is none');
like(($standby->psql('postgres', 'SELECT hwsched.start_dispatcher()'))[2], qr/cannot execute hwsched.start_dispatcher\(\) during recovery/, 'nor can it be started');
$node->stop('fast');
$standby->promote;
ok($standby->poll_query_until('postgres', "$one = 'postgres'"), 'it begins when the standby is promoted');
$standby->safe_psql('postgres', q(SELECT hwsched.submit('{"test_id": "promoted", "test_type": "vision", "cpu_cores": 0.1}')));
ok($standby->poll_query_until('postgres', q(SELECT state = 'assigned' FROM hwsched.workload WHERE workload_id = 'promoted')), 'and places what comes');

# --- idle

# what happens to pools without work is found by a look at all of them
$standby->safe_psql('postgres', q(SELECT hwsched.create_pool('quiet', '{"offline_after": "8 s"}'); SELECT hwsched.register_worker('w', '{"cpu_cores": 1}', 'quiet')));
ok($standby->poll_query_until('postgres', "SELECT health = 'offline' FROM hwsched.worker_status WHERE pool = 'quiet'"), 'a worker of an idle pool is found silent');
my $maintained = $standby->safe_psql('postgres', "SELECT last_maintained_at FROM hwsched.pool_summary WHERE pool = 'quiet'");
ok($standby->poll_query_until('postgres', "SELECT last_maintained_at > '$maintained' FROM hwsched.pool_summary WHERE pool = 'quiet'"), 'and the pool is noted as maintained');
my $idle = dispatcher('postgres', $standby);
sub cpu_ticks { my @stat = split ' ', slurp_file("/proc/$_[0]/stat") =~ s/.*\) //sr; return $stat[11] + $stat[12] }
SKIP:
{
	skip 'there is no /proc', 1 unless -e "/proc/$idle/stat";
	sleep 3;
	my $ticks = cpu_ticks($idle);
	sleep 10;
	cmp_ok(cpu_ticks($idle) - $ticks, '<=', 20, 'idle it costs next to nothing');
}
is(problems($standby), '', 'nothing is amiss');
$began = time;
$standby->stop('fast');
cmp_ok(time - $began, '<', 20, 'it does not hold up the server');
is(scalar(() = (slurp_file($node->logfile) . slurp_file($standby->logfile)) =~ /(PANIC|TRAP)/g), 0, 'nothing crashed');
done_testing();
