# A database that is published as a whole, and a subscriber of it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $publisher = PostgreSQL::Test::Cluster->new('publisher');
$publisher->init(extra => [ '--locale=C', '--encoding=UTF8' ], allows_streaming => 'logical');
$publisher->start;
my $subscriber = new_node('subscriber');
my $sql = sub { return $publisher->safe_psql('postgres', $_[0]) };

$publisher->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hwsched;
CREATE ROLE here LOGIN;
CREATE ROLE everywhere LOGIN;
CREATE PUBLICATION everything FOR ALL TABLES WITH (publish_via_partition_root);
SELECT hwsched.create_pool('p', '{"lease": "1 s", "retention": {"history": "2 days"}}');
SELECT hwsched.register_worker('w', '{"cpu_cores": 4, "supported_backends": ["cuda"]}', 'p');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'before ' || n)) FROM generate_series(1, 20) AS n), 'p');
SELECT hwsched.assign_pending(pool => 'p');
SQL
$subscriber->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hwsched;
CREATE ROLE everywhere LOGIN;
TRUNCATE hwsched.pool, hwsched.taxonomy, hwsched.type_word, hwsched.class_similarity, hwsched.implied_device;
SQL
$subscriber->safe_psql('postgres', sprintf(q(CREATE SUBSCRIPTION everything CONNECTION '%s' PUBLICATION everything), $publisher->connstr('postgres') =~ s/'/''/gr));
$subscriber->wait_for_subscription_sync($publisher, 'everything');

# --- all of it works while it is published

is($sql->(q(SELECT count(*) FROM hwsched.claim('w', 3, true, 'p'))), '3', 'work is claimed');
$sql->(q(SELECT hwsched.complete(min(assignment_id), '{"ok": true}', 'p') FROM hwsched.running_on('w', 'p')));
$sql->(q(SELECT hwsched.update_load('w', '{"cpu_utilization": 40, "temperature_celsius": 60}', 'p')));
$sql->(q(SELECT count(hwsched.record_resource_utilization('w', '{"cpu_utilization": 5}', now() - n * interval '6 hours', NULL, 'p')) FROM generate_series(1, 20) AS n));
$sql->(q(SELECT hwsched.grant_worker('w', 'here', 'p'), hwsched.grant_worker('w', 'everywhere', 'p')));
$sql->(q(SELECT hwsched.cancel('before 20', 'p')));
$sql->(q(UPDATE hwsched.worker_load SET last_seen_at = now() - interval '1 hour'; UPDATE hwsched.assignment SET lease_until = now() - interval '1 hour' WHERE state = 'running'));
is($sql->(q(SELECT expired, offline, forgotten > 0 FROM hwsched.maintain('p'))), '0|1|t', 'what a silent worker had is taken back with it, and what is old is forgotten');
is($sql->(q(SELECT last_error IS NULL FROM hwsched.pool_summary WHERE pool = 'p')), 't', 'without an error');
$sql->(q(SELECT hwsched.register_worker('w', '{"cpu_cores": 8}', 'p'), hwsched.assign_pending(pool => 'p'), hwsched.rebalance(5, 'p')));
$sql->(q(SELECT hwsched.create_pool('dropped'), hwsched.register_worker('x', '{"cpu_cores": 8}', 'dropped'), hwsched.update_load('x', '{"cpu_utilization": 40}', 'dropped')));
$sql->(q(SELECT hwsched.submit('{"test_id": "a"}', 'dropped'), hwsched.assign_pending(pool => 'dropped')));
$sql->(q(SELECT hwsched.unregister_worker('x', 'dropped')));
$sql->(q(SELECT hwsched.drop_pool('dropped')));
is($sql->(q(SELECT count(*) FROM hwsched.load_history WHERE pool = 'dropped')), '0', 'a pool can be dropped');
is(problems($publisher), '', 'all agrees');

# --- and the subscriber has it

$publisher->wait_for_catchup('everything');
my $tables = $sql->(q(SELECT c.oid::regclass FROM pg_class AS c WHERE c.relnamespace::regnamespace::text LIKE 'hwsched%' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1));
for my $table (split /\n/, $tables)
{
	next if $table eq 'hwsched.worker_login';
	my $rows = qq(SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM $table AS t);
	is($subscriber->safe_psql('postgres', $rows), $sql->($rows), "$table is the same there");
}
is($subscriber->safe_psql('postgres', 'SELECT login FROM hwsched.worker_login'), 'everywhere', 'of the logins those that it has');
is(problems($subscriber), '', 'all agrees there');
is($subscriber->safe_psql('postgres', q(SELECT workers, last_maintained_at IS NOT NULL FROM hwsched.pool_summary WHERE pool = 'p')), '1|t', 'views can be read there');
unlike(slurp_file($subscriber->logfile), qr/ERROR/, 'replication never failed');

$subscriber->stop;
$publisher->stop;
done_testing();
