# Dump and restore, installing and removing.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('dump');
my $other = new_node('restored');

# --- what a used database holds

$node->safe_psql('postgres', 'CREATE DATABASE source');
$node->safe_psql('source', <<'SQL');
CREATE EXTENSION hwsched;
SELECT hwsched.alter_pool('default', '{"max_concurrent": 3, "min_score": 0.1}');
SELECT hwsched.alter_pool('default', '{"max_concurrent": 4, "min_score": null}', 'four fit');
SELECT hwsched.create_pool('lab', '{"max_load": 0.8}');
SELECT hwsched.create_pool(E'odd "pool" \u00e4');
INSERT INTO hwsched.taxonomy (kind, name) VALUES ('hardware_class', 'dpu'), ('backend', 'doca');
INSERT INTO hwsched.type_word (position, word, workload_type) VALUES (0, 'packet', 'vision');
SELECT hwsched.register_worker(w, '{"cpu_cores": 8, "available_memory": 16, "supported_backends": ["cuda"], "software_versions": {"python": "3.11"}}', p)
FROM unnest(ARRAY['w_1', E'w "2" \u00e4']) w, unnest(ARRAY['default', 'lab']) p;
SELECT hwsched.register_worker('smart', '{"cpu_cores": 4, "devices": [{"hardware_class": "dpu", "supported_backends": ["doca"], "memory_total_bytes": 1073741824, "count": 2}]}', 'lab');
SELECT hwsched.update_load('w_1', '{"cpu_utilization": 30, "temperature_celsius": 50, "devices": [{"device_no": 1, "utilization": 70}]}');
SELECT hwsched.start_warming('w_1', '1 hour', 'lab');
CREATE ROLE dumped LOGIN;
SELECT hwsched.grant_worker('w_1', 'dumped');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || n, 'cpu_cores', n % 3, 'minimum_memory', n % 5,
  'priority', 1 + n % 5, 'test_type', CASE WHEN n % 2 = 0 THEN 'vision' ELSE 'nlp' END)) FROM generate_series(1, 60) n), p)
FROM unnest(ARRAY['default', 'lab']) p;
SELECT hwsched.submit('{"test_id": "never", "minimum_memory": 1000}');
SELECT hwsched.assign_pending(), hwsched.assign_pending(10, 'lab');
SELECT count(*) FROM hwsched.claim('w_1', 5);
SELECT hwsched.complete(assignment_id, '{"ok": true}') FROM hwsched.assignment WHERE pool = 'default' AND state = 'running' ORDER BY assignment_id LIMIT 3;
SELECT hwsched.fail(assignment_id, 'broken') FROM hwsched.assignment WHERE pool = 'default' AND state = 'running' ORDER BY assignment_id LIMIT 1;
SELECT hwsched.cancel('t9', 'lab');
-- a gang of which one member is done, a completion that nobody has settled, a lease that runs
SELECT hwsched.create_pool('moved', '{"lease": "2 days", "offline_after": "2 days"}');
SELECT hwsched.register_worker('m' || n, '{"cpu_cores": 4, "available_memory": 8}', 'moved') FROM generate_series(1, 3) n;
SELECT hwsched.submit_many('[{"test_id": "gang", "custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2, "max_shards": 2}},
  {"test_id": "unsettled"}, {"test_id": "leased", "retries": 1, "custom_properties": {"command": ["true"]}}]', 'moved');
-- work that chooses its workers, and workers that can be chosen
SELECT hwsched.create_pool('chosen');
SELECT hwsched.register_worker('c' || n, jsonb_build_object('cpu_cores', 4, 'available_memory', 8, 'labels', jsonb_build_object('zone', 'z' || n % 2, 'browser', '11' || n || '.0.1'),
    'taints', CASE n WHEN 4 THEN '{"lab": true}' ELSE '{}' END::jsonb, 'devices', jsonb_build_array(jsonb_build_object('hardware_class', 'gpu', 'memory_total_bytes', 1000, 'labels', jsonb_build_object('slot', n)))), 'chosen') FROM generate_series(1, 4) n;
SELECT hwsched.submit_many('[{"test_id": "held", "group": "g", "group_apart": true, "required_labels": {"zone": "z1"}}]', 'chosen'), hwsched.assign_pending(pool => 'chosen');
SELECT hwsched.submit_many('[{"test_id": "apart", "group": "g", "group_apart": true, "required_labels": {"zone": "z1"}}, {"test_id": "alone", "exclusive": true, "preferred_labels": {"slot": 2}},
  {"test_id": "spread", "group": "h", "spread_by": "zone"}, {"test_id": "spread too", "group": "h", "spread_by": "zone"}, {"test_id": "lab", "tolerations": ["lab"], "required_labels": {"browser": {"min": "114", "max": "114"}}},
  {"test_id": "nowhere", "required_labels": {"browser": {"min": "114"}}}]', 'chosen');
SELECT hwsched.assign_pending(pool => 'moved');
SELECT hwsched.start(assignment_id, 'moved') FROM hwsched.assignment WHERE pool = 'moved' ORDER BY assignment_id;
SELECT hwsched.complete(assignment_id, '{"part": 0}', 'moved') FROM hwsched.assignment WHERE workload_id = 'gang' AND shard_no = 0;
SELECT hwsched.complete(assignment_id, '{"done": true}', 'moved') FROM hwsched.assignment WHERE workload_id = 'unsettled';
SQL

my %source = contents($node, 'source');
for my $table (qw(pool settings_version worker device worker_load device_load device_heat worker_login submission pending assignment unsettled preference load_history))
{
	isnt($source{$table}, '', "the source has rows in $table");
}
my $states = $node->safe_psql('source', 'SELECT DISTINCT state FROM hwsched.workload ORDER BY 1');
is($states, "pending\nassigned\nrunning\ncompleted\ncancelled", 'its work is in all stages');
my $settings = $node->safe_psql('source', "SELECT name, value FROM hwsched.pool_settings() WHERE value <> default_value ORDER BY 1");
is($settings, 'max_concurrent|4', "the settings of pool default are not the defaults");

# --- into another database of the same cluster, and into another cluster

# roles are the cluster's: they come from pg_dumpall
$other->safe_psql('postgres', 'CREATE ROLE dumped LOGIN');

my $chosen = "SELECT workload_id, worker_id, device_nos FROM hwsched.plan_pending(pool => 'chosen') ORDER BY 1";
my $plan = $node->safe_psql('source', $chosen);
is(scalar(split /\n/, $plan), 5, 'work that chooses its workers has a plan');

my $custom = $node->basedir . '/source.dump';
my $plain = $node->basedir . '/source.sql';
$node->command_ok([ 'pg_dump', '-Fc', '-f', $custom, $node->connstr('source') ], 'pg_dump, custom format');
$node->command_ok([ 'pg_dump', '-Fp', '-f', $plain, $node->connstr('source') ], 'pg_dump, as a script');
$node->safe_psql('postgres', 'CREATE DATABASE target');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', $node->connstr('target'), $custom ], 'pg_restore');
$other->safe_psql('postgres', 'CREATE DATABASE target');
$other->command_ok([ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-f', $plain, $other->connstr('target') ], 'psql with the script');

for my $n ([ $node, 'the same cluster' ], [ $other, 'another cluster' ])
{
	my ($on, $where) = @$n;
	my %target = contents($on, 'target');
	is_deeply([ sort keys %target ], [ sort keys %source ], "$where: the same tables");
	is($target{$_}, $source{$_}, "$where: the same rows in $_") for sort keys %source;
	is($on->safe_psql('target', "SELECT name, value FROM hwsched.pool_settings() WHERE value <> default_value ORDER BY 1"),
		$settings, "$where: the same settings");

	is($on->safe_psql('target', $chosen), $plan, "$where: work that chooses its workers goes where it would have gone");

	# it goes on where it was
	is(problems($on, 'target'), '', "$where: usage, queue and assignments agree");
	my $last = $on->safe_psql('target', 'SELECT max(assignment_id) FROM hwsched.assignment');
	my $queue_no = $on->safe_psql('target', 'SELECT max(queue_no) FROM hwsched.submission');
	is($on->safe_psql('target', "SELECT hwsched.submit('{\"test_id\": \"later\", \"cpu_cores\": 0.25, \"priority\": 1}', 'lab')"), 'later',
		"$where: work of a new kind is submitted");
	cmp_ok($on->safe_psql('target', "SELECT queue_no FROM hwsched.submission WHERE workload_id = 'later'"), '>', $queue_no,
		"$where: behind what was there");
	$on->safe_psql('target', "SELECT hwsched.register_worker('late', '{\"cpu_cores\": 3, \"available_memory\": 3}', 'lab')");
	cmp_ok($on->safe_psql('target', "SELECT hwsched.assign_pending(pool => 'lab')"), '>', 10, "$where: the queue is placed");
	cmp_ok($on->safe_psql('target', "SELECT min(assignment_id) FROM hwsched.assignment WHERE pool = 'lab' AND assigned_at > now() - interval '1 minute' AND assignment_id > $last"),
		'>', $last, "$where: with new ids");
	is($on->safe_psql('target', "SELECT count(*) FROM hwsched.assignment WHERE workload_id = 'later'"), 1, "$where: the new work, too");
	$on->safe_psql('target', "SELECT hwsched.complete(assignment_id) FROM hwsched.assignment WHERE pool = 'default' AND state = 'running' LIMIT 1");
	is(problems($on, 'target'), '', "$where: and all agrees afterwards");

	# what was in the middle of something goes on with the ids that its workers know
	my $moved = sub { return $on->safe_psql('target', $_[0]) };
	my %id = map { split /\|/ } split /\n/, $node->safe_psql('source', "SELECT workload_id || shard_no, assignment_id FROM hwsched.assignment WHERE pool = 'moved'");
	is($moved->("SELECT state FROM hwsched.workload WHERE workload_id = 'unsettled'"), 'completed', "$where: what was completed is");
	like(psql_error($on, 'target', "SELECT hwsched.complete($id{unsettled0}, NULL, 'moved')"), qr/is completed/, "$where: once");
	is($moved->("SELECT count(*) FROM hwsched.maintain('moved'), hwsched.unsettled WHERE pool = 'moved'; SELECT outcome FROM hwsched.submission WHERE workload_id = 'unsettled'"), "1\ncompleted", "$where: it is settled there");
	is($moved->("SELECT lease_until > now() + interval '1 day' FROM hwsched.assignment WHERE pool = 'moved' AND assignment_id = $id{leased0}"), 't', "$where: a lease runs on");
	is($moved->("SELECT hwsched.extend_lease($id{leased0}, '3 days', 'moved'), hwsched.requirements($id{leased0}, 'moved') #> '{custom_properties,command}'"), '|["true"]', "$where: its worker extends it");
	$moved->("SELECT hwsched.complete($id{leased0}, NULL, 'moved')");
	is($moved->("SELECT state FROM hwsched.workload WHERE workload_id = 'gang'"), 'running', "$where: a gang lacks its second half");
	$moved->("SELECT hwsched.complete($id{gang1}, '{\"part\": 1}', 'moved')");
	is($moved->("SELECT DISTINCT state FROM hwsched.workload WHERE pool = 'moved'"), 'completed', "$where: and is completed with it");
	is($moved->("SELECT count(*) FROM hwsched.maintain('moved'); SELECT sum(assignments) FROM hwsched.worker_usage WHERE pool = 'moved'"), "1\n0", "$where: nothing is held any more");
	is(problems($on, 'target'), '', "$where: all agrees");
	like(psql_error($on, 'target', "SELECT hwsched.register_worker('x', '{\"supported_backends\": [\"doca\"], \"devices\": [{\"hardware_class\": \"qpu\"}]}')"),
		qr/dpu/, "$where: the administrator's own names are known");
	is($on->safe_psql('target', "SELECT hwsched.workload_profile('{\"test_type\": \"packet mixed\"}') ->> 'workload_type'"),
		'vision', "$where: and the words");
	is($on->safe_psql('target', "SELECT string_agg(rolname, ',' ORDER BY rolname) FROM pg_roles WHERE rolname LIKE 'hwsched%' AND NOT rolcanlogin AND NOT rolsuper"),
		'hwsched_admin,hwsched_coordinator,hwsched_viewer,hwsched_worker', "$where: the roles");
}

# dumped again, it is the same
my %again = contents($node, 'source');
is_deeply(\%again, \%source, 'a dump changes nothing in the source');

# --- removing it leaves the roles and nothing else

$node->safe_psql('target', 'DROP EXTENSION hwsched');
is( $node->safe_psql('target', <<'SQL'),
SELECT 'schema' FROM pg_namespace WHERE nspname LIKE '%hwsched%'
UNION ALL SELECT 'relation ' || relname FROM pg_class WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast'))
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE probin LIKE '%hwsched%'
UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname IN ('pg_catalog', 'information_schema', 'pg_toast'))
UNION ALL SELECT 'default privileges' FROM pg_default_acl
UNION ALL SELECT 'dependency of ' || rolname FROM pg_shdepend d JOIN pg_roles r ON d.refobjid = r.oid AND rolname LIKE 'hwsched%'
  WHERE d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
SQL
	'', 'DROP EXTENSION leaves nothing behind');
is($node->safe_psql('target', "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'hwsched\\_%'"), 4, 'but the roles');
$node->safe_psql('target', 'CREATE EXTENSION hwsched');
is($node->safe_psql('target', 'SELECT pool FROM hwsched.pool'), 'default', 'it can be created again');
is($node->safe_psql('target', "SELECT hwsched.register_worker('w', '{\"cpu_cores\": 1}'), hwsched.submit('{\"test_id\": \"a\"}'), hwsched.assign_pending()"),
	'|a|1', 'and works');

# the session that saw the old one goes on with the new one
my ($status, $stdout, $stderr) = $node->psql('target', <<'SQL', on_error_stop => 1);
SELECT hwsched.submit('{"test_id": "b"}'), hwsched.assign_pending();
DROP EXTENSION hwsched;
CREATE EXTENSION hwsched;
SELECT hwsched.register_worker('w', '{"cpu_cores": 1}'), hwsched.submit('{"test_id": "c", "required_backend": "cpu"}'), hwsched.assign_pending();
SQL
is($status, 0, 'a session outlives DROP and CREATE EXTENSION') or diag($stderr);
like($stdout, qr/\|c\|1$/, 'and decides with the new tables');

# --- what CREATE EXTENSION refuses

$other->safe_psql('postgres', 'CREATE DATABASE refused');
for my $option ('LOGIN', 'SUPERUSER')
{
	for my $role ('hwsched_admin', 'hwsched_viewer')
	{
		$other->safe_psql('postgres', "ALTER ROLE $role $option");
		like(psql_error($other, 'refused', 'CREATE EXTENSION hwsched'), qr/role "$role" exists and is not a group role/,
			"a role $role with $option is refused");
		$other->safe_psql('postgres', "ALTER ROLE $role NO$option");
	}
}
$other->safe_psql('refused', 'CREATE SCHEMA hwsched');
like(psql_error($other, 'refused', 'CREATE EXTENSION hwsched'), qr/schema "hwsched" already exists/, 'a squatted schema is refused');
is($other->safe_psql('refused', "SELECT count(*) FROM pg_proc WHERE pronamespace = 'hwsched'::regnamespace"), 0, 'and left alone');
$other->safe_psql('refused', 'DROP SCHEMA hwsched; CREATE EXTENSION hwsched');
like(psql_error($other, 'refused', 'ALTER EXTENSION hwsched SET SCHEMA public'), qr/does not support SET SCHEMA/, 'it cannot be moved');

$node->stop;
$other->stop;
done_testing();
