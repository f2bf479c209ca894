# History as time goes by: partitions made ahead and dropped while others write,
# pools that keep different amounts, and all of it dumped and restored.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use IPC::Run ();
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('history');
$node->safe_psql('postgres', 'CREATE EXTENSION hwsched');
my $sql = sub { return $node->safe_psql('postgres', $_[0]) };
my $days = sub {
	return $sql->("SELECT string_agg(substr(relname, length('load_history_') + 1)::date - (now() AT TIME ZONE 'UTC')::date || '', ' ' ORDER BY relname) FROM pg_class WHERE relname ~ '^load_history_[0-9]{8}\$' AND relkind = 'r'");
};

# --- made ahead, and on demand

$sql->("SELECT hwsched.create_pool('short', '{\"retention\": {\"history\": \"5 days\"}}'), hwsched.create_pool('long')");
$sql->("SELECT hwsched.register_worker('w', '{\"cpu_cores\": 4}', pool) FROM hwsched.pool");
$sql->("SELECT hwsched.update_load('w', '{\"cpu_utilization\": 5}', 'short')");
is($days->(), '', 'at first there is no partition');
is($sql->("SELECT count(*) FROM hwsched.load_history_default"), 1, 'and what is reported is in the default one');
$sql->("SET timezone = 'Asia/Kolkata'; SET datestyle = 'Postgres, DMY'; SELECT hwsched.maintain('long')");
is($days->(), '0 1 2', 'maintain() makes those of today and the next days');
is($sql->("SELECT count(*) FROM hwsched.load_history_default"), 0, 'and moves what had come before');
is($sql->("SELECT count(*) FROM hwsched.load_history WHERE pool = 'short'"), 1, 'where it is still found');
$sql->("SELECT hwsched.record_resource_utilization('w', '{\"cpu_utilization\": 10}', now() - d * interval '1 day', pool => pool) FROM generate_series(1, 20) AS d, hwsched.pool WHERE pool <> 'default'");
is($days->(), join(' ', -20 .. 2), 'a past day that is kept gets its own when something is recorded');
$sql->("SELECT hwsched.record_resource_utilization('w', '{\"cpu_utilization\": 10}', now() - interval '31 days', pool => 'long')");
is($days->(), join(' ', -20 .. 2), 'one that is not kept does not');
is($sql->("SELECT hwsched.load_history(jsonb_build_object('efficiency_scores', jsonb_build_object('w', (SELECT jsonb_agg(jsonb_build_array(now() - d * interval '1 day', 0.5)) FROM generate_series(0, 3000) AS d))), 'long')"),
	3001, 'years are loaded');
cmp_ok($sql->("SELECT count(*) FROM pg_inherits WHERE inhparent = 'hwsched.recorded_assignment'::regclass"), '<', 40, 'and make no partition for each of their days');

# --- a clock in another zone, and a day that begins there

is($sql->("SET timezone = 'Pacific/Kiritimati'; SELECT count(*) FROM pg_class WHERE relname ~ '^load_history_[0-9]{8}\$' AND pg_get_expr(relpartbound, oid) !~ '14:00:00\\+14.*14:00:00\\+14'"), 0,
	'days are those of UTC');

# --- each pool keeps what it keeps, and nobody reads what no pool keeps

# a call rolls up for 20 s at most
for my $call (1 .. 100)
{
	$sql->("SELECT hwsched.maintain('short'); SELECT hwsched.maintain('long')");
	last if $sql->("SELECT count(*) FROM hwsched.history_late WHERE pool <> 'default'") == 0;
}
is($sql->("SELECT count(*) FROM hwsched.load_history WHERE pool = 'short'"), 6, 'the pool that keeps 5 days has no older ones');
is($sql->("SELECT count(*) FROM hwsched.load_history WHERE pool = 'long'"), 20, 'the other one has all it keeps');
is($sql->("SELECT sum(samples) FROM hwsched.utilization_history_hourly WHERE pool = 'short'"), 21, 'the hours are kept for longer');
is($sql->("SELECT count(*) FROM hwsched.efficiency_history_hourly WHERE pool = 'long'"), 400, 'as long as they are to be');
is($days->(), join(' ', -20 .. 2), 'partitions stay as long as any pool keeps them');
$sql->("SELECT hwsched.alter_pool(pool, '{\"retention\": {\"history\": \"10 days\", \"hourly\": \"15 days\"}}') FROM hwsched.pool WHERE pool <> 'short'");
is($sql->("BEGIN; SELECT forgotten FROM hwsched.maintain('long'); ROLLBACK"), $sql->("SELECT forgotten FROM hwsched.maintain('long')"), 'a tick that is rolled back is done again');
is($days->(), join(' ', -10 .. 2), 'then they are dropped');
is($sql->("SELECT count(*) FROM hwsched.load_history WHERE pool = 'long'"), 10, 'with what was in them');
is($sql->("SELECT count(*) FROM hwsched.efficiency_history_hourly WHERE pool = 'long'"), 15, 'and the hours have gone, too');
is($sql->("SELECT sum(samples) FROM hwsched.utilization_history_hourly WHERE pool = 'short'"), 21, 'but those of others');
$sql->("CREATE VIEW public.depends AS SELECT * FROM hwsched.load_history_" . $sql->("SELECT to_char((now() AT TIME ZONE 'UTC')::date - 10, 'YYYYMMDD')"));
$sql->("SELECT hwsched.alter_pool(pool, '{\"retention\": {\"history\": \"5 days\"}}') FROM hwsched.pool");
my ($status, undef, $stderr) = $node->psql('postgres', "SELECT hwsched.maintain('long')");
is($status, 0, 'what depends on a partition does not stop maintain()');
like($stderr, qr/WARNING:.*other objects depend on it/, 'but is told of');
is($days->(), join(' ', -10, -5 .. 2), 'the others are dropped');
$sql->("DROP VIEW public.depends; SELECT hwsched.maintain('long'); SELECT hwsched.alter_pool(pool, '{\"retention\": null}') FROM hwsched.pool");
is($days->(), join(' ', -5 .. 2), 'and it is afterwards');

# --- whoever is in the way is not waited for for long

my $reader = $node->background_psql('postgres');
$reader->query_safe('BEGIN; SELECT count(*) FROM hwsched.load_history');
$sql->("SELECT hwsched.alter_pool(pool, '{\"retention\": {\"history\": \"3 days\"}}') FROM hwsched.pool");
my $begun = time;
$sql->("SET statement_timeout = '20s'; SELECT hwsched.maintain('long')");
cmp_ok(time - $begun, '<', 15, 'a reader does not hold maintain() up');
is($days->(), join(' ', -5 .. 2), 'days stay where somebody reads');
$reader->query_safe('COMMIT');
$sql->("SELECT hwsched.maintain('long')");
is($days->(), join(' ', -3 .. 2), 'until he is done');
my $writer = $node->background_psql('postgres');
$writer->query_safe("BEGIN; SELECT hwsched.update_load('w', '{\"cpu_utilization\": 7}', 'long')");
$sql->("SELECT hwsched.alter_pool(pool, '{\"retention\": {\"history\": \"2 days\"}}') FROM hwsched.pool");
$sql->("SET statement_timeout = '20s'; SELECT hwsched.maintain('short')");
$sql->("SET statement_timeout = '20s'; SELECT hwsched.update_load('w', '{\"cpu_utilization\": 7}', 'short')");
pass('nor does a writer, nor are others kept from writing');
$writer->query_safe('COMMIT');
# what he wrote before the hour was over is waited for when it is rolled up
$writer->query_safe("BEGIN; SELECT hwsched.update_load('w', '{\"cpu_utilization\": 7}', 'long')");
is($sql->("SELECT hwsched_internal.history_over(now() + interval '1 hour') <= now()"), 't', 'an hour in which somebody is still writing is not over');
$writer->query_safe('COMMIT');
is($sql->("SELECT hwsched_internal.history_over(now() + interval '1 hour') > now()"), 't', 'it is when he is done');
$reader->quit;
$writer->quit;

# --- two pools that are maintained, partitions that come and go, and writers: all at once

$sql->("SELECT hwsched.alter_pool(pool, '{\"retention\": null}') FROM hwsched.pool");
my $scripts = $node->basedir;
append_to_file("$scripts/maintain_$_.sql", "SELECT hwsched.maintain('$_');\n") for qw(short long);
append_to_file("$scripts/write.sql", "\\set d random(0, 3)\n\\set p random(0, 1)\nSELECT hwsched.update_load('w', '{\"cpu_utilization\": 1, \"devices\": [{\"device_no\": 0, \"utilization\": 2}]}', (ARRAY['short', 'long'])[:p + 1]);\n"
	. "SELECT hwsched.record_assignment('x', 'w', 0.5, 'vision', now() - :d * interval '1 day', (ARRAY['short', 'long'])[:p + 1]);\n");
append_to_file("$scripts/read.sql", "SELECT count(*) FROM hwsched.utilization_history_hourly;\nSELECT count(*) FROM hwsched.assignment_history WHERE time > now() - interval '2 days';\n");
# days to come vanish, so that maintain() has something to make in each tick; nobody writes there
append_to_file("$scripts/vanish.sql", "SET lock_timeout = '50ms';\nDO \$\$ DECLARE day regclass; BEGIN FOR day IN SELECT oid FROM pg_class WHERE relname ~ '^(load_history|recorded_assignment)_[0-9]{8}\$' AND right(relname, 8)::date > (now() AT TIME ZONE 'UTC')::date LOOP EXECUTE format('DROP TABLE %s', day); END LOOP; EXCEPTION WHEN lock_not_available OR undefined_table OR deadlock_detected THEN NULL; END \$\$;\n\\sleep 20 ms\n");
my $rows = $sql->('SELECT count(*) FROM hwsched.load_history');
my @runs;
for my $run ([ 'maintain_short', 1 ], [ 'maintain_long', 1 ], [ 'write', 3 ], [ 'read', 1 ], [ 'vanish', 1 ])
{
	my ($out, $err) = ('', '');
	push @runs, [ $run->[0], IPC::Run::start([ 'pgbench', '-n', '-T', 6, '-c', $run->[1], '-f', "$scripts/$run->[0].sql", $node->connstr('postgres') ], '>', \$out, '2>', \$err), \$out, \$err ];
}
my $wrote = 0;
for my $run (@runs)
{
	$run->[1]->finish;
	is(${ $run->[3] } =~ s/^(pgbench \(.*|maximum number of tries.*)\n//mgr =~ s/\s+$//r, '', "$run->[0]: no error");
	my ($done) = ${ $run->[2] } =~ /number of transactions actually processed: (\d+)/;
	cmp_ok($done // 0, '>', 5, "$run->[0]: it went on");
	$wrote = $done if $run->[0] eq 'write';
}
is($sql->('SELECT count(*) FROM hwsched.load_history'), $rows + 2 * $wrote, 'nothing that was written is lost');
$sql->("SELECT hwsched.maintain('short'); SELECT hwsched.maintain('long')");
is($sql->("SELECT count(*) FROM hwsched.assignment_history WHERE workload_id = 'x'"), $sql->("SELECT sum(assignments) FROM hwsched.assignment_history_hourly WHERE workload_type = 'vision'"), 'and the hours have all of it');
is($days->() =~ s/-\d+ //gr, '0 1 2', 'the days are there again');
is(problems($node), '', 'all is well');

# --- dumped, restored, and going on

my $dump = "$scripts/history.dump";
$node->command_ok([ 'pg_dump', '-Fc', '-f', $dump, $node->connstr('postgres') ], 'pg_dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('restored'), $dump ], 'pg_restore');
my %source = contents($node, 'postgres');
my %target = contents($node, 'restored');
is_deeply([ sort keys %target ], [ sort keys %source ], 'the same partitions');
is($target{$_}, $source{$_}, "the same rows in $_") for grep { /history|recorded|_hour$/ } sort keys %source;
my $partitions = "SELECT inhrelid::regclass, pg_get_expr(relpartbound, inhrelid), (SELECT string_agg(pg_get_indexdef(indexrelid), ' ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = inhrelid) FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent::regclass::text ~ 'hwsched' ORDER BY inhrelid::regclass::text";
is($node->safe_psql('restored', $partitions), $sql->($partitions), 'of the same days, with the same indexes');
$node->safe_psql('restored', "SELECT hwsched.alter_pool(pool, '{\"retention\": {\"history\": \"2 days\"}}') FROM hwsched.pool; SELECT hwsched.maintain('long')");
is($node->safe_psql('restored', "SELECT count(*) FROM pg_class WHERE relname ~ '^load_history_[0-9]{8}\$' AND relkind = 'r'"), 5, 'maintain() goes on with them');
is($node->safe_psql('restored', "SELECT hwsched.update_load('w', '{\"cpu_utilization\": 3}', 'long'); SELECT count(*) FROM hwsched.utilization_history WHERE cpu_ratio = 0.03"), "\n1", 'so do workers');
$node->safe_psql('restored', 'DROP EXTENSION hwsched');
is($node->safe_psql('restored', "SELECT count(*) FROM pg_class WHERE relname ~ 'history|recorded'"), 0, 'and DROP EXTENSION takes all of it along');

$node->stop;
done_testing();
