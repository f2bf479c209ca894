# A physical standby answers all that only reads.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use Test::More;

my $primary = new_node('primary', allows_streaming => 1);
$primary->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hwsched;
SELECT hwsched.register_worker('w' || n, '{"cpu_cores": 8, "available_memory": 16, "supported_backends": ["cuda"]}') FROM generate_series(1, 3) n;
SELECT hwsched.update_load('w1', '{"cpu_utilization": 50, "temperature": 0.3}');
SELECT hwsched.start_cooling('w2', '1 day');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'a' || n, 'test_type', 'vision', 'minimum_memory', n % 3)) FROM generate_series(1, 6) n));
SELECT hwsched.assign_pending();
SELECT count(*) FROM hwsched.claim('w1', 3);
SELECT hwsched.complete(assignment_id) FROM hwsched.assignment WHERE state = 'running' LIMIT 1;
SELECT count(*) FROM hwsched.claim('w3', 1);
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'b' || n, 'cpu_cores', n)) FROM generate_series(1, 12) n));
SQL
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;
$primary->safe_psql('postgres', "SELECT hwsched.submit('{\"test_id\": \"last\"}')");
$primary->wait_for_catchup($standby);

is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'the standby is one');

# What is completed is so on the standby, too, before anybody has settled it, and
# nothing is held for it.
$primary->safe_psql('postgres', "SELECT hwsched.complete(min(assignment_id), '{\"done\": true}') FROM hwsched.assignment WHERE state = 'running'");
$primary->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT count(*) > 0 FROM hwsched.unsettled'), 't', 'a completion is not settled');
is(problems($standby), '', 'on the standby, all agrees');

my @views = split /\n/, $primary->safe_psql('postgres',
	"SELECT relname FROM pg_class WHERE relnamespace = 'hwsched'::regnamespace AND relkind = 'v' ORDER BY 1");
cmp_ok(scalar @views, '>', 8, 'there are views');

# what depends on the time of the query is left out
my $same = sub {
	my ($name, $sql) = @_;
	my $expected = $primary->safe_psql('postgres', $sql);
	isnt($expected, '', "$name: the primary has an answer");
	is($standby->safe_psql('postgres', $sql), $expected, "$name: the standby has the same");
};
for my $view (@views)
{
	$same->($view, "SELECT count(*) FROM hwsched.$view");
	my ($status, undef, $stderr) = $standby->psql('postgres', "SELECT * FROM hwsched.$view");
	is($status, 0, "$view: every column can be read on the standby") or diag($stderr);
}
$same->('plan_pending', 'SELECT workload_id, worker_id, device_nos, score, predicted_seconds FROM hwsched.plan_pending()');
$same->('plan_pending(3)', 'SELECT count(*) FROM hwsched.plan_pending(3)');
$same->('compatible_hardware', "SELECT worker_id, device_no, hardware_class, reason FROM hwsched.compatible_hardware('b3')");
$same->('compatible_hardware of running work', "SELECT count(*) FROM hwsched.compatible_hardware('a1')");
$same->('explain_pending', 'SELECT * FROM hwsched.explain_pending()');
$same->('pool_settings', 'SELECT * FROM hwsched.pool_settings()');
$same->('workload_profile', "SELECT hwsched.workload_profile('{\"test_type\": \"vision\", \"required_backend\": \"cuda\"}')");
$same->('device_profiles', "SELECT hwsched.device_profiles('{\"cpu_cores\": 8, \"supported_backends\": [\"cuda\"]}')");

# in a transaction that may not write, on the primary, no transaction id is taken
is( $primary->safe_psql('postgres', "BEGIN READ ONLY; SELECT count(*) > 0 FROM hwsched.plan_pending(); SELECT pg_current_xact_id_if_assigned() IS NULL; COMMIT"),
	"t\nt", 'a plan takes no transaction id');

# what writes says so
for my $call ("hwsched.maintain()", "hwsched.complete(1)", "hwsched.assign_pending()", "hwsched.submit('{}')", "hwsched.heartbeat('w1')", "hwsched.claim('w3')",
	"hwsched.update_load('w1', '{\"power_w\": 1}')", "hwsched.register_worker('w9', '{\"cpu_cores\": 1}')", "hwsched.cancel('b1')",
	"hwsched.schedule('b1')", "hwsched.alter_pool('default', '{\"max_load\": 0.5}')")
{
	my $stderr = psql_error($standby, 'postgres', "SELECT $call");
	like($stderr, qr/read-only transaction|during recovery|recovery is in progress/, "$call is refused as read-only");
	unlike($stderr, qr/server closed|PANIC/, "$call does no harm");
}

# promoted, it goes on
my $planned = $standby->safe_psql('postgres', 'SELECT count(*) FROM hwsched.plan_pending()');
$standby->promote;
is($standby->safe_psql('postgres', 'SELECT hwsched.assign_pending()'), $planned, "a promoted standby places the $planned it planned");
is($standby->safe_psql('postgres', 'SELECT count(*) FROM hwsched.unsettled'), 0, 'having settled what was completed');
is(problems($standby), '', 'all agrees');

$standby->stop;
$primary->stop;
done_testing();
