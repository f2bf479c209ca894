# Versions: a library refuses the objects of another version, and an update in the middle of
# work leaves what a fresh installation has, and all of the work.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use IPC::Run qw(start timeout);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $top = dirname(__FILE__) . '/../..';
my $clients = 32;
my $rounds = 8; # each connects twice

# --- a server of its own, whose library can be replaced

my %dir = map { my $value = `pg_config --$_`; chomp $value; ($_ => $value) } qw(bindir pkglibdir sharedir);
my $root = PostgreSQL::Test::Utils::tempdir();
for my $from (values %dir)
{
	make_path(dirname("$root$from"));
	system('cp', '-r', $from, dirname("$root$from")) == 0 or die "cannot copy $from";
}
my $library = "$root$dir{pkglibdir}/hwsched.so";
my $scripts = "$root$dir{sharedir}/extension";
my $control = slurp_file("$scripts/hwsched.control");
my ($version) = $control =~ /default_version *= *'(.*)'/;

# The version before: the same objects and the same library, but for the word.
(my $before = $version) =~ tr/0-9/0/;
my $current = slurp_file($library);
my $previous = $current;
is($previous =~ s/\Q$version\E\0/$before\0/g, 1, 'the library says its version in one place');
copy("$scripts/hwsched--$version.sql", "$scripts/hwsched--$before.sql") or die $!;
my $updates = "$root/src";
make_path("$updates/src/sql/updates");
copy($_, "$updates/src/sql") for glob "$top/src/sql/*.sql";
copy($_, $updates) for "$top/Makefile", "$top/hwsched.control";
append_to_file("$updates/src/sql/updates/$before.sql", "-- tables are as they were\n");
my $update = "hwsched--$before--$version.sql";
system_or_bail('make', '-s', '-C', $updates, $update);
copy("$updates/$update", $scripts) or die $!;

# Puts a library in the place of another one, which sessions keep.
sub install
{
	my ($content) = @_;
	append_to_file("$library.new", $content);
	rename "$library.new", $library or die $!;
	return;
}

install($previous);
my $node = PostgreSQL::Test::Cluster->new('update', install_path => dirname("$root$dir{bindir}"));
$node->init(extra => [ '--locale=C', '--encoding=UTF8' ]);
$node->append_conf('postgresql.conf', "log_statement = none\nmax_connections = 60\nhwsched.dispatcher = off");
$node->start;
my $sql = sub { return $node->safe_psql('postgres', $_[0]) };

# --- who is to be brought up to date

$sql->("CREATE EXTENSION hwsched VERSION '$before'");
my $older = $node->background_psql('postgres', on_error_stop => 0);
$older->query_safe(q(SELECT hwsched.create_pool('older')));
install($current);
my (undef, undef, $refusal) = $node->psql('postgres', q(SELECT hwsched.create_pool('newer')));
like($refusal, qr/the library of hwsched is version \Q$version\E, the extension in this database is version \Q$before\E/,
	'a new library refuses the objects of an older version');
like($refusal, qr/HINT:.*ALTER EXTENSION hwsched UPDATE/, 'and says what brings them up to date');
$older->query_safe(q(SELECT hwsched.create_pool('still')));
pass('a session that has the older library goes on');
$sql->('ALTER EXTENSION hwsched UPDATE');
$sql->(q(SELECT hwsched.create_pool('newer')));
$older->query(q(SELECT hwsched.create_pool('never')));
like($older->{stderr}, qr/the library of hwsched is version \Q$before\E, the extension in this database is version \Q$version\E/,
	'until the objects are updated');
$older->quit;
is($sql->(q(SELECT string_agg(pool, ' ' ORDER BY pool) FROM hwsched.pool)), 'default newer older still', 'nothing is half done');

# --- what an update leaves is what an installation makes

$sql->('CREATE DATABASE fresh');
$node->safe_psql('fresh', 'CREATE EXTENSION hwsched');
my $objects = slurp_file("$top/test/objects.sql");
my $fresh = $node->safe_psql('fresh', $objects);
cmp_ok(scalar(split /\n/, $fresh), '>', 1000, 'there are objects to compare');
is($sql->($objects), $fresh, 'the objects are those of a fresh installation');
for my $released (glob "$top/src/sql/released/hwsched--*.sql")
{
	my ($number) = $released =~ /hwsched--([^-]+)\.sql$/ or next;
	next if $number eq $version;
	$sql->("CREATE DATABASE \"from $number\"");
	$node->safe_psql("from $number", "CREATE EXTENSION hwsched VERSION '$number'; ALTER EXTENSION hwsched UPDATE");
	is($node->safe_psql("from $number", $objects), $fresh, "also after an update of $number");
}

# --- in the middle of work

$sql->('DROP EXTENSION hwsched CASCADE');
install($previous);
$sql->("CREATE EXTENSION hwsched VERSION '$before'");
$sql->(qq(SELECT hwsched.alter_pool('default', '{"retry_backoff": "0 s", "lease": "10 min"}')));
$sql->("SELECT count(hwsched.register_worker('w' || n, '{\"cpu_cores\": 64}')) FROM generate_series(1, $clients) AS n");
my @running;
for my $client (1 .. $clients)
{
	my $script = join '', map { <<"SQL" } 1 .. $rounds;
SELECT 'submitted ' || hwsched.submit('{"test_id": "$client-$_"}');
SELECT 'assigned' FROM hwsched.assign_pending();
SELECT 'completed ' || a.workload_id, hwsched.complete(a.assignment_id) FROM hwsched.claim('w$client', 2) AS a;
\\echo round $_ of $client
\\connect -
SQL
	my %client = (script => $script, out => '', err => '');
	$client{harness} = start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$client{script},
		'>', \$client{out}, '2>', \$client{err}, timeout(300));
	push @running, \%client;
}
sub said { my ($what) = @_; return scalar(() = join('', map { $_->{out} } @running) =~ /$what/g) }
sub work_until
{
	my ($enough) = @_;
	while (!$enough->())
	{
		my @left = grep { $_->{harness}->pumpable } @running or last;
		$_->{harness}->pump_nb for @left;
		select(undef, undef, undef, 0.05);
	}
	return;
}
work_until(sub { said('round 2 of') >= $clients / 2 });
my $done = said('completed ');
install($current);
my ($status, $trouble);
for my $try (1 .. 5)
{
	($status, undef, $trouble) = $node->psql('postgres', "SET lock_timeout = '20 s'; ALTER EXTENSION hwsched UPDATE");
	last if $status == 0;
	note $trouble;
}
is($status, 0, 'the extension is updated while 32 clients work');
$_->{harness}->finish for @running;
cmp_ok($done, '>', 0, 'work was completed before');
cmp_ok(said('completed '), '>', $done, 'and after it');
my @errors = grep { !/library of hwsched is version|deadlock detected/ } map { $_->{err} =~ /^.*ERROR:.*$/mg } @running;
is("@errors", '', 'nobody was told of anything else');
my @submitted = sort map { $_->{out} =~ /^submitted (\S+)/mg } @running;
is($sql->(q(SELECT string_agg(workload_id, ' ' ORDER BY workload_id COLLATE "C") FROM hwsched.submission)), "@submitted",
	'all that was taken in is there, and nothing else');
# what a refusal has left in the middle of a round
for my $try (1 .. 50)
{
	$sql->('SELECT hwsched.assign_pending()');
	$sql->("SELECT count(c.assignment_id) FROM generate_series(1, $clients) AS n, hwsched.claim('w' || n, 100) AS c");
	$sql->("SELECT count(hwsched.complete(assignment_id)) FROM hwsched.assignment WHERE state = 'running'");
	last if $sql->(q(SELECT count(*) FROM hwsched.workload WHERE state <> 'completed')) eq '0';
}
# an attempt that was not begun may have moved to an idle worker
is($sql->(q(SELECT count(*), count(DISTINCT workload_id) FROM hwsched.assignment WHERE state = 'completed')), @submitted . '|' . @submitted,
	'all of it is completed, once');
is(problems($node), '', 'all agrees');
is($sql->($objects), $fresh, 'and the objects are those of a fresh installation');

done_testing();
