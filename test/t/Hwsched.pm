# What the TAP tests share.
package Hwsched;

use strict;
use warnings;
use File::Basename qw(dirname);
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_node add_checks add_invariants problems psql_error contents);

# Starts a server of its own.
sub new_node
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(extra => [ '--locale=C', '--encoding=UTF8' ], %options);
	$node->append_conf('postgresql.conf', "log_statement = none\nmax_connections = 40");
	$node->start;
	return $node;
}

# Adds problems() and attempt(), the very same that the isolation specs have.
sub add_checks
{
	my ($node, $database) = @_;
	my $spec = slurp_file(dirname(__FILE__) . '/../isolation/specs/assign.spec');
	my @functions = $spec =~ /^  (CREATE OR REPLACE FUNCTION (?:problems|attempt)\(.*?^  [^\n]*\$\$;)$/msg;
	die 'no checks in the isolation specs' unless @functions == 2;
	$node->safe_psql($database // 'postgres', join("\n", @functions));
}

# Adds the views violation and live, the very same that the pgTAP tests have.
sub add_invariants
{
	my ($node, $database) = @_;
	my $test = slurp_file(dirname(__FILE__) . '/../pgtap/invariants.sql');
	my ($views) = $test =~ /^(CREATE TEMP VIEW live AS.*?^CREATE TEMP VIEW violation AS.*?;)\n\n/ms;
	die 'no invariants in the pgTAP tests' unless $views;
	$views =~ s/CREATE TEMP VIEW/CREATE VIEW/g;
	$node->safe_psql($database // 'postgres', $views);
}

# Returns what does not hold in any pool; an empty text if all is well.
sub problems
{
	my ($node, $database) = @_;
	return $node->safe_psql($database // 'postgres',
		"SELECT p.pool, x.problem FROM hwsched.pool p, problems(p.pool) x LIMIT 20");
}

# Returns what psql says when a statement fails, an empty text if it does not.
sub psql_error
{
	my ($node, $database, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql($database, $sql);
	return $status == 0 ? '' : $stderr;
}

# Returns all rows of all tables of the extension as text.
sub contents
{
	my ($node, $database) = @_;
	my $tables = $node->safe_psql($database,
		"SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'hwsched'::regnamespace AND relkind = 'r' ORDER BY 1");
	return map {
		# the time at which the extension was created is not content
		my $columns = $_ eq 'pool' ? "CASE WHEN pool <> 'default' THEN t END, pool" : 't';
		$_ => $node->safe_psql($database, "SELECT $columns FROM hwsched.\"$_\" t ORDER BY t::text COLLATE \"C\"")
	} split /\n/, $tables;
}

1;
