# Dump and restore of a database in use, by every way there is: in parallel, as data
# only, by section, where roles are missing, by pg_upgrade.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('used');
my $dir = $node->basedir;

# --- a thousand workers, a hundred thousand assignments, ten days of history

$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hwsched;
SELECT hwsched.create_pool('big', '{"max_concurrent": 500, "lease": "2 days", "offline_after": "2 days", "retention": {"history": "20 days"}}'), hwsched.create_pool('empty');
SELECT hwsched.alter_pool('default', '{"max_load": 0.7}');
INSERT INTO hwsched.taxonomy (kind, name) VALUES ('workload_type', 'folding');
INSERT INTO hwsched.type_word (position, word, workload_type) VALUES (0, 'protein', 'folding');
SELECT count(hwsched.register_worker('w' || n, CASE WHEN n % 4 = 0 THEN '{"cpu_cores": 64, "available_memory": 256, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}'
  ELSE '{"cpu_cores": 32, "available_memory": 128}' END::jsonb, 'big')) FROM generate_series(1, 1000) AS n;
SELECT count(hwsched.update_load('w' || n, '{"cpu_utilization": 20, "memory_utilization": 30, "temperature_celsius": 50}', 'big')) FROM generate_series(1, 1000) AS n;
CREATE ROLE "login 1" LOGIN;
CREATE ROLE "login 2" LOGIN;
CREATE ROLE gone LOGIN;
CREATE ROLE before LOGIN;
SELECT hwsched.grant_worker('w1', 'login 1', 'big'), hwsched.grant_worker('w1', 'before', 'big'), hwsched.grant_worker('w2', 'login 2', 'big'), hwsched.grant_worker('w2', 'gone', 'big');
ALTER ROLE before RENAME TO renamed;
DROP ROLE gone;
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || n, 'test_type', CASE WHEN n % 2 = 0 THEN 'vision' ELSE 'nlp' END)) FROM generate_series(1, 101000) AS n), 'big');
SELECT hwsched.assign_pending(100000, 'big');
-- those that have accelerators got the work
SELECT count(*) FROM generate_series(4, 400, 4) AS n CROSS JOIN LATERAL hwsched.claim('w' || n, 50, false, 'big');
SELECT hwsched.complete_many(array_agg(assignment_id), 'big') FROM hwsched.assignment WHERE pool = 'big' AND state = 'running' AND assignment_id % 3 > 0;
SELECT hwsched.maintain('big') IS NULL;
SELECT count(hwsched.record_resource_utilization('w1', '{"cpu_utilization": 50}', now() - n * interval '1 day', NULL, 'big')) FROM generate_series(0, 10) AS n;
INSERT INTO hwsched.load_history (pool, worker_id, at, cpu_utilization)
SELECT 'big', 'w' || n % 1000, now() - n * interval '18 seconds', n % 100 FROM generate_series(1, 48000) AS n;
SELECT hwsched.maintain('big') IS NULL;
SELECT hwsched.complete_many(array_agg(assignment_id), 'big') FROM (SELECT assignment_id FROM hwsched.assignment WHERE pool = 'big' AND state = 'running' LIMIT 100) AS a;
ANALYZE;
SQL

# --- and a pool with everything that can be said: labels, taints, times, limits, tenants,
# windows, reservations, devices drained, notes, who was granted what; and one that is paused

$node->safe_psql('postgres', <<'SQL');
SELECT hwsched.create_pool('said', '{"limits": {"licence": {"concurrent": 2, "per_minute": 9}}, "tenants": {"a": {"weight": 2, "quota": {"workloads": 9}}}, "fair_share": {"half_life": "1 day"}, "offline_after": "2 days", "lease": "2 days"}'), hwsched.create_pool('paused');
SELECT hwsched.pause_pool('paused'), hwsched.submit('{"test_id": "p"}', 'paused'), hwsched.register_worker('w', '{"cpu_cores": 4}', 'paused');
SELECT hwsched.register_worker('gpus', '{"cpu_cores": 16, "available_memory": 64, "incarnation": "first", "labels": {"zone": "north", "slots": [1, 2]}, "supported_backends": ["cpu", "cuda"],
  "devices": [{"hardware_class": "gpu", "device_id": "GPU-1", "labels": {"mig": false}, "memory_total_bytes": 17179869184}, {"hardware_class": "gpu", "device_id": "GPU-2", "memory_total_bytes": 17179869184}]}', 'said'),
  hwsched.register_worker('tainted', '{"cpu_cores": 16, "available_memory": 64, "taints": {"only": "x"}}', 'said'), hwsched.register_worker('window', '{"cpu_cores": 16, "available_memory": 64}', 'said');
SELECT hwsched.drain_worker('window', now() + '1 minute', now() + '30 days', 'said'), hwsched.drain_device('gpus', 2, 'said');
SELECT hwsched.submit_many('[{"test_id": "labelled", "tenant": "a", "required_labels": {"zone": "north"}, "concurrency_key": {"licence": 2}, "expected_duration": 1000, "timeout": 100000, "required_accelerators": {"gpu": 1}}, {"test_id": "tolerant", "tenant": "b", "tolerations": ["only"], "required_labels": {"worker_id": "tainted"}},
  {"test_id": "later", "tenant": "b", "run_at": "2099-01-01T00:00:00Z", "expires_at": "2099-01-02T00:00:00Z"}, {"test_id": "keyed", "tenant": "b", "concurrency_key": {"licence": 1}, "start_timeout": "1 hour"}, {"test_id": "wide", "tenant": "a", "required_accelerators": {"gpu": 1}},
  {"test_id": "group 1", "group": "g", "group_apart": true, "exclusive": true, "on_failed_dependency": "run"}, {"test_id": "after", "depends_on": ["later"], "on_failed_dependency": "cancel"}]', 'said');
SELECT hwsched.assign_pending(pool => 'said');
SELECT count(*) FROM unnest('{gpus,tainted}'::text[]) AS w, LATERAL hwsched.claim(w, 9, false, 'said');
SELECT hwsched.progress(assignment_id, 0.5, '{"at": "half"}', 'said') FROM hwsched.assignment WHERE pool = 'said' AND workload_id = 'labelled';
SELECT hwsched.yield_work(assignment_id, '{"step": 7}', 'said') FROM hwsched.assignment WHERE pool = 'said' AND workload_id = 'tolerant' AND state = 'running';
SELECT hwsched.assign_pending(pool => 'said');
SELECT hwsched.alter_workload('keyed', '{"priority": 4}', 'less urgent', 'said');
SELECT hwsched.grant_tenant('a', 'login 2', 'said'), hwsched.grant_tenant('b', 'login 1', 'said'), hwsched.grant_pool('renamed', 'view', 'said');
SQL
# what it says of itself, and to whom; who was granted nothing is told nothing
my $told = q(GRANT hwsched_coordinator TO "login 2";
SELECT string_agg(concat_ws(' ', workload_id, reason), ',' ORDER BY workload_id) FROM hwsched.pending_workloads WHERE pool IN ('said', 'paused');
SELECT string_agg(concat_ws(' ', workload_id, worker_id, starts_at), ',') FROM hwsched.reservation;
SELECT string_agg(concat_ws(' ', worker_id, drain_at, drain_until, draining_devices), ',' ORDER BY worker_id) FROM hwsched.worker_status WHERE pool = 'said';
SELECT string_agg(concat_ws(' ', pool, is_paused, paused_since), ',' ORDER BY pool) FROM hwsched.pool_summary;
SELECT string_agg(concat_ws(' ', key, concurrent_limit, in_use, waiting), ',') FROM hwsched.limit_usage;
SELECT string_agg(concat_ws(' ', tenant, weight, workloads, workloads_quota), ',' ORDER BY tenant) FROM hwsched.tenant_usage;
SELECT string_agg(concat_ws(' ', workload_id, progress_ratio, note), ',') FROM hwsched.running_work WHERE pool = 'said';
SET SESSION AUTHORIZATION "login 2";
SELECT string_agg(workload_id, ',' ORDER BY workload_id) FROM hwsched.workload WHERE pool = 'said';
RESET SESSION AUTHORIZATION;
SET ROLE hwsched_coordinator;
SELECT count(*) FROM hwsched.pool WHERE pool = 'said';
RESET ROLE;
SELECT hwsched.assign_pending(pool => 'paused'));
my $told_before = $node->safe_psql('postgres', $told);
like($told_before, qr/^labelled,wide$/m, 'a tenant sees its own');
like($told_before, qr/^0\n0$/m, 'others nothing, and what is paused stays');

# All rows of each table by their number and a sum over them; what partitions have
# stands in their parents.
sub digest
{
	my ($on, $database) = @_;
	my $queries = $on->safe_psql($database, <<'SQL');
SELECT string_agg(format('SELECT %1$L, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM %1$s AS t %2$s', c.oid::regclass,
  -- the pool that the extension makes anew
  CASE c.relname WHEN 'pool' THEN 'WHERE pool <> ''default''' END), ' UNION ALL ' ORDER BY c.relname) || ' ORDER BY 1'
FROM pg_class AS c WHERE c.relnamespace::regnamespace::text LIKE 'hwsched%' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
SQL
	my $sequences = $on->safe_psql($database, q(SELECT string_agg(format('SELECT %1$L, last_value, is_called::int FROM %1$s', c.oid::regclass), ' UNION ALL ' ORDER BY c.relname) || ' ORDER BY 1'
FROM pg_class AS c WHERE c.relnamespace::regnamespace::text LIKE 'hwsched%' AND c.relkind = 'S'));
	return $on->safe_psql($database, "$queries; $sequences") . "\n" . $on->safe_psql($database, "SELECT p.pool, s.name, s.value FROM hwsched.pool AS p CROSS JOIN LATERAL hwsched.pool_settings(p.pool) AS s ORDER BY 1, 2");
}

my $used = digest($node, 'postgres');
my ($assignments, $waiting, $workers) = map { $node->safe_psql('postgres', "SELECT count(*) FROM hwsched.$_ WHERE pool = 'big'") } qw(assignment pending worker);
cmp_ok($assignments, '>=', 100000, 'it has a hundred thousand assignments');
# a worker that had none may have pulled some
is($assignments + $waiting, 101000, 'and the others wait');
is($workers, '1000', 'of a thousand workers');
like($used, qr/^hwsched.unsettled\|100\|/m, 'some completed and not settled');
cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM pg_inherits WHERE inhparent = 'hwsched.load_history'::regclass"), '>', 10, 'and days of history');
my $bound = q(SELECT string_agg(worker_id || ' ' || login::text, ',' ORDER BY worker_id, login::text) FROM hwsched.worker_login);
like($node->safe_psql('postgres', $bound), qr/^w1 login 1,w1 renamed,w2 \d+,w2 login 2$/, 'a login that was renamed is bound still, one that was dropped has no name');

# What has to hold wherever it was restored.
sub goes_on
{
	my ($on, $database, $way, %differs) = @_;
	my $expected = $used;
	my $found = digest($on, $database);
	# rows of logins have the role's number, in which clusters differ
	s/^hwsched\.(?:worker|pool|tenant)_login\|.*\n//mg for $expected, $found;
	is($found, $expected, "$way: the same rows, sequences and settings");
	is($on->safe_psql($database, $told), $told_before, "$way: what is said means the same, to the same");
	is($on->safe_psql($database, $bound), $differs{bound} // 'w1 login 1,w1 renamed,w2 login 2', "$way: the same logins");
	is(problems($on, $database), '', "$way: usage, queue and assignments agree");
	is($on->safe_psql($database, q(SELECT count(*) FROM pg_class AS c WHERE relnamespace::regnamespace::text LIKE 'hwsched%' AND relkind IN ('r', 'p') AND relreplident <> 'f'
		AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = c.oid AND indisprimary))), '0', "$way: all tables have a replica identity");
	is($on->safe_psql($database, "SELECT hwsched.workload_profile('{\"test_type\": \"protein\"}') ->> 'workload_type'"), 'folding', "$way: its own words mean what they did");
	my $last = $on->safe_psql($database, 'SELECT max(assignment_id) FROM hwsched.assignment');
	is($on->safe_psql($database, q(SELECT hwsched.assign_pending(pool => 'big'))), $waiting, "$way: what waited is placed");
	is($on->safe_psql($database, "SELECT min(assignment_id) > $last FROM hwsched.assignment WHERE assigned_at > now() - interval '1 minute' AND assignment_id > $last"), 't', "$way: with new ids");
	is($on->safe_psql($database, q(SELECT count(*) FROM hwsched.claim('w500', 5, true, 'big'))), '5', "$way: a worker claims");
	is($on->safe_psql($database, q(SELECT hwsched.complete_many(array_agg(assignment_id), 'big') FROM hwsched.running_on('w500', 'big'))) > 0, 1, "$way: and completes");
	is($on->safe_psql($database, q(SELECT expired + timed_out + offline FROM hwsched.maintain('big'))) >= 0, 1, "$way: it is maintained");
	is($on->safe_psql($database, q(SELECT coalesce(last_error, '') FROM hwsched.pool_summary WHERE pool = 'big')), '', "$way: without an error");
	is(problems($on, $database), '', "$way: all agrees afterwards");
	return;
}

# --- in parallel, and by section

my @all = ('pg_dump', $node->connstr('postgres'));
$node->command_ok([ @all, '-Fc', '-f', "$dir/all.dump" ], 'pg_dump, custom format');
$node->command_ok([ @all, '-Fd', '-j4', '-f', "$dir/all.dir" ], 'pg_dump, directory, four jobs');
$node->safe_psql('postgres', "CREATE DATABASE $_") for qw(two four sections data data_2);
$node->command_ok([ 'pg_restore', '--exit-on-error', '-j2', '-d', $node->connstr('two'), "$dir/all.dump" ], 'pg_restore, two jobs');
goes_on($node, 'two', 'two jobs');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-j4', '-d', $node->connstr('four'), "$dir/all.dir" ], 'pg_restore, four jobs');
goes_on($node, 'four', 'four jobs');
$node->safe_psql('postgres', "DROP DATABASE $_") for qw(two four);
$node->command_ok([ 'pg_restore', '--exit-on-error', "--section=$_", '-j2', '-d', $node->connstr('sections'), "$dir/all.dump" ], "pg_restore, $_") for qw(pre-data data post-data);
goes_on($node, 'sections', 'by section');

# --- as data, into an extension that was just created

$node->safe_psql($_, 'CREATE EXTENSION hwsched') for qw(data data_2);
$node->command_ok([ @all, '--data-only', '--load-via-partition-root', '-f', "$dir/data.sql" ], 'pg_dump, data as a script');
$node->command_ok([ @all, '--data-only', '--load-via-partition-root', '-Fc', '-f', "$dir/data.dump" ], 'pg_dump, data in custom format');
$node->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/data.sql", $node->connstr('data') ], 'psql with the script');
goes_on($node, 'data', 'data only');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-j4', '-d', $node->connstr('data_2'), "$dir/data.dump" ], 'pg_restore, data, four jobs');
goes_on($node, 'data_2', 'data only, four jobs');
$node->safe_psql('postgres', "DROP DATABASE $_") for qw(sections data data_2);

# --- where roles are missing

my $other = new_node('elsewhere');
$other->safe_psql('postgres', 'CREATE ROLE "login 2" LOGIN');
$other->command_ok([ 'pg_restore', '--exit-on-error', '-j2', '-d', $other->connstr('postgres'), "$dir/all.dump" ], 'pg_restore, roles missing');
my $said = slurp_file($other->logfile);
like($said, qr/WARNING:\s+role "$_" does not exist/, "it names what is lost: $_") for 'login 1', 'renamed';
unlike($said, qr/role "login 2" does not exist/, 'and nothing else');
goes_on($other, 'postgres', 'roles missing', bound => 'w2 login 2');
$other->stop;

# --- pg_upgrade: to a cluster of the same version, and from an older version whose
# programs and extension are found

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
my $bin = $node->config_data('--bindir');
$node->stop;
{
	local $ENV{PGHOST};
	chdir($new->basedir) or die;
	command_ok([ 'pg_upgrade', '--no-sync', '-d', $node->data_dir, '-D', $new->data_dir, '-b', $bin, '-B', $bin, '-s', $new->host, '-p', $node->port, '-P', $new->port ],
		'pg_upgrade');
}
$new->start;
like($new->safe_psql('postgres', $bound), qr/^w1 login 1,w1 renamed,w2 \d+,w2 login 2$/, 'pg_upgrade: the same logins');
goes_on($new, 'postgres', 'pg_upgrade', bound => $new->safe_psql('postgres', $bound));
$new->stop;

SKIP:
{
	my ($old) = grep { $_ ne $bin && -e "$_/pg_upgrade" && -e (`$_/pg_config --sharedir` =~ s/\s+$//r) . '/extension/hwsched.control' }
		glob '/usr/lib/postgresql/*/bin';
	skip 'no other version of PostgreSQL has the extension, so pg_upgrade from one is not tried', 1 unless $old;
	my $before = PostgreSQL::Test::Cluster->new('before', install_path => $old =~ s/\/bin$//r);
	my $after = PostgreSQL::Test::Cluster->new('after');
	$_->init(extra => [ '--locale=C', '--encoding=UTF8' ]) for $before, $after;
	$before->start;
	$before->safe_psql('postgres', 'CREATE EXTENSION hwsched');
	$before->safe_psql('postgres', q(SELECT hwsched.register_worker('w', '{"cpu_cores": 4}'), hwsched.submit('{"test_id": "a"}'), hwsched.assign_pending()));
	$before->stop;
	chdir($after->basedir) or die;
	command_ok([ 'pg_upgrade', '--no-sync', '-d', $before->data_dir, '-D', $after->data_dir, '-b', $old, '-B', $bin, '-s', $after->host, '-p', $before->port, '-P', $after->port ],
		"pg_upgrade from $old");
	$after->start;
	is($after->safe_psql('postgres', q(SELECT workload_id FROM hwsched.claim('w'))), 'a', 'and work goes on');
	$after->stop;
}

# what is removed at the end must not be where we are
chdir($FindBin::Bin) or die;
done_testing();
