# Charts and the report, by those who read them: Vega-Lite's schema, and a
# browser that renders the page without a network, under the page's own policy.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Chromium;
use Hwsched;
use IPC::Run qw(run timeout);
use PostgreSQL::Test::Utils;
use Test::More;

my $top = "$FindBin::Bin/../..";
my ($schema) = glob "$top/.cache/vega-*/vega-lite-schema.json";
my $browser = Chromium::found();

my $node = new_node('report');
my $dir = $node->basedir;
# Names that mean something to HTML, JSON, JavaScript and Vega.
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION hwsched;
CREATE ROLE reader LOGIN IN ROLE hwsched_viewer;
SELECT hwsched.create_pool('empty'), hwsched.create_pool('</title><script>boom()</script>');
CREATE TABLE name (no int, pool text, worker text, workload text);
INSERT INTO name VALUES (1, 'default', 'node-1', 'plain'), (2, 'default', '<img src=x onerror=boom()>', '</script><script>boom()</script>'),
	(3, 'default', '"><svg onload=boom()>', '{{datum}} \u003cb\u003e ${boom()}'), (4, 'default', repeat('very-long-', 90), repeat('<b>', 300)), (5, 'default', 'null', E'line\nbreak'),
	(6, '</title><script>boom()</script>', '<!--', ']]>');
SELECT hwsched.register_worker(worker, '{"cpu_cores": 8, "available_memory": 32, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 2}}', pool) FROM name;
SELECT hwsched.submit(jsonb_build_object('test_id', workload || i, 'test_type', t, 'expected_duration', 60), pool)
FROM name, unnest('{vision,nlp,training}'::text[]) WITH ORDINALITY AS t (t, i);
SELECT hwsched.assign_pending(pool => p) FROM unnest('{default,</title><script>boom()</script>}'::text[]) p;
SELECT count(hwsched.complete(c.assignment_id, pool => n.pool)) FROM name n CROSS JOIN LATERAL hwsched.claim(n.worker, 3, pool => n.pool) c;
SELECT hwsched.record_execution_time(workload || i, 100, 60 + 7 * i + CASE WHEN i % 5 = 0 THEN 900 ELSE 0 END, 'vision', worker, timestamptz '2026-01-05 00:00+00' + i * interval '20 minutes', pool),
	hwsched.record_thermal_state(worker, 0.5 + 0.4 * sin(i / 5.0), i < 10, i > 20, timestamptz '2026-01-05 00:00+00' + i * interval '20 minutes', pool => pool),
	hwsched.record_resource_utilization(worker, jsonb_build_object('cpu_utilization', 2 * i, 'memory_utilization', 50, 'gpu_utilization', 90, 'io_utilization', 5, 'network_utilization', 7),
		timestamptz '2026-01-05 00:00+00' + i * interval '20 minutes', pool => pool),
	hwsched.record_assignment(workload || i, worker, 0.3 + i / 60.0, 'nlp', timestamptz '2026-01-05 00:00+00' + i * interval '20 minutes', pool)
FROM name, generate_series(1, 30) AS i;
SQL

sub asked
{
	my ($query) = @_;
	return $node->safe_psql('postgres', $query, extra_params => [ '-U', 'reader' ]);
}

my @charts = split /\n/, asked('SELECT chart FROM hwsched.chart ORDER BY position');
is(scalar(@charts), 10, 'there are ten charts');

SKIP:
{
	skip 'there is no schema of Vega-Lite: npm has not fetched it', 3 unless defined $schema;
	skip 'python3-jsonschema is not installed', 3 unless run([ '/usr/bin/python3', '-c', 'import jsonschema' ], '>', \my $none, '2>', \my $nothing);
	# all at once, a day that is not rolled up, and nothing at all
	for my $case ([ 'all there is', 'NULL' ], [ 'a day', "'2026-01-05 00:00+00', '2026-01-06 00:00+00'" ], [ 'an empty pool', "pool => 'empty'" ])
	{
		my ($name, $arguments) = @$case;
		my @files;
		for my $chart (@charts)
		{
			push @files, "$dir/$chart.json";
			append_to_file($files[-1], '');
			open(my $file, '>', $files[-1]) or die $!;
			print $file asked("SELECT hwsched.vega_spec('$chart', $arguments)");
			close $file;
		}
		my $output = '';
		ok(run([ '/usr/bin/python3', "$top/test/lib/vega_schema.py", $schema, @files ], '>', \$output, '2>&1', timeout(120)), "every chart of $name is valid by Vega-Lite's schema")
			or diag($output);
	}
}

sub without_scripts
{
	my ($html) = @_;
	return $html =~ s/<script\b.*?<\/script>//gsr;
}

# Renders a page, and returns the document as it then is, and what the console said.
sub rendered
{
	my ($html, $name) = @_;
	my ($dom, $log) = ('', '');
	open(my $file, '>', "$dir/$name.html") or die $!;
	print $file $html;
	close $file;
	run([ $browser, qw(--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --virtual-time-budget=20000 --enable-logging=stderr),
			'--host-resolver-rules=MAP * ~NOTFOUND', "--user-data-dir=$dir/browser", '--dump-dom', "file://$dir/$name.html" ],
		'>', \$dom, '2>', \$log, timeout(120)) or diag("$browser: $log");
	return (without_scripts($dom), join "\n", grep { /CONSOLE/ } split /\n/, $log);
}

my $report = asked('SELECT hwsched.summary_report()');
ok($report =~ /^<!DOCTYPE html>.*<\/html>\s*$/s, 'the report is a page');
is(join(' ', without_scripts($report) =~ /<(img|svg|b|script)\b/gi), '', 'names in the report are text');
my $installed = asked('SELECT hwsched_internal.vega_runtime() IS NOT NULL') eq 't';

SKIP:
{
	skip 'Vega is not installed: there was no npm', 9 unless $installed;
	skip 'there is no Chromium', 9 unless defined $browser;
	my ($dom, $console) = rendered($report, 'report');
	is($console, '', 'the browser has nothing to complain of');
	is(scalar(() = $dom =~ /<svg\b/g), 10, 'it has drawn every chart');
	is(join(' ', $dom =~ /<(img|b|script)\b/g), '', 'and nothing that is a name');
	ok($dom =~ /<(text|tspan)[^>]*>&lt;img src=x onerror=boom\(\)&gt;/, 'names are shown in charts as they are');
	ok($dom =~ />\d\d:\d\d</, 'axes of time show hours');
	my @legends = map { />([^<]*)<\/text>/g } $dom =~ /role-legend-label"[^>]*>(.*?)<\/g>/gs;
	ok((grep { $_ eq 'vision' } @legends), 'legends name what is drawn');
	is(join(', ', grep { /^(null|undefined|NaN|)$/ } @legends), '', 'and nothing else');

	($dom, $console) = rendered(asked("SELECT hwsched.summary_report(pool => 'empty')"), 'empty');
	is($console, '', 'nor of the report on an empty pool');
	($dom, $console) = rendered(asked("SELECT hwsched.summary_report(pool => '</title><script>boom()</script>')"), 'hostile');
	is($console, '', 'nor of one on a pool with a hostile name');
}

# Where Vega is not installed
$node->safe_psql('postgres', 'CREATE OR REPLACE FUNCTION hwsched_internal.vega_runtime() RETURNS text LANGUAGE sql AS $$ SELECT NULL::text $$');
$report = asked('SELECT hwsched.summary_report()');
like($report, qr/script-src 'none'/, 'without Vega the report may run nothing');
unlike($report, qr/<script\b/, 'and has no script');
like($report, qr/<td>&lt;img src=x onerror=boom\(\)&gt;/, 'but the tables');
$node->safe_psql('postgres', q{SELECT hwsched.alter_pool('default', '{"vega_url": "https://vega.example/npm/"}')});
$report = asked('SELECT hwsched.summary_report()');
is(join(' ', $report =~ /<script src="([^"]+)"/g), join(' ', map { "https://vega.example/npm/$_" } qw(vega@5.33.1/build/vega.min.js vega-lite@5.23.0/build/vega-lite.min.js vega-interpreter@1.2.1/build/vega-interpreter.min.js)),
	'with vega_url it loads Vega from there');
like($report, qr/script-src https:\/\/vega\.example\/npm\/vega\@\S+ https:\S+ https:\S+ 'sha256-/, 'and may load nothing else');
is(join(' ', sort $report =~ /npm\/([a-z-]+\@[0-9.]+)\/\S+" integrity/g),
	join(' ', sort map { s/^\s*"([a-z-]+)": "([0-9.]+)",?$/$1\@$2/r } grep { /^\s*"vega[a-z-]*": "[0-9]/ } split /\n/, slurp_file("$top/src/report/package.json")),
	'in the versions of package.json');
SKIP:
{
	skip 'there is no Chromium', 1 unless defined $browser;
	my ($dom, $console) = rendered($report, 'offline');
	like($dom, qr/<td>&lt;img src=x onerror=boom\(\)&gt;/, 'and shows its tables where that cannot be reached');
}
$node->stop;
done_testing();
