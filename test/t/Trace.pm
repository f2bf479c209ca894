# What a server has committed, change by change and in the order of the commits
# (by logical decoding), for test/model/replay.pml to hold against the model.
package Trace;

use strict;
use warnings;
use File::Basename qw(dirname);
use File::Spec;
use IPC::Run;
use PostgreSQL::Test::Utils;

my $model = dirname(__FILE__) . '/../model';
my %letter = (assigned => 'a', running => 'r', completed => 'c', failed => 'f', expired => 'e', cancelled => 'x', dead => 'd', null => 'o');

# Restarts a server and begins to trace it, before the extension is created in
# it.  Returns nothing if that cannot be done here: $Trace::missing says why.
our $missing;

sub begin
{
	my ($class, $node) = @_;
	$missing = 'spin is not installed' if system('spin -V >/dev/null 2>&1') != 0;
	$missing //= 'the plugin test_decoding is not installed' unless -e "@{[$node->config_data('--pkglibdir')]}/test_decoding.so";
	return if defined $missing;
	$node->append_conf('postgresql.conf', 'wal_level = logical');
	$node->restart;
	$node->safe_psql('postgres', "SELECT pg_create_logical_replication_slot('trace', 'test_decoding')");
	return bless { node => $node, position => 0, lines => [], number => {}, most => { A => 0, W => 0, K => 0 } }, $class;
}

# Reads what was committed since; to be called again after a crash.
sub read
{
	my ($self) = @_;
	my @changes;
	my $rows = $self->{node}->safe_psql('postgres', <<'SQL');
SELECT lsn - '0/0', translate(data, E'\n', ' ') FROM pg_logical_slot_get_changes('trace', NULL, NULL, 'skip-empty-xacts', '1')
WHERE data ~ '^(BEGIN|COMMIT|table hwsched\.(assignment|unsettled|submission|pending|worker|worker_usage|pool):)'
SQL
	for my $row (split /\n/, $rows)
	{
		my ($position, $data) = split /\|/, $row, 2;
		if ($data =~ /^BEGIN/)
		{
			@changes = ();
		}
		# what was read before is read again, if the server has crashed meanwhile
		elsif ($data =~ /^COMMIT/)
		{
			$self->commit(@changes) if $position > $self->{position};
			$self->{position} = $position if $position > $self->{position};
		}
		else
		{
			push @changes, $data;
		}
	}
	return;
}

# Notes the changes of a transaction.
sub commit
{
	my ($self, @changes) = @_;
	my (@rows, %dropped, @lines);
	for (@changes)
	{
		my ($table, $change, $columns) = /^table hwsched\.(\w+): (\w+): (.*)/ or die "test_decoding said: $_";
		my %row;
		# what has another key is told with the old one
		$columns =~ s/^old-key: .*? new-tuple: //;
		while ($columns =~ /\G(\w+)\[(?:[^\[\]]|\[\])+\]:('(?:[^']|'')*'|\S+) ?/g)
		{
			my ($name, $value) = ($1, $2);
			$row{$name} = $value =~ s/^'(.*)'$/$1/r;
		}
		push @rows, [ $table, $change eq 'DELETE', \%row ];
		$dropped{ $row{pool} } = 1 if $table eq 'pool' && $change eq 'DELETE';
	}
	# with a pool goes all that is in it
	for my $pool (keys %dropped)
	{
		delete $self->{number}{$_} for grep { /^\w \Q$pool\E\t/ } keys %{ $self->{number} };
	}
	@lines = map { $self->line(@$_) } grep { !$dropped{ $_->[2]{pool} } && $_->[0] ne 'pool' } altered(@rows);
	push @{ $self->{lines} }, @lines, '.' if @lines;
	return;
}

# Work that is altered is submitted anew and then takes its old run and place, all in
# one transaction: of its rows the last of each table counts.
sub altered
{
	my (@rows) = @_;
	my (%run, %back, %place, %seen);
	my $key = sub { "$_[0][2]{pool}\t$_[0][2]{workload_id}" };
	for (grep { $_->[0] eq 'submission' && !$_->[1] } @rows)
	{
		$back{ $key->($_) } = 1 if ($run{ $key->($_) } // 0) > $_->[2]{run};
		$run{ $key->($_) } = $_->[2]{run};
	}
	return @rows unless %back;
	$place{"$_->[2]{pool}\t$_->[2]{queue_no}"} = 1 for grep { $_->[0] eq 'submission' && $back{ $key->($_) } } @rows;
	return reverse grep {
		my ($table, $gone, $row) = @$_;
		$table eq 'submission' ? !$back{ $key->($_) } || !$seen{ $key->($_) }++ :
			$table eq 'pending' ? !$place{"$row->{pool}\t$row->{queue_no}"} || !$gone && !$seen{"\t" . $key->($_) }++ : 1
	} reverse @rows;
}

# Returns the number of a worker, workload or assignment of a pool: from 1, in
# the order in which they come.
sub number
{
	my ($self, $kind, $row, $key) = @_;
	return $self->{number}{"$kind $row->{pool}\t$row->{$key}"} //= ++$self->{most}{$kind};
}

sub line
{
	my ($self, $table, $gone, $row) = @_;
	if ($table =~ /^worker/)
	{
		my $worker = $self->number('K', $row, 'worker_id');
		# one that registers again has a number of its own
		return $table eq 'worker' ? "v $worker" : delete $self->{number}{"K $row->{pool}\t$row->{worker_id}"} && () if $gone;
		return "u $worker $row->{assignments}" if $table eq 'worker_usage';
		return "w $worker " . ($row->{max_concurrent} eq 'null' ? 1_000_000 : $row->{max_concurrent}) . ($row->{health} eq 'offline' ? ' 1' : ' 0');
	}
	if ($table eq 'submission')
	{
		return if $gone;
		# each run has a number of its own
		my $workload = $self->number('W', $row, 'queue_no');
		$self->{run}{"$row->{pool}\t$row->{workload_id}\t$row->{run}"} = $workload;
		return "s $workload $letter{$row->{outcome}} " . ($row->{retries} + 1);
	}
	return 'q ' . $self->number('W', $row, 'queue_no') . ($gone ? ' 0' : " $row->{attempt}") if $table eq 'pending';
	my $assignment = $self->number('A', $row, 'assignment_id');
	return "n $assignment " . ($gone ? 0 : 1) if $table eq 'unsettled';
	return "h $assignment" if $gone;
	# what runs and is started again is in no state that there is
	my $started = \$self->{started}{$assignment};
	my $state = $row->{state} eq 'running' && defined $$started && $$started ne $row->{started_at} ? 's' : $letter{ $row->{state} };
	$$started = $row->{started_at} if $row->{state} eq 'running';
	return join ' ', 'a', $assignment, $self->{run}{"$row->{pool}\t$row->{workload_id}\t$row->{run}"}, $self->number('K', $row, 'worker_id'),
		$row->{attempt}, $state, $row->{is_gang} eq 'true' ? 1 : 0;
}

# Returns what the model refuses of a trace, an empty text if nothing; by itself
# it is that of the server.
sub refused
{
	my ($self, @lines) = @_;
	@lines = @{ $self->{lines} } unless @lines;
	my $directory = PostgreSQL::Test::Utils::tempdir;
	append_to_file("$directory/trace", join('', map { "$_\n" } @lines, 'z'));
	my @size = map { "-D$_=" . ($self->{most}{$_} + 1) } qw(A W K);
	my ($out, $err) = ('', '');
	IPC::Run::run([ 'spin', '-B', '-T', @size, File::Spec->rel2abs("$model/replay.pml") ], '<', "$directory/trace", '>', \$out, '2>', \$err,
		init => sub { chdir $directory or die }, IPC::Run::timeout(600));
	return '' if $out =~ /^\d+ commits$/m;
	my ($done) = ($out =~ /^(\d+)$/mg)[-1] // 0;
	my @transaction;
	for (@lines[ $done .. $#lines ]) { push @transaction, $_; last if $_ eq '.' }
	my ($file, $line) = $out =~ m{spin: (?:.*/)?(\w+\.pml):(\d+)} or return "$out$err";
	return "line " . ($done + 1) . ' of the trace, ' . join(', ', @transaction) . ": $file:$line: " . (split /\n/, slurp_file("$model/$file"))[ $line - 1 ];
}

# The transactions of a trace, each a reference to its lines.
sub transactions
{
	my ($self) = @_;
	my @transactions = ([]);
	for (@{ $self->{lines} })
	{
		push @{ $transactions[-1] }, $_;
		push @transactions, [] if $_ eq '.';
	}
	pop @transactions;
	return @transactions;
}

1;
