# The pool's lock among many: idle workers that poll keep nobody out, and who
# waits is told whom for, without losing its turn.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use IPC::Run qw(start finish pump timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = new_node('lock');
my @psql = ('psql', '-XAtq', '-h', $node->host, '-p', $node->port, 'postgres');

sub sql { return $node->safe_psql('postgres', @_) }

# Waits until a query returns true; returns whether it did.
sub wait_for { return $node->poll_query_until('postgres', @_) }

sql(<<'SQL');
CREATE EXTENSION hwsched;
SELECT hwsched.create_pool('lock');
SELECT hwsched.register_worker('w' || n, '{"cpu_cores": 8}', 'lock') FROM generate_series(0, 7) AS n;
SQL

# Returns how many pages a claim that finds nothing touches, once the session is warm.
sub pages_of_claim
{
	my @plans = split /\n(?=\[)/, sql(join ';', ("EXPLAIN (ANALYZE, BUFFERS, FORMAT json) SELECT * FROM hwsched.claim('w0', pool => 'lock')") x 3);
	return $plans[-1] =~ /"Shared Hit Blocks": (\d+)/ ? $1 : die "no buffers in $plans[-1]";
}

# --- idle workers

my $alone = pages_of_claim();
sql(q(SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'g' || i, 'required_accelerators', '{"gpu": 1}'::jsonb)) FROM generate_series(1, 20000) i), 'lock')));
my $beside = pages_of_claim();
cmp_ok($beside, '<', $alone + 60, "a claim that finds nothing touches about as many pages beside 20,000 workloads for others ($beside) as alone ($alone)");

my $script = $node->basedir . '/poll.sql';
append_to_file($script, "SELECT * FROM hwsched.claim('w' || :client_id, pool => 'lock');\n");
my $polling = start [ 'pgbench', '-n', '-h', $node->host, '-p', $node->port, '-c', 8, '-j', 2, '-T', 10, '-f', $script, 'postgres' ], '>', \my $polled, '2>', \my $errors;
wait_for(q(SELECT count(*) >= 8 FROM pg_stat_activity WHERE query LIKE '%hwsched.claim%' AND pid <> pg_backend_pid()));
sql(q(SELECT hwsched.register_worker('gpu', '{"cpu_cores": 8, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}', 'lock')));
is(sql(q(SELECT hwsched.assign_pending(pool => 'lock'))), 4, 'the first batch beside eight idle workers that poll finds the lock free');
ok($polling->pumpable, 'while they do');
finish $polling;
like($polled, qr/number of failed transactions: 0 /, 'and none of them fails');

# --- a session that keeps the lock

# Starts a session that runs some statements, one after the other.
sub session
{
	my ($out, $told, @statements) = @_;
	return start [ @psql, map { ('-c', $_) } @statements ], '<', \undef, '>', $out, '2>', $told, timeout(120);
}
my $holder = session(\my $ignored, \my $ended, 'BEGIN', q(SELECT FROM hwsched.cancel('g1', 'lock')), 'SELECT pg_sleep(300)');
my $sleeps = q(FROM pg_stat_activity WHERE wait_event = 'PgSleep');
wait_for("SELECT count(*) = 1 $sleeps");
my $pid = sql("SELECT pid $sleeps");
ok(wait_for(qq(SELECT lock_holder_pid = $pid AND lock_holder_since < now() FROM hwsched.pool_summary WHERE pool = 'lock')), 'pool_summary names who holds the lock for longer than a second');
is(sql(q(SELECT count(*) FROM hwsched.pool_summary WHERE pool <> 'lock' AND lock_holder_pid IS NOT NULL)), 0, 'of no other pool');
is(sql(q(SELECT count(*) FROM hwsched.claim('w0', pool => 'lock'))), 0, 'an idle worker does not wait for it');
like(psql_error($node, 'postgres', q(SET lock_timeout = '200ms'; SELECT hwsched.assign_pending(pool => 'lock'))), qr/canceling statement due to lock timeout/, 'lock_timeout holds');

# The first that waits is told, and is served before the second, which came before it was told.
my $cancel = q(SELECT hwsched.cancel('g2', 'lock'));
my $waiting = q(SELECT count(*) = %d FROM pg_locks WHERE locktype = 'advisory' AND NOT granted);
my $first = session(\my $first_out, \my $first_told, $cancel);
wait_for(sprintf $waiting, 1);
my $second = session(\my $second_out, \my $second_told, $cancel);
wait_for(sprintf $waiting, 2);
my $waits_since = time;
pump $first until $first_told =~ /HINT/;
cmp_ok(time - $waits_since, '<', 30, 'who waits is told so soon');
like($first_told, qr/NOTICE:  pool "lock" is locked by process $pid\nDETAIL:  Its transaction began at \d{4}-.*\nHINT:  .*pool_summary/, 'who waits is told whom for after a second');
sql("SELECT pg_cancel_backend($pid)");
$_->finish for $first, $second, $holder;
unlike($first_told, qr/ERROR/, 'that cost no place in the queue: the first is served');
like($second_told, qr/ERROR:  workload "g2" is cancelled/, 'before the second');
unlike(slurp_file($node->logfile), qr/still waiting for|acquired ExclusiveLock/, 'the log is not told of it');
is(sql(q(SHOW deadlock_timeout)), '1s', 'and no setting stays changed');
is(problems($node, 'postgres'), '', 'nothing is amiss');

done_testing();
