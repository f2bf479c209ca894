# What the TAP tests share.
package Hwsched;

use strict;
use warnings;
use File::Basename qw(dirname);
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_node problems psql_error contents);

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

# Returns what does not hold in any pool; an empty text if all is well.
sub problems
{
	my ($node, $database) = @_;
	return $node->safe_psql($database // 'postgres', slurp_file(dirname(__FILE__) . '/../invariants.sql'));
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
