# What the isolation tests commit is what the model allows (test/model); and a
# trace that tells something else is refused.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use File::Basename qw(basename dirname);
use Hwsched;
use Trace;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('model');
my $trace = Trace->begin($node) or plan skip_all => $Trace::missing;
$node->safe_psql('postgres', 'CREATE EXTENSION hwsched');

# Whether they say what is expected, the stage isolation tells.
my $isolation = "$FindBin::Bin/../isolation";
my @specs = map { basename($_, '.spec') } glob "$isolation/specs/*.spec";
run_log([ dirname($ENV{PG_REGRESS}) . '/../isolation/pg_isolation_regress', "--inputdir=$isolation", '--outputdir=' . $node->basedir, '--bindir=',
	'--use-existing', '--dbname=postgres', '--host=' . $node->host, '--port=' . $node->port, '--user=postgres', @specs ]);
$trace->read;
my @transactions = $trace->transactions;
cmp_ok(@transactions, '>', 20 * @specs, 'the isolation tests commit ' . @transactions . ' transactions');
is($trace->refused, '', 'each of which the model allows');

# Changes the first transaction that matches; returns what is refused of the trace then.
sub refused_with
{
	my ($pattern, $change) = @_;
	my ($first) = grep { join("\n", @{ $transactions[$_] }) =~ $pattern } 0 .. $#transactions;
	my @changed = map { [ @$_ ] } @transactions;
	$changed[$first] = [ $change->(@{ $changed[$first] }) ];
	return $trace->refused(map { @$_ } @changed);
}

my $ended = sub { my ($state) = @_; return qr/^a .* $state 0$/m };
my @corruptions = (
	[ 'a completion that is told twice', $ended->('c'), sub { return (@_, @_) } ],
	[ 'running work that is started again', $ended->('r'), sub { return (@_, (map { /^(a .*) r 0$/ ? "$1 s 0" : () } @_), '.') } ],
	[ 'a completion that is settled twice', qr/^n \d+ 0$/m, sub { return (@_, @_) } ],
	[ 'a completion after the lease was lost', $ended->('e'), sub { return (@_, (map { /^(a .*) e 0$/ ? "$1 c 0" : () } @_), '.') } ],
	[ 'work that is lost with its worker', $ended->('e'), sub { return grep { !/^q/ } @_ } ],
	[ 'work that is queued and placed', $ended->('a'), sub { return grep { !/^q/ } @_ } ],
	[ 'capacity that is not given back', $ended->('f'), sub { return grep { !/^u/ } @_ } ],
	[ 'capacity that is not booked', $ended->('a'), sub { return grep { !/^u/ } @_ } ],
	[ 'a failed attempt that is dead too early', $ended->('f'), sub { return map { /^q (\d+)/ ? "s $1 d 100" : $_ } @_ } ]);
for (@corruptions)
{
	my ($name, @corruption) = @$_;
	my $refused = refused_with(@corruption);
	like($refused, qr/tables\.pml/, "$name is refused");
	note($refused);
}

$node->stop;
done_testing();
