# What looks at hwsched from outside, with the rights of a viewer: Grafana's
# dashboard and alerts, the exporter and Prometheus, psql, psycopg.
use strict;
use warnings;
use CPAN::Meta::YAML;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use HTTP::Tiny;
use IO::Socket::INET;
use IPC::Run qw(run start timeout);
use JSON::PP;
use POSIX qw(strftime);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $top = "$FindBin::Bin/../..";
my $node = new_node('dashboards');
my $day = strftime('%d', gmtime);
my $dir = $node->basedir;
my @running;

END
{
	my $status = $?;
	$_->kill_kill for grep { $_->pumpable } @running;
	$? = $status;
}

# A pool in which all is well, and one where everything that alerts look at is not.
my $pool = "it's busy";
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hwsched;
CREATE ROLE reader LOGIN IN ROLE hwsched_viewer;
CREATE ROLE stranger LOGIN;
SELECT hwsched.create_pool('quiet'), hwsched.create_pool('it''s busy', '{"retry_backoff": "0 s"}');
SELECT hwsched.register_worker(w, '{"cpu_cores": 8, "available_memory": 32, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 2}}', pool)
FROM (VALUES ('node-1', 'it''s busy'), ('<b>node-2</b>', 'it''s busy'), ('gone', 'it''s busy'), ('calm', 'quiet')) AS v (w, pool);
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', t || i, 'test_type', t, 'retries', 0)), 'it''s busy')
FROM generate_series(1, 8) AS i, unnest('{vision,nlp}'::text[]) AS t;
SELECT hwsched.assign_pending(pool => 'it''s busy');
CREATE TABLE job AS SELECT c.assignment_id, c.workload_id FROM unnest('{node-1,<b>node-2</b>,gone}'::text[]) w CROSS JOIN LATERAL hwsched.claim(w, 16, pool => 'it''s busy') c;
SELECT pg_sleep(0.3);
SELECT CASE WHEN workload_id ~ '[78]$' THEN hwsched.fail(assignment_id, 'exit status 1', 'it''s busy') ELSE hwsched.complete(assignment_id, pool => 'it''s busy') END FROM job;
SELECT hwsched.start_cooling('node-1', '10 minutes', 'it''s busy');
SELECT hwsched.update_load(w, '{"cpu_utilization": 20, "memory_utilization": 30, "gpu_utilization": 40, "io_utilization": 5, "network_utilization": 6, "temperature": 0.95, "power_w": 250}', 'it''s busy')
FROM unnest('{node-1,<b>node-2</b>}'::text[]) AS w;
SELECT hwsched.update_load('calm', '{"cpu_utilization": 1, "temperature": 0.1}', 'quiet');
SELECT hwsched.record_thermal_state('node-1', 0.1 * i, i < 3, i > 6, date_trunc('hour', now()) - i * interval '10 minutes', pool => 'it''s busy') FROM generate_series(1, 9) AS i;
UPDATE hwsched.worker_load SET last_seen_at = now() - interval '1 hour' WHERE worker_id = 'gone';
SELECT hwsched.maintain('it''s busy');
SELECT hwsched.submit('{"test_id": "huge", "required_accelerators": {"gpu": 64}}', 'it''s busy');
UPDATE hwsched.pending SET submitted_at = now() - interval '10 minutes';
UPDATE hwsched.submission SET submitted_at = now() - interval '10 minutes' WHERE workload_id = 'huge';
SELECT hwsched_internal.note_failure('assign_pending', 'it failed', 'it''s busy');
UPDATE hwsched.pool_activity SET done_at = now() - interval '10 minutes' WHERE pool = 'it''s busy';
SQL

# Asks as a viewer, in a transaction that may not write; returns the rows, that of
# the names first, each a list.
sub asked
{
	my ($query, @options) = @_;
	my ($status, $out, $err) = $node->psql('postgres', "$query", extra_params => [ '-U', 'reader', '--csv', '-P', 'tuples_only=off', @options ],
		on_error_stop => 1, connstr => $node->connstr('postgres') . " options='-c default_transaction_read_only=on'");
	return (undef, $err) if $status;
	return map { [ map { s/^"(.*)"$/$1/sr =~ s/""/"/gr } split /,(?=(?:[^"]*"[^"]*")*[^"]*$)/, $_, -1 ] } split /\n/, $out;
}

# --- Grafana: each query as it would send it

sub grafana
{
	my ($query, $hours) = @_;
	my ($from, $to) = map { strftime('%Y-%m-%dT%H:%M:%SZ', gmtime($_)) } time - $hours * 3600, time + 60;
	$query =~ s/\$\{pool:sqlstring\}/"'" . $pool =~ s{'}{''}gr . "'"/ge;
	$query =~ s/\$__interval\b/1m/g;
	$query =~ s{\$(\w+)\(([^)]*)\)}{
		my ($macro, $column, $step) = ($1, split /\s*,\s*/, $2);
		my $seconds = { '1m' => 60, '1h' => 3600 }->{ ($step // '') =~ s/'//gr };
		  $macro eq '__timeFilter' ? "$column BETWEEN '$from' AND '$to'"
		: $macro eq '__timeFrom' ? "'$from'"
		: $macro eq '__timeTo' ? "'$to'"
		: $macro =~ /^__timeGroup(Alias)?$/ ? "floor(extract(epoch from $column)/$seconds)*$seconds" . ($1 ? ' AS "time"' : '')
		: die "no such macro: $macro"
	}ge;
	return $query;
}

my $dashboard = decode_json(slurp_file("$top/dashboards/grafana/hwsched.json"));
is($dashboard->{schemaVersion}, 39, "Grafana's dashboard is in the classic schema");
my (%ids, %cells);
for my $panel (@{ $dashboard->{panels} })
{
	my $place = $panel->{gridPos};
	fail("panel $panel->{id} is there twice") if $ids{ $panel->{id} }++;
	for my $x ($place->{x} .. $place->{x} + $place->{w} - 1)
	{
		for my $y ($place->{y} .. $place->{y} + $place->{h} - 1)
		{
			fail("$panel->{title} lies on another panel, or beside the grid") if $x > 23 || $cells{"$x,$y"}++;
		}
	}
	for my $target (@{ $panel->{targets} // [] })
	{
		for my $hours (3, 48)
		{
			my ($names, @rows) = asked(grafana($target->{rawSql}, $hours));
			ok(defined $names && @rows, "$panel->{title} of $hours hours has something to show") or diag("@rows");
			next unless defined $names && $target->{format} eq 'time_series';
			is($names->[0], 'time', '  its time comes first');
			my @times = map { $_->[0] } @rows;
			is_deeply(\@times, [ sort @times ], '  in order');
		}
	}
}
my ($phases) = map { $_->{target}{rawSql} // () } @{ $dashboard->{annotations}{list} };
my ($names, @rows) = asked(grafana($phases, 3));
is(join(',', @$names), 'time,timeEnd,text,tags', 'thermal phases are annotations');
is(join('; ', sort map { $_->[2] } @rows), 'node-1 is cooling; node-1 is cooling; node-1 is warming', 'one for each phase, from its begin to its end');
cmp_ok($_->[0], 'le', $_->[1], '  in this order') for @rows;
is(join(' ', map { $_->{name} } @{ $dashboard->{templating}{list} }), 'datasource pool', 'database and pool can be chosen');
($names, @rows) = asked($dashboard->{templating}{list}[1]{query});
is(join(',', map { $_->[0] } @rows), "default,it's busy,quiet", 'of all pools');

my $alerts = CPAN::Meta::YAML->read("$top/dashboards/grafana/alerts.yaml")->[0];
for my $rule (@{ $alerts->{groups}[0]{rules} })
{
	my ($query) = map { $_->{model}{rawSql} // () } @{ $rule->{data} };
	my ($limit) = map { $_->{model}{conditions} ? $_->{model}{conditions}[0]{evaluator}{params}[0] : () } @{ $rule->{data} };
	($names, @rows) = asked($query);
	is(join(',', @{ $names // [@rows] }), 'time,pool,value', "alert \"$rule->{title}\" looks at all pools");
	is(join(',', map { $_->[1] } grep { $_->[2] > $limit } @rows), $pool, '  and is raised for the one where that is so');
}
is(CPAN::Meta::YAML->read("$top/dashboards/grafana/datasource.yaml")->[0]{datasources}[0]{uid}, $alerts->{groups}[0]{rules}[0]{data}[0]{datasourceUid},
	'alerts ask the data source that is provisioned');
ok(CPAN::Meta::YAML->read("$top/dashboards/grafana/provider.yaml")->[0]{providers}, 'which the dashboard is, too');

# --- psql: the query behind each chart, and the cockpit

sub psql_file
{
	my ($name, @options) = @_;
	my ($out, $err) = ('', '');
	my $ok = run([ 'psql', '-X', '-d', $node->connstr('postgres'), '-U', 'reader', '-v', 'ON_ERROR_STOP=1', '--csv', '-v', "pool=$pool", @options, '-f', "$top/examples/psql/$name.sql" ],
		'>', \$out, '2>', \$err, timeout(60));
	return (undef, $err) unless $ok && $err eq '';
	return map { [ split /,/, $_, -1 ] } split /\n/, $out;
}

for my $chart (map { $_->[0] } (asked('SELECT chart FROM hwsched.chart ORDER BY position'))[ 1 .. 10 ])
{
	my ($name, @values) = psql_file($chart, '-v', 'step=1 minute');
	my $spec = decode_json((asked("SELECT hwsched.vega_spec('$chart', pool => 'it''s busy') -> 'data' -> 'values'"))[1][0]);
	my @fields = grep { $_ ne 'executions' } map { $_->[0] } @{ decode_json((asked("SELECT fields FROM hwsched.chart WHERE chart = '$chart'"))[1][0]) };
	is(join(' ', sort @{ $name // [@values] }), join(' ', sort @fields), "psql's $chart has what the chart shows");
	next unless defined $name;
	# times are cut otherwise there
	my @compared = grep { $chart !~ /history|thermal/ && !/seconds|ratio$|utilization/ || /workload_type|series|resource|^phase|^hardware$|^worker$/ } @fields;
	my %column = map { $name->[$_] => $_ } 0 .. $#$name;
	my %both = map { my $row = $_; (join('|', map { $row->[ $column{$_} ] } @compared) => 1) } @values;
	my %shown = map { my $row = $_; (join('|', map { $row->{$_} // '' } @compared) => 1) } @$spec;
	is_deeply(\%both, \%shown, '  and the same rows');
}
my $cockpit = '';
my $watch = start([ 'psql', '-X', '-d', $node->connstr('postgres'), '-U', 'reader', '-v', "pool=$pool", '-v', 'every=0.5', '-f', "$top/examples/psql/cockpit.sql" ],
	'<', \undef, '>', \$cockpit, '2>', \my $complaint, timeout(30));
push @running, $watch;
eval { $watch->pump until ($cockpit =~ s/hottest/hottest/g) >= 3 };
$watch->signal('INT');
eval { $watch->finish };
like($cockpit, qr/^ workers +\| 2 +\| of 3; 1 offline/m, "psql's cockpit shows the pool");
like($cockpit, qr/^ waits +\| 1 +\| no worker has/m, 'and what its work waits for');
cmp_ok(scalar(() = $cockpit =~ /\(every 0\.5s\)/g), '>=', 2, 'again and again');

# --- a viewer changes nothing

my @statements = split /\n/, $node->safe_psql('postgres', <<'SQL');
WITH relation AS (
	SELECT c.oid, c.oid::regclass AS name, (SELECT quote_ident(attname) FROM pg_attribute a WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum LIMIT 1) AS col
	FROM pg_class c WHERE relnamespace = 'hwsched'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition),
function AS (
	SELECT p.oid, format('%s hwsched.%I(%s)', CASE prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT' END, proname,
		(SELECT string_agg(format('NULL::%s', t::regtype), ', ') FROM unnest(p.proargtypes) AS t)) AS call
	FROM pg_proc p WHERE pronamespace = 'hwsched'::regnamespace AND prokind IN ('f', 'p') AND prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
		AND (provolatile = 'v' OR prokind = 'p'))
SELECT format('SELECT t::text FROM %s AS t LIMIT 1', name) FROM relation WHERE name::text <> ALL ('{hwsched.worker_login,hwsched.closed_pool,hwsched.pool_login,hwsched.tenant_login}')
UNION ALL SELECT format(change, name, col) FROM relation, unnest('{INSERT INTO %1$s DEFAULT VALUES RETURNING 1,UPDATE %1$s SET %2$s = %2$s RETURNING 1,DELETE FROM %1$s RETURNING 1,SELECT 1 FROM %1$s FOR UPDATE,TRUNCATE %1$s}'::text[]) AS change
	WHERE pg_relation_is_updatable(oid, false) > 0 AND NOT (change ~ 'TRUNCATE' AND (SELECT relkind = 'v' FROM pg_class c WHERE c.oid = relation.oid))
UNION ALL SELECT format('SELECT nextval(%L)', oid::regclass) FROM pg_class WHERE relnamespace = 'hwsched'::regnamespace AND relkind = 'S'
UNION ALL SELECT call FROM function
UNION ALL VALUES ('CREATE TABLE hwsched.mine ()'), ('SET ROLE hwsched_coordinator')
SQL
my $reads = grep { /^SELECT t::text/ } @statements;
cmp_ok($reads, '>', 50, 'there is something to read');
append_to_file("$dir/statements.sql", join('', map { "$_\n" } @statements));
my %before = contents($node, 'postgres');
my ($out, $err) = ('', '');
SKIP:
{
	skip 'python3-psycopg is not installed', 1 unless has_psycopg();
	run([ '/usr/bin/python3', "$top/test/lib/viewer.py", $node->connstr('postgres') . ' user=reader', "$dir/statements.sql" ], '>', \$out, '2>&1', timeout(120));
	is($out, sprintf("read %d, refused %d\n", $reads, @statements - $reads), 'a client of psycopg reads everything and changes nothing');
}
run([ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-U', 'reader', '-v', 'VERBOSITY=sqlstate', '-o', '/dev/null' ], '<', \join('', map { "$_;\n" } @statements), '2>', \$err, timeout(120));
is_deeply([ map { s/.*ERROR: +//r } split /\n/, $err ], [ ('42501') x (@statements - $reads) ], 'neither does psql');
my %after = contents($node, 'postgres');
is_deeply(\%after, \%before, 'nothing has changed');

# --- Prometheus

sub launch
{
	my ($log, @command) = @_;
	my $harness = start(\@command, '<', \undef, '>>', $log, '2>&1');
	push @running, $harness;
	return $harness;
}

# Waits until a condition holds; returns whether it came to that.
sub becomes
{
	my ($condition, $seconds) = @_;
	my $until = time + ($seconds // 20);
	do
	{
		return 1 if eval { $condition->() };
		sleep(0.05);
	} while (time < $until);
	return 0;
}

sub free_port
{
	my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die $!;
	return $socket->sockport;
}

sub submitted
{
	my ($name) = @_;
	$node->safe_psql('postgres', "SELECT hwsched.submit('{\"test_id\": \"$name\", \"test_type\": \"vision\"}', 'it''s busy'), hwsched.assign_pending(pool => 'it''s busy')");
	return;
}

my %programs = map { my $name = $_; ($name => (grep { -x } map { "$_/$name" } split(/:/, $ENV{PATH}), '/usr/bin')[0]) } qw(prometheus promtool prometheus-sql-exporter);
SKIP:
{
	skip 'prometheus-sql-exporter is not installed', 1 unless $programs{'prometheus-sql-exporter'};
	skip 'midnight has come: what it counts starts again', 1 unless strftime('%d', gmtime(time + 60)) eq $day;
	my ($port, $prometheus_port) = (free_port(), free_port());
	mkdir "$dir/prometheus" or die;
	for my $file (qw(sql_exporter.yml prometheus.yml hwsched.rules.yml))
	{
		append_to_file("$dir/prometheus/$file", slurp_file("$top/dashboards/prometheus/$file") =~ s/interval: 15s/interval: 1s/gr =~ s/localhost:9237/127.0.0.1:$port/r);
	}
	local $ENV{HWSCHED_URL} = sprintf 'postgres:///postgres?host=%s&port=%s&user=reader&sslmode=disable', $node->host, $node->port;
	my $exporter = launch("$dir/exporter.log", $programs{'prometheus-sql-exporter'}, '-config.file', "$dir/prometheus/sql_exporter.yml", '-web.listen-address', "127.0.0.1:$port");
	my $http = HTTP::Tiny->new(timeout => 10);
	my $metrics = '';
	ok(becomes(sub { ($metrics = $http->get("http://127.0.0.1:$port/metrics")->{content}) =~ /^sql_hwsched_power_watts/m }), 'the exporter exports') or diag(slurp_file("$dir/exporter.log"));
	my @queries = slurp_file("$top/dashboards/prometheus/sql_exporter.yml") =~ /^      - name: (\w+)/mg;
	for my $name (@queries)
	{
		like($metrics, qr/^# HELP sql_$name \S.*\.$/m, "$name is explained");
		like($metrics, qr/^sql_$name\{.*pool="it's busy".*\} [0-9.e+-]+$/m, '  and has a value');
	}
	unlike($metrics, qr/^sql_exporter_last_scrape_failed.* 1$/m, 'no query failed');
	like($metrics, qr/^sql_hwsched_workers\{.*health="offline",.*pool="it's busy",.*state="active",.*\} 1$/m, 'one worker is offline');
	like($metrics, qr/^sql_hwsched_executions_total\{.*pool="it's busy",.*state="failed",.*workload_type="nlp"\} 2$/m, 'and two executions of a type have failed')
		or diag(join "\n", grep { /executions_total/ } split /\n/, $metrics);
	like($metrics, qr/^sql_hwsched_hot_devices\{.*pool="it's busy",.*\} [1-9]/m, 'and devices are hot');

	SKIP:
	{
		skip 'prometheus is not installed', 1 unless $programs{prometheus} && $programs{promtool};
		for my $check ('config prometheus.yml', 'rules hwsched.rules.yml')
		{
			my ($what, $file) = split / /, $check;
			my $said = '';
			ok(run([ $programs{promtool}, 'check', $what, "$dir/prometheus/$file" ], '>', \$said, '2>&1', timeout(60)), "promtool likes $file") or diag($said);
		}
		launch("$dir/prometheus.log", $programs{prometheus}, "--config.file=$dir/prometheus/prometheus.yml", "--storage.tsdb.path=$dir/prometheus/data", "--web.listen-address=127.0.0.1:$prometheus_port");
		my $value = sub {
			my ($expression) = @_;
			my $answer = $http->get("http://127.0.0.1:$prometheus_port/api/v1/query?" . $http->www_form_urlencode({ query => $expression }));
			return join ',', map { "$_->{value}[1]" } @{ decode_json($answer->{content})->{data}{result} };
		};
		ok(becomes(sub { $value->(q[hwsched_queue_depth{pool="it's busy"}]) eq '1' }, 30), 'Prometheus scrapes it, and answers a query') or diag(slurp_file("$dir/prometheus.log"));
		is($value->(q[sum(hwsched_workers{pool="it's busy"})]), '3', 'by the names that are meant');
		is($value->(q[count({__name__=~"sql_hwsched.*"})]), '', 'and no others');
		is($value->(q[count(hwsched_workers{col!=""} or hwsched_workers{sql_job!=""})]), '', 'without the labels of the exporter');
		submitted('seen by Prometheus');
		ok(becomes(sub { $value->(q[sum(increase(hwsched_assignments_total{pool="it's busy"}[1m])) > bool 0]) eq '1' }, 30), 'a placement is an increase');
		my $alert = sub {
			my $answer = decode_json($http->get("http://127.0.0.1:$prometheus_port/api/v1/alerts")->{content});
			return join ' ', sort map { "$_->{labels}{alertname}" } grep { $_->{labels}{pool} eq $pool } @{ $answer->{data}{alerts} };
		};
		ok(becomes(sub { $alert->() eq 'HwschedDevicesHot HwschedFails HwschedNotMaintained HwschedWaitTooLong HwschedWorkersOffline' }, 30), 'alerts are raised for what is wrong') or diag($alert->());
		my $not_read = q[count(ALERTS{alertname="HwschedNotRead"})];
		is($value->($not_read), '', 'the exporter gets its figures');
		$node->safe_psql('postgres', 'REVOKE hwsched_viewer FROM reader');
		ok(becomes(sub { $value->($not_read) =~ /^[1-9]/ }, 30), 'an alert is raised when it does not');
		$node->safe_psql('postgres', 'GRANT hwsched_viewer TO reader');
	}
}

is(problems($node), '', 'all agrees');
$node->stop;
done_testing();
