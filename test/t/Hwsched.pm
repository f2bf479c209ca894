# What the TAP tests share.
package Hwsched;

use strict;
use warnings;
use File::Basename qw(dirname);
use Exporter 'import';
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(new_node problems psql_error contents children kill_server has_psycopg example cockpit);

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

# Returns the processes that another one has started.
sub children
{
	my ($parent) = @_;
	my @found;
	for my $file (glob '/proc/[0-9]*/stat')
	{
		open(my $handle, '<', $file) or next;
		my ($pid, $of) = (<$handle> // '') =~ /^(\d+) \(.*\) \S (\d+)/s;
		push @found, $pid if defined $of && $of == $parent;
	}
	return @found;
}

# Kills a server, postmaster and all, and starts it again.
sub kill_server
{
	my ($node) = @_;
	my $lock = $node->data_dir . '/postmaster.pid';
	my ($postmaster) = slurp_file($lock) =~ /^(\d+)/;
	my @processes = ($postmaster, children($postmaster));
	kill 'KILL', @processes;
	$node->kill9;
	# the lock file is held by a process that is there, be it only its name: not
	# everything that runs as process 1 takes in orphans at once
	for my $try (1 .. 250)
	{
		last unless grep { -e "/proc/$_" } @processes;
		select(undef, undef, undef, 0.02);
		unlink $lock if $try == 250;
	}
	$node->start;
	return;
}

# Returns whether the example programs have what they need.
sub has_psycopg
{
	return system('/usr/bin/python3 -c "import psycopg" 2>/dev/null') == 0;
}

# Returns the command of an example program and of where it finds the server.
sub example
{
	my ($node, $name, $login, @arguments) = @_;
	return (dirname(__FILE__) . "/../../examples/$name/$name.py",
		'--dsn', "host=" . $node->host . " port=" . $node->port . " user=$login dbname=postgres", @arguments);
}

# Returns the command of the cockpit, for a login that serves guests and the proxy.
sub cockpit
{
	my ($node, $login, @arguments) = @_;
	return (dirname(__FILE__) . '/../../dashboards/cockpit/cockpit.py',
		'--dsn', 'host=' . $node->host . ' port=' . $node->port . " user=$login dbname=postgres", '--port', 0, @arguments);
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
