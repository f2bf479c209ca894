# What happens in the middle of a batch when the time is up, the memory or the
# disk: the statement ends with an error, nothing is half done, and the same
# session goes on.
#
# The limits are real ones of the kernel, set on the process that does the work.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use IPC::Run qw(run start timeout);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $work = 10000;

# Segments of WAL as small as can be: what may not grow is then the tables.
my $node = new_node('limits', extra => ['--wal-segsize=1']);
$node->safe_psql('postgres', <<SQL);
CREATE EXTENSION hwsched;
SELECT count(hwsched.register_worker('w' || n, '{"cpu_cores": 16, "available_memory": 64, "max_concurrent": 200}')) FROM generate_series(1, 200) n;
SELECT hwsched.alter_pool('default', '{"max_concurrent": 200}');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || n, 'priority', 1 + n % 5, 'minimum_memory', n % 7 / 100.0)) FROM generate_series(1, $work) n));
SQL

# --- a session of its own, which limits are set on

my ($in, $out, $number) = ('', '', 0);
my ($psql, $backend);

sub connect_anew
{
	$psql->finish if $psql;
	$in = '';
	$psql = start([ 'psql', '-XAtq', '-v', 'VERBOSITY=terse', '-h', $node->host, '-p', $node->port, '-U', 'postgres', 'postgres' ],
		'<', \$in, '>', \$out, '2>&1', timeout(120));
	$backend = ask('SELECT pg_backend_pid()');
	return;
}

# Runs a statement in that session; returns what it says.
sub ask
{
	my ($sql) = @_;
	$out = '';
	$number++;
	$in .= "$sql;\n\\echo done $number\n";
	$psql->pump while $out !~ /^done $number$/m && $psql->pumpable;
	return $out =~ s/\n?done $number\n//r;
}

# Returns what would be different if something were half done.
sub tables
{
	return $node->safe_psql('postgres', <<'SQL');
SELECT (SELECT count(*) FROM hwsched.pending), (SELECT count(*) FROM hwsched.assignment), (SELECT count(*) FROM hwsched.submission),
  (SELECT sum(total_assignments) FROM hwsched.worker_usage), (SELECT count(*) FROM hwsched.unsettled), (SELECT md5(string_agg(p::text, ' ' ORDER BY queue_no)) FROM hwsched.pending p)
SQL
}

connect_anew();
my $began = time;
is(ask('BEGIN; SELECT hwsched.assign_pending(); ROLLBACK'), $work, 'a batch that is undone');
my $batch = time - $began;
my $before = tables();
note("it takes $batch s");

# --- statement_timeout, at nine moments of the batch, most of them early in case it is quicker now

my %said;
my $latest = 0;
for my $tenth (1 .. 9)
{
	my $limit = int($batch * 1000 * ($tenth / 10) ** 2) || 1;
	$began = time;
	$said{ ask("BEGIN; SET LOCAL statement_timeout = $limit; SELECT hwsched.assign_pending()") }++;
	$latest = time - $began - $limit / 1000 if time - $began - $limit / 1000 > $latest;
	ask('ROLLBACK');
	last if tables() ne $before;
}
is(tables(), $before, 'a batch whose time is up has done nothing');
cmp_ok($said{'ERROR:  canceling statement due to statement timeout'} // 0, '>=', 3, 'it was in the middle of it');
cmp_ok($latest, '<', 1 + $batch / 2, 'and ends when its time is up');
is(problems($node), '', 'all agrees');

# --- out of memory, at more and more of it

SKIP:
{
	skip 'there is no prlimit', 16 if system('prlimit --version >/dev/null 2>&1') != 0;

	my $limit = sub {
		my ($resource, $bytes) = @_;
		system_or_bail('prlimit', '--pid', $backend, "--$resource=$bytes:unlimited");
	};
	%said = ();
	# one that has no memory yet that it could use again, but the library
	connect_anew();
	ask('SELECT hwsched.load_score(0, 0, 0, 0, 0)');
	my $megabytes;
	for ($megabytes = 0.5; $megabytes < 400; $megabytes *= 1.5)
	{
		my ($size) = slurp_file("/proc/$backend/status") =~ /^VmSize:\s+(\d+)/m;
		$limit->('as', ($size + $megabytes * 1024) * 1024);
		my $answer = ask('BEGIN; SELECT hwsched.assign_pending()');
		$limit->('as', 'unlimited');
		ask('ROLLBACK');
		$said{ $answer =~ s/ at character \d+//r }++;
		last if $answer !~ /ERROR/ || tables() ne $before;
	}
	is(tables(), $before, 'a batch that runs out of memory has done nothing');
	cmp_ok($said{'ERROR:  out of memory'} // 0, '>=', 3, 'it was in the middle of it');
	is(join(' ', sort keys %said), "$work ERROR:  out of memory", "and is done with $megabytes MB");
	is(ask('SELECT pg_backend_pid()'), $backend, 'by the same session');
	is(problems($node), '', 'all agrees');

	# --- files that may not grow any more: what the kernel says when the disk is full

	$limit->('fsize', 1024 * 1024);
	like(ask('SELECT hwsched.assign_pending()'), qr/ERROR: .*File too large/, 'with the disk full, the batch fails');
	is(tables(), $before, 'and has done nothing');
	like(ask(q[SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'u' || n)) FROM generate_series(1, 10000) n))]), qr/ERROR: .*File too large/, 'nor can work be submitted');
	is(tables(), $before, 'which has done nothing, either');
	$limit->('fsize', 'unlimited');
	is(ask('SELECT hwsched.assign_pending(5000)'), 5000, 'with room again, half of the batch is done');
	is(problems($node), '', 'all agrees');

	# --- no room for the log of the server: it stops, and loses nothing that it said was done

	my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
	system("prlimit --pid $_ --fsize=262144:unlimited 2>/dev/null") for $postmaster, children($postmaster);
	my $placed = 5000;
	for (1 .. 15)
	{
		my $answer = ask('SELECT hwsched.assign_pending(250)');
		$placed += $answer if $answer =~ /^\d+$/;
		last unless $psql->pumpable && -d "/proc/$postmaster";
	}
	eval { $psql->finish };
	like(slurp_file($node->logfile), qr/PANIC:  could not write to .*File too large/, 'without room for its log, the server stops');
	$node->stop('immediate', fail_ok => 1);
	$node->start;
	is($node->safe_psql('postgres', 'SELECT count(*) FROM hwsched.assignment'), $placed, "and has what it said was done: $placed are placed");
	is(problems($node), '', 'all agrees');
	cmp_ok($node->safe_psql('postgres', 'SELECT hwsched.assign_pending()'), '>', 0, 'it goes on');
	is(problems($node), '', 'all agrees');
}

$node->stop;
done_testing();
