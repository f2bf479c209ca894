# 32 coordinators and workers at once, each statement committed alone and some in
# REPEATABLE READ: no tenant ever holds more than its quota and no key more than its
# limits, as snapshots show and as the times of all assignments tell; and quotas and
# what tenants used survive a dump.
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
SELECT hwsched.create_pool('p', '{"max_concurrent": 20, "fair_share": {"half_life": "1 hour"}, "retry_backoff": 0, "quarantine_after": 1000000,
  "limits": {"licence": {"concurrent": 4}, "api": {"per_minute": 5}}, "tenants": {"a": {"quota": {"accelerators": 3}}, "b": {"quota": {"workloads": 2}}, "c": {"weight": 2, "quota": {"cpu_cores": 4}}}}');
SELECT hwsched.register_worker('w' || w, '{"cpu_cores": 16, "available_memory": 64, "supported_backends": ["cuda"], "available_accelerators": {"gpu": 4}}', 'p') FROM generate_series(1, 8) w;
CREATE FUNCTION beyond() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT string_agg(concat_ws(' ', tenant, workloads, accelerators, cores), ', ') FROM hwsched.tenant_usage
  WHERE pool = 'p' AND (workloads > workloads_quota OR accelerators > accelerators_quota OR cores > cores_quota)
  UNION ALL SELECT string_agg(concat_ws(' ', key, in_use, used_last_minute), ', ') FROM hwsched.limit_usage
  WHERE pool = 'p' AND (in_use > concurrent_limit OR used_last_minute > per_minute_limit)
$$;
-- The most that was ever held at once, and placed in 60 s, by what is written of assignments alone
CREATE FUNCTION most_held() RETURNS TABLE (what text, most numeric) LANGUAGE sql AS $$
  WITH held AS (
    SELECT s.requirements ->> 'tenant' AS what, a.assigned_at, a.finished_at, ARRAY[1, (s.requirements ->> 'cpu_cores')::int] AS units
    FROM hwsched.assignment a JOIN hwsched.submission s USING (pool, workload_id, run) WHERE pool = 'p'
    UNION ALL SELECT k.key, a.assigned_at, a.finished_at, ARRAY[k.units::int, 0]
    FROM hwsched.assignment a JOIN hwsched.submission s USING (pool, workload_id, run), unnest(s.concurrency_keys, s.concurrency_units) k (key, units) WHERE pool = 'p'),
  steps AS (SELECT what, assigned_at AS at, units[1] AS one, units[2] AS cores FROM held
    UNION ALL SELECT what, finished_at, -units[1], -units[2] FROM held WHERE finished_at IS NOT NULL),
  sums AS (SELECT what, sum(one) OVER sofar AS one, sum(cores) OVER sofar AS cores FROM steps
    WINDOW sofar AS (PARTITION BY what ORDER BY at, one ROWS UNBOUNDED PRECEDING))
  SELECT what, max(CASE what WHEN 'c' THEN cores ELSE one END)::numeric FROM sums WHERE what <> 'api' GROUP BY 1
  UNION ALL SELECT 'api', max(n) FROM (SELECT count(*) OVER (ORDER BY assigned_at RANGE BETWEEN CURRENT ROW AND '59.999 s' FOLLOWING) AS n FROM held WHERE what = 'api') w
$$;
CREATE TABLE seen (what text);
-- what may fail because of the others is tried
CREATE FUNCTION try(call text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN EXECUTE call; EXCEPTION WHEN serialization_failure OR unique_violation OR object_not_in_prerequisite_state OR no_data_found THEN NULL; END $$;
SQL
my $script = $node->basedir . '/tenants.sql';
append_to_file($script, <<'SQL');
\set w random(1, 8)
\set n random(1, 100000000)
\set op random(1, 20)
-- not more than can be placed
\if :op % 2 = 0
SELECT try(format('SELECT hwsched.submit(%L, %L)', jsonb_build_object('test_id', 't' || :n, 'tenant', substr('abc', 1 + :n % 3, 1), 'cpu_cores', 1 + :n % 2,
  'required_accelerators', '{"gpu": 1}'::jsonb, 'retries', 1, 'concurrency_key', ('["db", {"licence": 2}, ["api", "licence"], "api", null]'::jsonb) -> (:n / 3 % 5)), 'p'));
\endif
\if :op = 1
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM hwsched.worker;
SELECT try($$SELECT hwsched.assign_pending(pool => 'p')$$);
COMMIT;
\elif :op = 3
SELECT hwsched.assign_pending(pool => 'p');
\elif :op = 2
SELECT try(format('SELECT hwsched.schedule(%L, %L)', 't' || :n, 'p'));
\elif :op = 4
SELECT try(format('SELECT hwsched.fail(assignment_id, %L, %L) FROM hwsched.running_on(%L, %L) LIMIT 1', 'broken', 'p', 'w' || :w, 'p'));
\elif :op = 5
SELECT try(format('SELECT hwsched.yield_work(assignment_id, NULL, %L) FROM hwsched.running_on(%L, %L) LIMIT 1', 'p', 'w' || :w, 'p'));
\elif :op = 6
SELECT try($$SELECT hwsched.rebalance(3, 'p')$$);
\elif :op <= 16
SELECT try(format('SELECT hwsched.next(%L, ARRAY(SELECT assignment_id FROM hwsched.running_on(%L, %L)), pool => %L)', 'w' || :w, 'w' || :w, 'p', 'p'));
\else
SELECT try(format('SELECT hwsched.claim(%L, 2, true, %L)', 'w' || :w, 'p'));
\endif
\if :op % 4 = 0
INSERT INTO seen SELECT what FROM beyond() AS what WHERE what IS NOT NULL;
\endif
SQL
for my $minute (1 .. 2)
{
	$node->command_ok([ 'pgbench', '-n', '-c', 32, '-j', 2, '-T', 12, '-f', $script, 'postgres' ], "32 clients of three tenants at once, minute $minute");
	is($node->safe_psql('postgres', 'SELECT string_agg(DISTINCT what, E\'\n\') FROM seen'), '', 'no quota and no limit was ever exceeded');
	is($node->safe_psql('postgres', "SELECT string_agg(what || ' ' || most, ', ' ORDER BY what) FROM most_held()"), 'a 3, api 5, b 2, c 4, db 1, licence 4', 'though all were reached');
	# a minute later
	$node->safe_psql('postgres', "UPDATE hwsched.key_holder SET assigned_at = assigned_at - interval '1 minute';
		UPDATE hwsched.assignment SET assigned_at = assigned_at - interval '1 minute', finished_at = finished_at - interval '1 minute'");
}
is($node->safe_psql('postgres', "SELECT count(*) FROM hwsched.assignment a JOIN hwsched.submission s USING (pool, workload_id, run) WHERE 'api' = ANY (s.concurrency_keys)"), 10, 'the second minute has room again');
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
