# Many coordinators and workers at once, each statement committed alone and some in
# REPEATABLE READ: no tenant ever holds more than its quota, and quotas and what
# tenants used survive a dump.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('tenants');
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hwsched;
SELECT hwsched.create_pool('p', '{"max_concurrent": 20, "fair_share": {"half_life": "1 hour"}, "tenants": {"a": {"quota": {"accelerators": 3}}, "b": {"quota": {"workloads": 2}}, "c": {"weight": 2, "quota": {"cpu_cores": 4}}}}');
SELECT hwsched.register_worker('w' || w, '{"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}', 'p') FROM generate_series(1, 8) w;
CREATE FUNCTION beyond() RETURNS text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', tenant, workloads, accelerators, cores), ', ') FROM hwsched.tenant_usage
  WHERE pool = 'p' AND (workloads > workloads_quota OR accelerators > accelerators_quota OR cores > cores_quota)
$$;
CREATE TABLE seen (what text);
-- what may fail because of the others is tried
CREATE FUNCTION try(call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE call; EXCEPTION WHEN serialization_failure OR unique_violation OR object_not_in_prerequisite_state OR no_data_found THEN NULL; END $$;
SQL
my $script = $node->basedir . '/tenants.sql';
append_to_file($script, <<'SQL');
\set w random(1, 8)
\set n random(1, 60)
\set op random(1, 6)
SELECT try(format('SELECT hwsched.submit(%L, %L)', jsonb_build_object('test_id', 't' || :n, 'tenant', substr('abc', 1 + :n % 3, 1), 'cpu_cores', 1 + :n % 2,
  'required_accelerators', '{"gpu": 1}'::jsonb), 'p'));
\if :op = 1
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM hwsched.worker;
SELECT try($$SELECT hwsched.assign_pending(pool => 'p')$$);
COMMIT;
\elif :op = 2
SELECT hwsched.assign_pending(pool => 'p');
\elif :op = 3
SELECT try(format('SELECT hwsched.schedule(%L, %L)', 't' || :n, 'p'));
\else
SELECT try(format('SELECT hwsched.complete(assignment_id, NULL, %L) FROM hwsched.claim(%L, 2, true, %L) AS c', 'p', 'w' || :w, 'p'));
\endif
INSERT INTO seen SELECT beyond() WHERE beyond() IS NOT NULL;
SQL
$node->command_ok([ 'pgbench', '-n', '-c', 16, '-j', 2, '-t', 40, '-f', $script, 'postgres' ], '16 clients of three tenants at once');
is($node->safe_psql('postgres', 'SELECT count(*) FROM seen'), '0', 'no quota was ever exceeded');
is($node->safe_psql('postgres', "SELECT count(*) > 100 FROM hwsched.assignment WHERE pool = 'p'"), 't', 'and much was placed');
is($node->safe_psql('postgres', "SELECT count(*) FROM hwsched.tenant_past WHERE pool = 'p' AND accelerators > 0"), '3', 'the past of each tenant is known');

my $usage = "SELECT tenant, weight, workloads, accelerators, cores, accelerators_quota, round(past_share_ratio::numeric, 2) FROM hwsched.tenant_usage WHERE pool = 'p' ORDER BY 1";
my $before = $node->safe_psql('postgres', $usage);
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, 'postgres' ], 'dump');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'restored', '-f', $dump ], 'restore');
is($node->safe_psql('restored', $usage), $before, 'what tenants use, used and may use is the same');
done_testing();
