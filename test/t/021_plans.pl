# Plans that do not depend on luck: each statement of the library has the same
# plan whatever ANALYZE has seen, calls and views look at few pages and rows for
# each row that they are about, and what guides the planner ends with planning.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = new_node('plans');
my $library = $node->config_data('--pkglibdir');
plan skip_all => 'auto_explain is not installed' unless -e "$library/auto_explain.so";
# ANALYZE is ours alone
$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->reload;
# the texts of our statements stand in it
my $texts = slurp_file("$library/hwsched.so");

# --- what is planned and looked at

# Runs SQL and returns what auto_explain logs of it: [text, shape, pages, rows looked at].
sub plans_of
{
	my ($database, $sql) = @_;
	my $offset = -s $node->logfile;
	$node->safe_psql($database, <<SQL);
LOAD 'auto_explain';
SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
SET auto_explain.log_analyze = on; SET auto_explain.log_timing = off; SET auto_explain.log_buffers = on;
$sql
SQL
	my @plans;
	for my $entry (split /^(?=\d{4}-\d\d-\d\d )/m, substr(slurp_file($node->logfile), $offset))
	{
		my ($text, $plan) = $entry =~ /plan:\n\tQuery Text: (.*?)\n\t((?:\S.*)?\(cost=.*)/s or next;
		my ($pages) = $plan =~ /Buffers: shared ([^\n]*)/;
		my $touched = 0;
		$touched += $1 for ($pages // '') =~ /(?:hit|read)=(\d+)/g;
		my ($rows, $loops) = (0, 1);
		my @shape;
		for (split /\n/, $plan)
		{
			if (/\(actual rows=([\d.]+) loops=(\d+)\)/) { $loops = $2; $rows += $1 * $loops }
			elsif (/Rows Removed by [^:]*: (\d+)/) { $rows += $1 * $loops; next }
			next if /^\s*(?:Buffers|Sort Method|Heap|Buckets|Batches|Planned Partitions|Hits|Tuples Inserted|Conflicting|Full-sort|Pre-sorted Groups|Storage|I\/O|Trigger )/;
			push @shape, s/\s*\((?:cost=|never)[^\n]*//r;
		}
		push @plans, [ $text =~ s/\n\t/\n/gr, join("\n", @shape), $touched, $rows ];
	}
	return @plans;
}

# --- four states

# Workers, and work in the queue of a pool: with a key, behind a parent, and with neither.
sub fill
{
	my ($pool, $workers, $work) = @_;
	return <<SQL;
SELECT hwsched.create_pool('$pool', '{"notify": false, "max_concurrent": 100, "retry_backoff": 0}');
SELECT count(hwsched.register_worker('w' || n, '{"cpu_cores": 64, "available_memory": 256}', '$pool')) FROM generate_series(1, $workers) n;
SELECT hwsched.submit('{"test_id": "parent", "minimum_memory": 900}', '$pool');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || n, 'minimum_memory', 0.5, 'expected_duration', 60, 'retries', 3)
  || CASE n % 4 WHEN 0 THEN '{"concurrency_key": "lab"}' WHEN 1 THEN '{"depends_on": ["parent"]}' ELSE '{}' END::jsonb) FROM generate_series(1, $work) n), '$pool');
SQL
}

my %state = (
	'never analyzed' => '',
	'analyzed when empty' => 'ANALYZE;',
	'analyzed when full' => fill('other', 200, 8000) . q(SELECT hwsched.assign_pending(pool => 'other'); ANALYZE;),
	'analyzed before it changed' => fill('other', 20, 100) . 'ANALYZE;' . fill('more', 200, 8000) . <<'SQL',
SELECT hwsched.assign_pending(pool => 'more');
SELECT count(hwsched.complete_many(ids, 'more')) FROM (SELECT array_agg(c.assignment_id) AS ids FROM generate_series(1, 150) n, hwsched.claim('w' || n, 99, pool => 'more') c) x;
SELECT hwsched.maintain('more');
SQL
);

# Most of what there is to call, each in a transaction of its own; the last are measured by their rows.
my $calls = fill('p', 20, 1200) . <<'SQL';
SELECT hwsched.alter_pool('p', '{"learning": true}');
SELECT count(*) FROM hwsched.plan_pending(pool => 'p');
SELECT hwsched.submit('{"test_id": "gang", "custom_properties": {"allocation_strategy": "sharded", "is_shardable": true, "min_shards": 2, "max_shards": 2}}', 'p');
SELECT count(*) FROM hwsched.schedule('gang', 'p');
SELECT hwsched.assign_pending(pool => 'p');
SELECT hwsched.update_load('w1', '{"cpu_utilization": 10, "devices": [{"device_no": 0, "utilization": 0.1, "temperature_celsius": 40}]}', 'p');
SELECT hwsched.heartbeat('w1', 'p');
SELECT count(*) FROM hwsched.claim('w1', 2, pool => 'p');
SELECT count(hwsched.extend_lease(assignment_id, '1 min', 'p')) FROM hwsched.running_on('w1', 'p');
SELECT count(hwsched.fail(assignment_id, 'out of memory', 'p')) FROM hwsched.running_on('w1', 'p');
SELECT hwsched.cancel('t3', 'p');
SELECT count(*) FROM hwsched.compatible_hardware('t7', 'p');
SELECT count(*) FROM hwsched.predict('t7', 'w2', 0, 'p');
SELECT count(*) FROM hwsched.pareto('t7', 'p');
SELECT count(*) FROM hwsched.explain_pending('p');
SELECT hwsched.drain_worker('w9', 'p');
SELECT hwsched.rebalance(5, 'p');
SELECT hwsched.register_worker('w1', '{"cpu_cores": 32, "available_memory": 256}', 'p');
SELECT hwsched.assign_pending(pool => 'p');
SELECT count(*) FROM hwsched.learning_json('p');
SELECT hwsched.unregister_worker('w9', pool => 'p');
SELECT array_agg(assignment_id) AS ids FROM hwsched.claim('w2', 30, false, 'p') \gset
SELECT hwsched.complete_many(:'ids', 'p');
SELECT hwsched.maintain('p');
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '1 hour' WHERE pool = 'p' AND worker_id > 'w2';
SELECT hwsched.maintain('p') AS silent;
SELECT hwsched.drop_pool('p');
SQL

my (%shapes, %touched);
for my $state (sort keys %state)
{
	my $database = $state =~ s/ /_/gr;
	my $started = time;
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, "CREATE EXTENSION hwsched; $state{$state}");
	my @plans = plans_of($database, $calls);
	for (@plans)
	{
		my ($text, $shape, $pages) = @$_;
		$touched{$1}{$state} = $pages if $text =~ /(claim\('w2'|complete_many|AS silent)/;
		next if length $text < 20 || index($texts, $text) < 0;
		push @{ $shapes{$text}{$shape} }, $state;
	}
	note(sprintf('%s: %d plans in %.1f s', $state, scalar @plans, time - $started));
}

my @differ = grep { keys %{ $shapes{$_} } > 1 } sort keys %shapes;
note('statements of the library that were planned: ' . keys %shapes);
cmp_ok(scalar keys %shapes, '>=', 100, 'most statements of the library are planned');
is(scalar @differ, 0, 'and each has the same plan in all states')
  or diag(map { my $text = $_; substr($text, 0, 300) . "\n", map { "in @{ $shapes{$text}{$_} }:\n$_\n" } sort keys %{ $shapes{$text} } } @differ[0 .. ($#differ < 2 ? $#differ : 2)]);

# Pages for each row, several times of what is needed.
for (['claim(\'w2\'', 30, 40, 'claim()'], ['complete_many', 30, 40, 'complete_many()'], ['AS silent', 700, 80, 'maintain() of a silent fleet'])
{
	my ($call, $rows, $most, $name) = @$_;
	for my $state (sort keys %state)
	{
		my $pages = $touched{$call}{$state} // 1e9;
		cmp_ok($pages / $rows, '<', $most, sprintf('%s, %s: %.1f pages a row', $name, $state, $pages / $rows));
	}
}

# --- views: four times the rows are about four times the work

for my $state (sort keys %state)
{
	my $database = $state =~ s/ /_/gr;
	my %work;
	my @sizes = (400, 1600);
	for my $size (@sizes)
	{
		# nothing fits, but one that has the key
		$node->safe_psql($database, fill("v$size", 3, $size) . "SELECT hwsched.assign_pending(20, 'v$size');");
	}
	my @views = split /\n/, $node->safe_psql($database, <<'SQL');
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'pool'
WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind = 'v' ORDER BY 1
SQL
	my $count = 0;
	for my $size (@sizes)
	{
		my $rows = 0;
		for (plans_of($database, join '', map { "SELECT count(*) AS of_view FROM (SELECT * FROM hwsched.$_ WHERE pool = 'v$size' OFFSET 0) v;\n" } @views))
		{
			$rows += $_->[2] + $_->[3];
			next unless $_->[0] =~ /AS of_view FROM \(SELECT \* FROM hwsched\.(\w+)/;
			$work{$1}{$size} = $rows;
			$rows = 0;
			$count++;
		}
	}
	is($count, 2 * @views, "$state: all views are measured");
	# what comes with each call is not counted
	my @steep = grep { $work{$_}{ $sizes[1] } > 6 * $work{$_}{ $sizes[0] } + 2000 } @views;
	is("@steep", '', "$state: none takes the square of its rows");
	diag("$_: $work{$_}{$sizes[0]} pages and rows, then $work{$_}{$sizes[1]}") for @steep;
	note("pending_workloads: $work{pending_workloads}{$_} pages and rows for $_") for @sizes;
}

# --- a call costs the same whatever else waits, runs or has run

for my $state (sort keys %state)
{
	my $database = $state =~ s/ /_/gr;
	my %work;
	my @sizes = (100, 8000);
	my %calls = (
		'a poll that finds nothing' => q(SELECT count(*) FROM hwsched.claim('idle', pool => 'POOL');),
		'one run that is settled' => q(SELECT hwsched.complete(assignment_id, pool => 'POOL') FROM hwsched.claim('w1', pool => 'POOL'); SELECT hwsched.rebalance(0, 'POOL');));
	for my $size (@sizes)
	{
		$node->safe_psql($database, <<SQL);
SELECT hwsched.create_pool('else$size', '{"notify": false, "max_concurrent": 100000}');
SELECT hwsched.register_worker('w' || n, '{"cpu_cores": 64, "software_versions": {"able": "1"}}', 'else$size') FROM generate_series(1, 5) n;
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 't' || n, 'required_software', '{"able": "1"}'::jsonb)) FROM generate_series(1, $size) n), 'else$size');
SELECT hwsched.assign_pending(pool => 'else$size');
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'p' || n, 'cpu_cores', 1000)) FROM generate_series(1, $size) n), 'else$size');
SELECT hwsched.register_worker('idle', '{"cpu_cores": 4}', 'else$size');
SQL
		for my $call (keys %calls)
		{
			$work{$call}{$size} += $_->[2] + $_->[3] for plans_of($database, $calls{$call} =~ s/POOL/else$size/gr);
		}
	}
	for my $call (sort keys %calls)
	{
		my ($few, $many) = map { $work{$call}{$_} } @sizes;
		cmp_ok($many, '<', 1.5 * $few + 300, "$state: $call: $few pages and rows, then $many");
	}
}

# --- a user's trigger is planned as the user wants

$node->safe_psql('never_analyzed', <<'SQL' . fill('t', 3, 10));
CREATE TABLE small AS SELECT n FROM generate_series(1, 3) n;
CREATE INDEX ON small (n);
CREATE TABLE seen (enable_seqscan text, kept text);
CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE line text; plan text;
BEGIN
	FOR line IN EXPLAIN SELECT FROM public.small WHERE n = 1 LOOP plan := coalesce(plan, line); END LOOP;
	INSERT INTO public.seen VALUES (current_setting('enable_seqscan'), plan);
	RETURN NULL;
END $$;
CREATE TRIGGER look AFTER INSERT OR UPDATE ON hwsched.assignment FOR EACH ROW EXECUTE FUNCTION look();
CREATE TRIGGER look AFTER UPDATE ON hwsched.worker_usage FOR EACH ROW EXECUTE FUNCTION look();
SQL
# twice: the second plans are made anew within the execution
$node->safe_psql('never_analyzed', q(SELECT hwsched.assign_pending(3, 't'); ANALYZE; SELECT hwsched.assign_pending(3, 't')));
is($node->safe_psql('never_analyzed', q(SELECT DISTINCT enable_seqscan, kept ~ '^Seq Scan' FROM seen)), 'on|t', 'a trigger on our tables is planned without guidance');

$node->stop;
done_testing();
