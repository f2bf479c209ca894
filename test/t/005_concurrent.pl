# Thirty-two clients on two pools, each statement committed alone: what the
# tables say holds all along, nobody waits in a circle, and no pool for another.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use Trace;
use IPC::Run qw(start finish timeout);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_node('concurrent');
my $trace = Trace->begin($node);
$node->safe_psql('postgres', "CREATE EXTENSION hwsched; ALTER SYSTEM SET deadlock_timeout = '50ms'; SELECT pg_reload_conf()");
$node->safe_psql('postgres', <<'SQL');
-- Makes a call.  Two clients may well want to end the same assignment, or submit
-- the same test: an error of those that the call may then have is its result.
-- Any other error ends the client.
CREATE FUNCTION try(call text, allowed text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'SELECT ' || call;
  RETURN 'done';
EXCEPTION WHEN OTHERS THEN
  IF sqlstate <> ALL (string_to_array(allowed, ' ')) THEN
    RAISE;
  END IF;
  RETURN sqlstate;
END $$;
-- An assignment of a pool, at random.
CREATE FUNCTION pick(in_pool text, states text) RETURNS bigint LANGUAGE sql AS $$
  SELECT assignment_id FROM hwsched.assignment WHERE pool = in_pool AND state::text ~ states ORDER BY random() LIMIT 1
$$;
CREATE FUNCTION hardware(n int) RETURNS jsonb LANGUAGE sql AS $$
  SELECT jsonb_build_object('cpu_cores', 8 + n % 3, 'available_memory', 16 + n % 2, 'max_concurrent', 8 + n % 2,
    'supported_backends', '["cuda"]'::jsonb, 'available_accelerators', jsonb_build_object('cuda', 2 + n % 2))
$$;
DO $$
BEGIN
  FOR p IN 1 .. 2 LOOP
    PERFORM hwsched.create_pool('p' || p, '{"max_concurrent": 3, "retry_backoff": "0 s", "quarantine_after": 1000}');
    PERFORM hwsched.register_worker('w' || w, hardware(w), 'p' || p) FROM generate_series(1, 6) w;
  END LOOP;
END $$;
SQL

# 55000: the state has changed since; P0002: it is no longer there; 23505: it is
# still open; 22004: there was no such assignment.
my $mixed = $node->basedir . '/mixed.sql';
append_to_file($mixed, <<'SQL');
\set op random(1, 100)
\set p random(1, 2)
\set w random(1, 6)
\set n random(1, 200)
\if :op <= 32
SELECT try(format('hwsched.submit(%L, %L)', jsonb_build_object('test_id', 't' || :n, 'cpu_cores', :n % 3, 'host_memory', :n % 4, 'minimum_memory', :n % 5,
  'retries', :n % 3, 'priority', 1 + :n % 5, 'test_type', CASE WHEN :n % 2 = 0 THEN 'vision' ELSE 'nlp' END)
  || CASE :n % 7 WHEN 0 THEN '{"required_accelerators": {"cuda": 1}}' WHEN 1 THEN '{"accelerator_share": 0.4}' WHEN 2 THEN '{"required_accelerators": {"cuda": 2}}' ELSE '{}' END::jsonb, 'p' || :p), '23505');
\elif :op <= 40
SELECT hwsched.assign_pending(pool => 'p' || :p);
\elif :op <= 46
SELECT try(format('hwsched.schedule(%L, %L)', 't' || :n, 'p' || :p), '55000 P0002');
\elif :op <= 58
SELECT hwsched.claim('w' || :w, 2, pool => 'p' || :p);
\elif :op <= 72
SELECT try(format('hwsched.complete(%L, pool => %L)', pick('p' || :p, 'running'), 'p' || :p), '55000 22004');
\elif :op <= 78
SELECT try(format('hwsched.fail(%L, %L, %L)', pick('p' || :p, 'assigned|running'), 'broken', 'p' || :p), '55000 22004');
\elif :op <= 83
SELECT try(format('hwsched.cancel(%L, %L)', 't' || :n, 'p' || :p), '55000 P0002');
\elif :op <= 92
SELECT hwsched.update_load('w' || :w, jsonb_build_object('cpu_utilization', :n % 100, 'gpu_utilization', :n % 100, 'temperature_celsius', 30 + :n % 60), 'p' || :p);
\else
SELECT hwsched.register_worker('w' || :w, hardware(:n), 'p' || :p);
\endif
SQL

sub pgbench
{
	my ($clients, $seconds, $file) = @_;
	return [ 'pgbench', '-n', '-c', $clients, '-j', 2, '-T', $seconds, '-f', $file, '--failures-detailed',
		'-h', $node->host, '-p', $node->port, '-U', 'postgres', 'postgres' ];
}

# One live assignment per workload, run and shard; one row and one state each.
my $twice = <<'SQL';
SELECT 'placed twice', pool, workload_id, run, shard_no, count(*)::text FROM hwsched.assignment
WHERE state IN ('assigned', 'running') GROUP BY 2, 3, 4, 5 HAVING count(*) > 1
UNION ALL
SELECT 'in states', pool, workload_id, 0, 0, string_agg(state::text, ' ') FROM hwsched.workload GROUP BY 2, 3 HAVING count(*) > 1 OR count(state) <> 1
UNION ALL
SELECT 'two runs open', pool, workload_id, 0, 0, count(*)::text FROM hwsched.submission WHERE outcome IS NULL GROUP BY 2, 3 HAVING count(*) > 1
SQL

# --- all of it at once; the tables are looked at meanwhile and afterwards

my $logged = -s $node->logfile;
my ($out, $err) = ('', '');
my $h = start(pgbench(32, 9, $mixed), '>', \$out, '2>', \$err, timeout(60));
my ($looks, %found) = (0);
until (!$h->pumpable)
{
	$found{$_}++ for grep { $_ ne '' } problems($node), $node->safe_psql('postgres', $twice);
	$looks++;
	$h->pump_nb;
}
ok($h->finish, 'thirty-two clients work on two pools') or diag($err);
note("looked $looks times; ", $out =~ /(actually processed: \d+)/);
is(join("\n", %found), '', 'whenever one looks, all invariants hold');
cmp_ok($looks, '>=', 3, 'and one looked while they worked');
unlike($err, qr/deadlock|aborted|error/i, 'no client was aborted');
like($out, qr/number of failed transactions: 0 /, 'no transaction failed');
my $log = slurp_file($node->logfile, $logged);
is(join("\n", $log =~ /^.*(?:ERROR|FATAL|PANIC|WARNING|TRAP|deadlock).*$/mg), '', 'the log of the server has no error, nor a deadlock');
is(problems($node), '', 'usage is the sum of live assignments, nothing is over-committed, and every workload is in one place');
is($node->safe_psql('postgres', $twice), '', 'nothing is placed twice, everything in one state');

my $ended = "SELECT string_agg(DISTINCT state::text, ' ' ORDER BY state::text) FROM hwsched";
is($node->safe_psql('postgres', "$ended.assignment WHERE finished_at IS NOT NULL"), 'cancelled completed expired failed', 'assignments ended in every way');
is($node->safe_psql('postgres', "$ended.workload WHERE state IN ('cancelled', 'completed', 'dead')"), 'cancelled completed dead', 'and so did workloads');
cmp_ok($node->safe_psql('postgres', "SELECT min(n) FROM (SELECT count(*) AS n FROM hwsched.assignment WHERE state = 'completed' GROUP BY pool) x"),
	'>', 50, 'each pool had something to do');

# --- who holds one pool does not delay the other

my $other = $node->basedir . '/other.sql';
append_to_file($other, "SET lock_timeout = '500ms';\n\\set p 2\n" . (slurp_file($mixed) =~ s/^\\set p random.*\n//mr));
my $rate = sub {
	my ($stdout, $stderr) = ('', '');
	my $ok = IPC::Run::run(pgbench(4, 2, $other), '>', \$stdout, '2>', \$stderr);
	return ($ok && $stdout =~ /failed transactions: 0 /, $stdout =~ /^tps = ([\d.]+)/m, $stderr);
};
my ($alone_ok, $alone) = $rate->();
ok($alone_ok, 'four clients work on one pool');

my ($in, $said, $complained) = ("BEGIN; SELECT 'holds', hwsched.assign_pending(pool => 'p1');\n", '', '');
my $psql = start([ 'psql', '-XAtq', '-h', $node->host, '-p', $node->port, '-U', 'postgres', 'postgres' ],
	'<', \$in, '>', \$said, '2>', \$complained, timeout(60));
$psql->pump until $said =~ /holds\|\d+\n/;
like( psql_error($node, 'postgres', "SET lock_timeout = '100ms'; SELECT hwsched.register_worker('w1', hardware(1), 'p1')"),
	qr/lock timeout/, 'while a session holds a pool, others wait for it');
my ($beside_ok, $beside, $why) = $rate->();
ok($beside_ok, 'but who works on another pool never waits') or diag($why);
note("$alone transactions per second alone, $beside beside a held pool");
cmp_ok($beside, '>', $alone / 3, 'nor is slower');
$in .= "COMMIT;\n\\q\n";
$psql->finish;
is($complained, '', 'the session that held it ends well');
is(problems($node), '', 'all agrees');

# --- all that was committed is what the model allows

SKIP:
{
	skip $Trace::missing, 1 unless $trace;
	$trace->read;
	note(scalar($trace->transactions), ' transactions');
	is($trace->refused, '', 'every transaction is one of the model');
}

$node->stop;
done_testing();
