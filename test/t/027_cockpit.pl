# The cockpit, as people use it: in a browser, with logins that may and may not,
# with names that are hostile, while the server goes away and comes back.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Chromium;
use Hwsched;
use HTTP::Tiny;
use IO::Socket::INET;
use IPC::Run qw(run start timeout);
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

plan skip_all => 'python3-psycopg is not installed' unless has_psycopg();

my $top = "$FindBin::Bin/../..";
my $node = new_node('cockpit', allows_streaming => 1);
my $dir = $node->basedir;
my @running;

END
{
	my $status = $?;
	$_->kill_kill for grep { $_->pumpable } @running;
	$? = $status;
}

# Names that would be markup, SQL or a path if anything took them for it.
my $pool = "it's busy";
my $hostile = q{<img src=x onerror="window.pwned=1"><b>node</b>'; DROP TABLE hwsched.pool; --};
(my $quoted = $hostile) =~ s/'/''/g;
unlink $node->data_dir . '/pg_hba.conf';
append_to_file($node->data_dir . '/pg_hba.conf', "local all boss,looker,chief,nobody scram-sha-256\nlocal all all trust\nlocal replication all trust\n");
$node->reload;
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION hwsched;
CREATE ROLE reader LOGIN IN ROLE hwsched_viewer;
CREATE ROLE looker LOGIN PASSWORD 'looks' IN ROLE hwsched_viewer;
CREATE ROLE boss LOGIN PASSWORD 'acts' IN ROLE hwsched_coordinator;
CREATE ROLE chief LOGIN PASSWORD 'sets' IN ROLE hwsched_admin;
CREATE ROLE nobody LOGIN PASSWORD 'none';
CREATE ROLE proxy LOGIN;
GRANT looker, boss TO proxy;
SELECT hwsched.create_pool('it''s busy', '{"retry_backoff": "0 s"}'), hwsched.create_pool('<i>pool</i>');
SELECT hwsched.register_worker(w, '{"cpu_cores": 8, "available_memory": 32, "supported_backends": ["cpu", "cuda"], "available_accelerators": {"gpu": 2}, "labels": {"<u>zone</u>": "<u>a</u>"}}', 'it''s busy')
FROM unnest(ARRAY['node-1', 'gone', '$quoted']) AS w;
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', t || i, 'test_type', t, 'retries', 0, 'tenant', '<u>tenant</u>')), 'it''s busy')
FROM generate_series(1, 8) AS i, unnest('{vision,nlp}'::text[]) AS t;
SELECT hwsched.submit(jsonb_build_object('test_id', '$quoted', 'retries', 0), 'it''s busy');
SELECT hwsched.assign_pending(pool => 'it''s busy');
CREATE TABLE job AS SELECT c.assignment_id, c.workload_id FROM hwsched.worker w CROSS JOIN LATERAL hwsched.claim(w.worker_id, 16, pool => 'it''s busy') c WHERE w.pool = 'it''s busy';
SELECT pg_sleep(0.2);
SELECT CASE WHEN workload_id ~ '[78]\$' THEN hwsched.fail(assignment_id, '<b>exit status 1</b>', 'it''s busy') WHEN workload_id !~ '6\$' THEN hwsched.complete(assignment_id, '{"<b>": "<script>"}', 'it''s busy') END FROM job;
SELECT hwsched.start_cooling('node-1', '10 minutes', 'it''s busy');
SELECT hwsched.update_load(w.worker_id, '{"cpu_utilization": 20, "devices": [{"device_no": 1, "utilization": 50, "temperature_celsius": 80, "power_w": 250}]}', pool) FROM hwsched.worker w;
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', format('huge-%s', i), 'required_accelerators', '{"gpu": 64}'::jsonb)), 'it''s busy') FROM generate_series(1, 3) i;
SELECT hwsched.submit('{"test_id": "<b>bold</b>", "required_labels": {"<u>zone</u>": "<b>nowhere</b>"}}', 'it''s busy');
SELECT hwsched.load_history(jsonb_build_object('execution_times', jsonb_object_agg('past-' || i, jsonb_build_object('timestamp', now() - i * interval '8 s', 'worker_id', 'node-' || i % 40,
  'workload_type', (ARRAY['vision', 'nlp', 'audio'])[1 + i % 3], 'estimated_time', 90 + i % 60, 'actual_time', 60 + i % 90))), 'it''s busy') FROM generate_series(1, 10000) i;
SQL

sub launch
{
	my ($log, @command) = @_;
	my $harness = start(\@command, '<', \undef, '>>', $log, '2>&1');
	push @running, $harness;
	for (1 .. 200)
	{
		return ($harness, $1) if -e $log && slurp_file($log) =~ m{http://127\.0\.0\.1:(\d+)/};
		sleep(0.05);
	}
	diag(slurp_file($log));
	return ($harness, 0);
}

# A client of HTTP: its requests, with what a session's page would send.
my ($http, $base, %cookie, %csrf) = (HTTP::Tiny->new(timeout => 40));

sub get
{
	my ($path, $who) = @_;
	return $http->get("$base$path", { headers => { $who ? (cookie => $cookie{$who}) : () } });
}

sub post
{
	my ($path, $body, $who, %headers) = @_;
	return $http->post("$base$path", { content => encode_json($body),
		headers => { 'content-type' => 'application/json', $who ? (cookie => $cookie{$who}, 'x-csrf-token' => $csrf{$who}) : (), %headers } });
}

sub encoded
{
	my ($text) = @_;
	return $text =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger;
}

sub login
{
	my ($who, $password) = @_;
	my $answer = post('/api/login', { user => $who, password => $password });
	return $answer unless $answer->{success};
	($cookie{$who}) = $answer->{headers}{'set-cookie'} =~ /^([^;]+)/;
	$csrf{$who} = decode_json(get('/api/session', $who)->{content})->{csrf} // '';
	return $answer;
}

# --- a guest looks, and does nothing

my $said = '';
ok(!run([ cockpit($node, 'nobody', '--guest') ], '>', \$said, '2>&1', timeout(20)), 'a login that may not look serves no guests');
my ($cockpit, $port) = launch("$dir/guest.log", cockpit($node, 'reader', '--guest', '--every', 3600));
ok($port, 'it starts with one command');
$base = "http://127.0.0.1:$port";
my $page = get('/');
is($page->{status}, 200, 'it answers');
like($page->{headers}{'content-security-policy'}, qr/^default-src 'none'; script-src 'self'; style-src 'self';/, 'with a strict policy');
unlike($page->{content}, qr/https?:|<script>|<style|style=| on\w+=/, 'nothing comes from elsewhere or stands in the page');
is(get($_)->{status}, 404, "there is no $_") for qw(/server.py /../server.py /%2e%2e/server.py /static/../server.py /cockpit.js/ /queries/work.sql /api/query/nothing /api/query/../work);
sub by_name
{
	my ($name) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die $!;
	print $socket "GET / HTTP/1.0\r\nHost: $name\r\n\r\n";
	return scalar readline $socket;
}
like(by_name('evil.example'), qr/^HTTP\S+ 421 /, 'nor a page by another name');
like(by_name("LOCALHOST:$port"), qr/^HTTP\S+ 200 /, 'but by its own');

my @queries = map { m{/(\w+)\.sql$} } glob "$top/dashboards/cockpit/queries/*.sql";
cmp_ok(scalar @queries, '>', 25, 'there is something to ask');
my %parameters = (pool => $pool, since => '2020-01-01', until => '2100-01-01', worker => $hostile, workload => $hostile, settings => '{}', measure => 'temperature', by => 'tenant', q => $hostile, type => $hostile, tenant => $hostile, group => "label:$hostile");
sub asked
{
	my ($name, %more) = @_;
	my %names = map { $_ => 1 } slurp_file("$top/dashboards/cockpit/queries/$name.sql") =~ /%\((\w+)\)s/g;
	my %given = (%parameters, %more);
	return get("/api/query/$name?" . join '&', map { encoded($_) . '=' . encoded($given{$_}) } grep { $names{$_} && defined $given{$_} } sort keys %given);
}
for my $name (@queries)
{
	my $answer = asked($name, $name eq 'work_suggestions' || $name eq 'work_candidates' ? (workload => 'huge-1') : ());
	ok($answer->{status} == 200 && ref decode_json($answer->{content}) eq 'ARRAY', "$name answers") or diag($answer->{content});
}
is(decode_json(asked('work_one')->{content})->[0]{workload_id}, $hostile, 'a hostile name is found as it is');
is(scalar @{ decode_json(asked('work', type => undef, tenant => undef, q => q{%' OR true --})->{content}) }, 0, 'and none by SQL in a search');
is(get('/api/query/pools?x=1')->{status}, 400, 'an unknown parameter is refused');
is(get('/api/query/tenants?pool=a%00b')->{status}, 400, 'and a zero');
is(asked('work_one', pool => 'none')->{content}, '[]', 'of no pool there is nothing');
my $guest = decode_json(get('/api/session')->{content});
ok($guest->{guest} && !$guest->{coordinator} && !$guest->{admin}, 'a guest may do nothing');
$csrf{guest} = $guest->{csrf};
$cookie{guest} = '';
is(post('/api/act/cancel', { workload => 'huge-1', pool => $pool }, 'guest')->{status}, 403, 'and is refused');

# --- logins

$cockpit->signal('TERM');
ok($cockpit->finish, 'asked to end, it does');
($cockpit, $port) = launch("$dir/cockpit.log", cockpit($node, 'reader', '--every', 3600));
$base = "http://127.0.0.1:$port";
is(get($_)->{status}, 401, "without a login there is no $_") for '/api/session', '/api/query/pools', '/events';
is(login('boss', 'wrong')->{status}, 401, 'nor with a wrong password');
is(login('boss', '')->{status}, 401, 'nor with none');
is(login('', 'acts')->{status}, 401, 'nor without a name');
is(login(q{boss' OR '1'='1}, 'acts')->{status}, 401, 'nor with a hostile one');
is(login("boss host=elsewhere", 'acts')->{status}, 401, 'nor one that would be more of a connection string');
my $answer = login('boss', 'acts');
is($answer->{status}, 200, 'but with the right one');
like($answer->{headers}{'set-cookie'}, qr/; HttpOnly; SameSite=Strict;/, 'its cookie is for this page alone');
login($_->[0], $_->[1]) for [ looker => 'looks' ], [ chief => 'sets' ], [ nobody => 'none' ];
is(get('/api/session', 'nobody')->{status}, 403, 'a role that may not look sees nothing');
my %cancel = (workload => 'huge-1', pool => $pool);
sub state_of { my ($id) = @_; return $node->safe_psql('postgres', "SELECT state FROM hwsched.workload WHERE workload_id = '$id'") }

# --- requests that are not from the page

is(post('/api/act/cancel', \%cancel, 'boss', 'x-csrf-token' => 'x')->{status}, 403, 'without the token nothing is done');
is(post('/api/act/cancel', \%cancel, 'boss', 'x-csrf-token' => $csrf{looker})->{status}, 403, "nor with another's");
is(post('/api/act/cancel', \%cancel, 'boss', origin => 'http://evil.example')->{status}, 403, 'nor for the page of another site');
is(post('/api/act/cancel', \%cancel, 'boss', 'sec-fetch-site' => 'cross-site')->{status}, 403, 'nor across sites');
is(post('/api/act/cancel', \%cancel, 'boss', 'content-type' => 'text/plain')->{status}, 415, 'nor as a form would send it');
is($http->get("$base/api/act/cancel?workload=huge-1", { headers => { cookie => $cookie{boss} } })->{status}, 404, 'nor by a link');
is(post('/api/act/cancel', { workload => 'huge-1' }, 'boss')->{status}, 400, 'nor with half of it');
is(post('/api/act/cancel', { %cancel, more => '1' }, 'boss')->{status}, 400, 'nor with more');
is(post('/api/act/cancel', { %cancel, workload => [1] }, 'boss')->{status}, 400, 'nor with what is no text');
is(post('/api/act/drop_pool', \%cancel, 'boss')->{status}, 404, 'nor anything else');
is($http->post("$base/api/act/cancel", { content => '{', headers => { 'content-type' => 'application/json', cookie => $cookie{boss}, 'x-csrf-token' => $csrf{boss} } })->{status}, 400, 'nor broken JSON');
like(post('/api/act/cancel', { %cancel, workload => 'x' x 2_000_000 }, 'boss')->{status}, qr/^(413|599)$/, 'nor without end, and is not read to its end');
is(state_of('huge-1'), 'pending', 'nothing of all that has done anything');

# --- who may what

is(post('/api/act/cancel', \%cancel, 'looker')->{status}, 403, 'a viewer is refused by the database');
is(post('/api/act/apply_settings', { pool => $pool, settings => '{"max_concurrent": 7}' }, 'boss')->{status}, 403, 'and a coordinator who sets');
is(decode_json(post('/api/sql/cancel', { workload => $hostile, pool => $pool }, 'boss')->{content})->{sql}, "SELECT hwsched.cancel('$quoted', 'it''s busy');", 'an action names its SQL');
is(post('/api/act/cancel', \%cancel, 'boss')->{status}, 200, 'a coordinator cancels');
is(state_of('huge-1'), 'cancelled', '  so it is');
is(post('/api/act/cancel', { workload => 'no such', pool => $pool }, 'boss')->{status}, 404, 'but nothing that is not there');
is(post('/api/act/priority', { workload => 'huge-2', priority => '1', reason => "it's urgent", pool => $pool }, 'boss')->{status}, 200, 'changes a priority');
is($node->safe_psql('postgres', "SELECT priority || altered_reason FROM hwsched.workload WHERE workload_id = 'huge-2'"), "1it's urgent", '  so it is');
is(post('/api/act/retry', { workload => 'nlp7', pool => $pool }, 'boss')->{status}, 200, 'retries what is dead');
is(post('/api/act/retry_many', { filter => '{"workload_type": "vision"}', pool => $pool }, 'boss')->{status}, 200, 'and all of a type');
is($node->safe_psql('postgres', "SELECT count(*) FROM hwsched.pending WHERE workload_id ~ '^(nlp7|vision[78])'"), '3', '  so it is');
for my $case ([ drain_worker => { worker => 'node-1' }, "state FROM hwsched.worker WHERE worker_id = 'node-1'", 'draining' ], [ resume_worker => { worker => 'node-1' }, "state FROM hwsched.worker WHERE worker_id = 'node-1'", 'active' ],
	[ drain_device => { worker => 'node-1', device => '1' }, "state FROM hwsched.device WHERE worker_id = 'node-1' AND device_no = 1", 'draining' ], [ resume_device => { worker => 'node-1', device => '1' }, "state FROM hwsched.device WHERE worker_id = 'node-1' AND device_no = 1", 'active' ],
	[ pause => {}, "is_paused FROM hwsched.pool_summary WHERE pool = 'it''s busy'", 't' ], [ resume => {}, "is_paused FROM hwsched.pool_summary WHERE pool = 'it''s busy'", 'f' ],
	[ apply_suggestion => { workload => 'huge-2', change => '{"requirements": {"required_accelerators": {"gpu": 2}}}' }, "requirements #>> '{required_accelerators,gpu}' FROM hwsched.workload WHERE workload_id = 'huge-2'", '2' ],
	[ cancel_many => { filter => '{"state": "pending", "workload_type": "vision"}' }, "count(*) FROM hwsched.workload WHERE state = 'cancelled' AND workload_type = 'vision'", '2' ])
{
	my ($name, $given, $shown, $is) = @$case;
	is(post("/api/act/$name", { %$given, pool => $pool }, 'boss')->{status}, 200, "$name is done");
	is($node->safe_psql('postgres', "SELECT $shown"), $is, '  and seen');
}
is(post('/api/act/apply_settings', { pool => $pool, settings => '{"max_concurrent": 7}', reason => 'more' }, 'chief')->{status}, 200, 'an admin changes settings');
my $version = $node->safe_psql('postgres', "SELECT max(version) FROM hwsched.settings_history('it''s busy')");
is(post('/api/act/rollback_settings', { pool => $pool, version => "@{[ $version - 1 ]}" }, 'chief')->{status}, 200, 'and takes them back');
is($node->safe_psql('postgres', "SELECT value FROM hwsched.pool_settings('it''s busy') WHERE name = 'max_concurrent'"), '5', '  so they are');
is(post('/api/act/apply_settings', { pool => $pool, settings => '{"no such": 7}' }, 'chief')->{status}, 422, 'a wrong one is told');
post('/api/logout', {}, 'chief');
is(get('/api/session', 'chief')->{status}, 401, 'who has logged out is out');

# --- events

sub events_until
{
	my ($pattern, $do) = @_;
	my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port) or die $!;
	print $socket "GET /events HTTP/1.0\r\nHost: localhost\r\nCookie: $cookie{boss}\r\n\r\n";
	my ($text, $until) = ('', time + 20);
	my $listens = "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = 'cockpit' AND query ~ 'LISTEN hwsched_scaling'";
	while (time < $until && $text !~ $pattern)
	{
		sysread($socket, $text, 65536, length $text) or last if IO::Select->new($socket)->can_read(0.2);
		if ($do && $node->safe_psql('postgres', $listens) eq 't') { $do->(); $do = undef; }
	}
	close $socket;
	return $text;
}
sub submitted
{
	my ($name) = @_;
	$node->safe_psql('postgres', "SELECT hwsched.heartbeat('node-1', 'it''s busy'); SELECT hwsched.submit('{\"test_id\": \"$name\", \"test_type\": \"vision\"}', 'it''s busy'), hwsched.assign_pending(pool => 'it''s busy')");
	return;
}
like(events_until(qr/it's busy/, sub { submitted('seen') }), qr/^event: changed\ndata: \{"pools": \["it's busy"\]\}$/m, 'an assignment is told at once');

# --- in a browser

my @pages = ('fleet?measure=temperature&group=label:<u>zone</u>', 'fleet?measure=health&class=all', 'timeline?period=7d', 'queue?period=7d&by=tenant', 'work', 'work?id=' . encoded($hostile), 'work?id=huge-3', 'work?id=vision6', 'workers', 'workers?id=' . encoded($hostile), 'workers?id=node-1&period=7d',
	'learning?period=7d', 'policies', 'pools');
SKIP:
{
	skip 'there is no Chromium', 1 unless Chromium::found();
	my ($file) = glob "$top/.cache/vega-*/axe.min.js";
	my $browser = Chromium->new("$dir/browser", "$base/");
	ok($browser->becomes('document.querySelector("#user")'), 'a browser is asked to log in');
	my $fill = sub { my ($id, $value) = @_; $browser->value("document.querySelector('#$id').focus()"); $browser->call('Input.insertText', text => $value); return; };
	$fill->(user => 'boss');
	$fill->(password => 'wrong');
	$browser->call('Input.dispatchKeyEvent', type => 'keyDown', key => 'Enter', code => 'Enter', windowsVirtualKeyCode => 13, text => "\r");
	ok($browser->becomes('/password/.test(document.querySelector(".problem")?.textContent)'), 'a wrong password is told');
	$browser->complaints;
	$fill->(password => '');
	$browser->value('document.querySelector("#password").value = ""');
	$fill->(password => 'acts');
	$browser->call('Input.dispatchKeyEvent', type => 'keyDown', key => 'Enter', code => 'Enter', windowsVirtualKeyCode => 13, text => "\r");
	ok($browser->becomes('document.querySelector("#nav a[aria-current]") && document.querySelector(".figures")'), 'the right one opens the fleet, by the keyboard alone');

	my $open = sub {
		my ($hash) = @_;
		$hash .= ($hash =~ /\?/ ? '&' : '?') . 'pool=' . encoded($pool);
		$browser->value("document.querySelector('#main').dataset.old = 1; document.querySelector('#main h1')?.remove(); location.hash = " . encode_json("#/$hash"));
		return $browser->becomes('document.querySelector("#main h1") && !document.querySelector("#main[aria-busy]")', 30) || $browser->value('document.querySelector("#main").textContent');
	};
	for my $size ([ 1440, 'light' ], [ 400, 'dark' ])
	{
		my ($width, $theme) = @$size;
		$browser->call('Emulation.setDeviceMetricsOverride', width => $width, height => 900, deviceScaleFactor => 1, mobile => $width < 600 ? JSON::PP::true : JSON::PP::false);
		$browser->call('Emulation.setEmulatedMedia', features => [ { name => 'prefers-color-scheme', value => $theme } ]);
		for my $hash (@pages)
		{
			my $name = "$hash at $width px, $theme";
			is($open->($hash), 1, $name);
			sleep(0.2);
			$browser->value('document.querySelectorAll("details").forEach((d) => { d.open = true })');
			cmp_ok($browser->value('document.documentElement.scrollWidth'), '<=', $width, '  fits the screen');
			is($browser->value('document.querySelectorAll("main img, main u, main i:not(.legend i), main script").length + (window.pwned ?? 0)'), 0, '  and takes names for text');
			is($browser->value('document.querySelector(".problem")?.textContent ?? ""'), '', '  and has no problem');
			if ($file)
			{
				$browser->value(slurp_file($file) . ';0') unless $browser->value('typeof axe === "object"');
				is($browser->value('axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }).then((r) => r.violations.map((v) => `${v.id}: ${v.nodes[0].html}`).join("; "))'), '', '  nor for who sees little or hears it');
			}
			is($browser->complaints, '', '  and does not complain');
		}
	}
	SKIP:
	{
		skip 'axe-core is not installed: there was no npm', 1 unless $file;
		$browser->value('document.querySelector("#main").append(document.createElement("input"))');
		like($browser->value('axe.run(document).then((r) => r.violations.map((v) => v.id).join(" "))'), qr/\blabel\b/, 'a field without a label would be found');
	}

	# acting
	$open->('work?id=huge-3');
	$browser->value('document.querySelector("[data-act=cancel]").click()');
	ok($browser->becomes(q{document.querySelector('dialog pre').textContent === "SELECT hwsched.cancel('huge-3', 'it''s busy');"}), 'before it cancels, it asks and names its SQL');
	is(state_of('huge-3'), 'pending', '  and has done nothing');
	$browser->value('[...document.querySelectorAll("dialog button")].at(-1).click()');
	ok($browser->becomes('document.querySelector("#main .state")?.textContent === "cancelled"'), 'then it is cancelled') or diag($browser->value('document.querySelector("dialog")?.textContent'));
	is(state_of('huge-3'), 'cancelled', '  so it is');

	# what a newcomer asks, by clicking
	$open->('queue?order=wait');
	like($browser->value('[...document.querySelectorAll(".card")].find((c) => c.querySelector("h2").textContent === "Who waits longest").querySelector("tbody tr").textContent'), qr/<b>bold<\/b>.*label/s, 'what waits longest, and why');
	$open->('work?id=vision6');
	like($browser->value('[...document.querySelectorAll(".card")].find((c) => c.querySelector("h2").textContent === "The decision").textContent'), qr/placed.*hardware_aware/s, 'which decision was made');
	$open->('policies');
	$browser->value('document.querySelector("#simulate").click()');
	ok($browser->becomes('/Mean wait/.test([...document.querySelectorAll("h3")].find((t) => t.textContent === "Both outcomes")?.parentNode.textContent)', 40), 'what would happen under another policy');

	# ten thousand runs move
	$open->('timeline?period=24h');
	ok($browser->becomes('/^1\d,\d{3} runs/.test(document.querySelector(".card h2").textContent)'), 'ten thousand runs are shown');
	my $slowest = $browser->value('(async () => { const zone = document.querySelector("#zone"); let most = 0; for (const key of ["+", "-", "ArrowLeft", "ArrowRight", "+"]) { const begun = performance.now(); zone.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })); await new Promise((done) => requestAnimationFrame(() => setTimeout(done))); most = Math.max(most, performance.now() - begun) } return most })()');
	cmp_ok($slowest, '<', 500, sprintf 'and each step takes little (%.0f ms)', $slowest);
	ok($browser->becomes('/from=.*to=/.test(location.hash)'), 'what is shown stands in the address');
	$browser->complaints;

	# live, and away
	$open->('queue');
	my $running = 'document.querySelector(".figures div:nth-child(4) .note").textContent';
	my ($before) = $browser->value($running) =~ /^(\d+)/;
	submitted('seen too');
	ok($browser->becomes("parseInt($running) === " . ($before + 1), 10), 'an assignment arrives without being asked for');
	$node->stop('immediate');
	ok($browser->becomes('document.querySelector("#live.away")?.textContent.startsWith("no news since")'), 'when the database is away the page says so');
	$node->start;
	ok($browser->becomes('document.querySelector("#live.away") === null', 30), 'and goes on when it is back');
	submitted('seen after that');
	ok($browser->becomes("parseInt($running) === " . ($before + 2), 20), 'with what is assigned then');
	$browser->picture($ENV{HWSCHED_PICTURE}) if $ENV{HWSCHED_PICTURE};
	$browser->close_browser;
}
$cockpit->signal('TERM');
ok($cockpit->finish, 'asked to end, it does');
ok($node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'cockpit')"), 'and leaves no connection');
unlike(slurp_file("$dir/$_.log"), qr/Traceback/, 'nothing went wrong in it') for qw(guest cockpit);

# --- behind a proxy

append_to_file("$dir/secret", "a secret of the proxy\n");
($cockpit, $port) = launch("$dir/proxy.log", cockpit($node, 'proxy', '--proxy-user', 'X-Remote-User', '--proxy-secret', "$dir/secret", '--every', 3600));
$base = "http://127.0.0.1:$port";
my $through = sub { my ($user, $secret) = @_; return $http->get("$base/api/session", { headers => { 'x-remote-user' => $user, 'x-cockpit-secret' => $secret } }) };
my $by_proxy = $through->('boss', 'a secret of the proxy');
is($by_proxy->{status} == 200 && decode_json($by_proxy->{content})->{user}, 'boss', 'a proxy says who it is');
is($through->('boss', 'guessed')->{status}, 401, 'no one else does');
isnt($through->('chief', 'a secret of the proxy')->{status}, 200, 'nor for a role that its login may not take');
isnt($through->('boss -c role=postgres', 'a secret of the proxy')->{status}, 200, 'nor for one that is more than a name');
is(post('/api/login', { user => 'boss', password => 'acts' })->{status}, 404, 'and nobody logs in');
$cockpit->signal('INT');
ok($cockpit->finish, 'interrupted, it ends');

# --- on a standby, where nobody can listen

my $standby = PostgreSQL::Test::Cluster->new('standby');
$node->backup('backup');
$standby->init_from_backup($node, 'backup', has_streaming => 1);
$standby->start;
($cockpit, $port) = launch("$dir/standby.log", cockpit($standby, 'reader', '--guest', '--every', 0.3));
$base = "http://127.0.0.1:$port";
submitted('seen on a standby');
$node->wait_for_catchup($standby);
is(decode_json(asked('work_one', workload => 'seen on a standby')->{content})->[0]{state}, 'assigned', 'a standby shows what was assigned');
$cookie{boss} = 'x=y';
like(events_until(qr/event: tick/), qr/event: tick/, 'and looks by the clock');
$cockpit->signal('TERM');
ok($cockpit->finish, 'it ends');
$standby->stop;

is(problems($node), '', 'all agrees');
$node->stop;
done_testing();
