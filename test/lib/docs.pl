#!/usr/bin/env perl
# Replays the documentation and compares it with the catalog.  Prints TAP.
#
#   perl test/lib/docs.pl [--accept] [FILE.md...]
#
# In the files (README and all of docs/, unless some are named) an ```sql block
# is run, and the ```text block that follows it is what psql prints; between
# <!-- catalog KIND NAME --> and <!-- end --> stands what the catalog says.  Both
# are worked out anew, and what differs from the file fails; with --accept it is
# written into the file instead.  docs/development.md tells the rest.  The
# environment (PG*) names the server; each file has a database of its own.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

my $accept = @ARGV && $ARGV[0] eq '--accept' && shift;
my @all = split /\n/, `find README.md docs -name '*.md' | sort`;
my %chosen = map { $_ => 1 } @ARGV ? @ARGV : @all;
my $here = dirname(__FILE__);
my $template = 'docs_template';
my $mark = '-- 8< --';
my $temporary = tempdir(CLEANUP => 1);
my $jobs = 4;                      # some of them sleep
my ($number, $failed) = (0, 0);

sub ok
{
	my ($good, $name, @why) = @_;
	$number++;
	$failed++ unless $good;
	print $good ? '' : 'not ', "ok $number - $name\n";
	print map { "# $_\n" } map { split /\n/ } @why unless $good;
}

sub read_file
{
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!\n";
	local $/;
	return scalar <$in>;
}

sub write_file
{
	my ($file, $text) = @_;
	open my $out, '>', $file or die "$file: $!\n";
	print {$out} $text;
	close $out or die "$file: $!\n";
}

# Starts psql with some scripts, to be run one after the other in one session.
# The options make what it prints the same everywhere.
sub start_psql
{
	my ($database, $options, @scripts) = @_;
	my $script = "$temporary/$database.sql";
	write_file($script, join('', map { "$_\n\\echo '$mark'\n" } @scripts));
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	$ENV{PGOPTIONS} = '-c timezone=UTC -c intervalstyle=postgres -c datestyle=iso -c lc_messages=C';
	exec "exec psql -Xq $options -v VERBOSITY=verbose -v SHOW_CONTEXT=never -P pager=off -d $database <$script >$script.out 2>&1";
}

# What it has printed for each of them.
sub printed
{
	my ($database, @scripts) = @_;
	my $printed = read_file("$temporary/$database.sql.out");
	# where in our source an error was raised is not for users
	$printed =~ s/^LOCATION: .*\n//mg;
	# a function that returns nothing prints an empty row
	$printed =~ s/^ +\w+ *\n-+\n \n?\(1 row\)\n\n//mg;
	$printed =~ s/ with PID \d+\.$/ with PID 4711./mg;
	$printed =~ s/[ \t]+$//mg;
	my @printed = split /^\Q$mark\E\n/m, $printed, -1;
	die "psql ended early:\n$printed" if @printed != @scripts + 1;
	pop @printed;
	return map { s/\A\n+|\n+\z//gr } @printed;
}

sub psql
{
	my ($database, $options, @scripts) = @_;
	waitpid start_psql($database, $options, @scripts), 0;
	return printed($database, @scripts);
}

sub command
{
	my ($database, @statements) = @_;
	my $printed = join "\n", psql($database, '', @statements);
	die "@statements\n$printed\n" if $printed =~ /ERROR|FATAL/;
}

# A file as a list of parts: text that stays as it is, statements with what they
# print (undef: not shown), and what the catalog says of something.
sub parse
{
	my ($file) = @_;
	my (@parts, @problems);
	my $text = read_file($file);
	while ($text =~ /\G(?:^```sql(?<info>.*)\n(?<sql>(?:.*\n)*?)^```\n(?:(?<gap>\n*)^```text\n(?<shown>(?:.*\n)*?)^```\n)?
		|^<!--\ catalog\ (?<kind>\w+)\ ?(?<name>\w*)\ -->\n(?:.*\n)*?^<!--\ end\ -->\n
		|(?<text>.*\n|.+\z))/gmx)
	{
		my %part = %+;
		$part{line} = 1 + (substr($text, 0, $-[0]) =~ tr/\n//);
		if (defined $part{sql} && $part{info} =~ /\S/)
		{
			push @problems, "line $part{line}: say why it is not run: ```sql norun: ..."
			  unless $part{info} =~ /^ norun: \S/;
			push @problems, "line $part{line}: what is not run has no output" if defined $part{shown};
			$part{norun} = 1;
		}
		push @problems, "line $part{line}: no ; at the end" if defined $part{sql} && $part{sql} !~ /;\s*$|^\\.*\n\z|\\g\w*( .*)?\n\z/m;
		push @parts, \%part;
	}
	return { name => $file, text => $text, parts => \@parts, problems => \@problems };
}

sub parts { my ($file, $what) = @_; return grep { defined $_->{$what} && !$_->{norun} } @{ $file->{parts} } }

# The file as it should be.
sub render
{
	my ($file) = @_;
	return join '', map {
		my $part = $_;
		defined $part->{kind} ? "<!-- catalog $part->{kind}" . ($part->{name} ne '' ? " $part->{name}" : '') . " -->\n"
			. "$part->{printed}\n<!-- end -->\n"
		: !defined $part->{sql} ? $part->{text}
		: "```sql$part->{info}\n$part->{sql}```\n"
			. (defined $part->{shown} ? "$part->{gap}```text\n$part->{printed}\n```\n" : '')
	} @{ $file->{parts} };
}

# Runs the statements of the files, some files at a time, and fills in what they
# print.
sub replay
{
	my @files = grep { parts($_, 'sql') } @_;
	my $running = 0;
	for my $file (@files)
	{
		($file->{database} = lc "docs_$file->{name}") =~ s/\W+/_/g;
		# a chapter that creates the extension begins without it
		$file->{template} = (parts($file, 'sql'))[0]{sql} =~ /^CREATE EXTENSION hwsched;/ ? 'template1' : $template;
	}
	my @drop = map { "DROP DATABASE IF EXISTS $_->{database} WITH (FORCE);" } @files;
	command('postgres', @drop, map { "CREATE DATABASE $_->{database} TEMPLATE $_->{template};" } @files);
	for my $file (@files)
	{
		if ($running == $jobs) { wait; $running--; }
		start_psql($file->{database}, '', map { $_->{sql} } parts($file, 'sql'));
		$running++;
	}
	1 while wait != -1;
	command('postgres', @drop);
	for my $file (@files)
	{
		my @parts = parts($file, 'sql');
		my @printed = printed($file->{database}, map { $_->{sql} } @parts);
		for my $part (@parts)
		{
			$part->{printed} = shift @printed;
			push @{ $file->{problems} }, "line $part->{line}: $part->{printed}"
			  if !defined $part->{shown} && $part->{printed} =~ /^(ERROR|FATAL|PANIC|WARNING)/m;
		}
	}
}

# Asks the catalog for all files at once.
sub ask_catalog
{
	my @regions = map { parts($_, 'kind') } @_;
	my @told = psql($template, '-At', "\\i $here/docs.sql", 'SELECT kind, name, array_to_string(parts, \' \') FROM item ORDER BY 1, 2;',
		'SELECT name, pg_temp.summary(name) FROM (SELECT DISTINCT name FROM routine) r ORDER BY 1;',
		map { $_->{kind} eq 'index' ? '' : "SELECT pg_temp.markdown('$_->{kind}', '$_->{name}');" } @regions);
	my ($setup, $items, $summaries) = splice @told, 0, 3;
	die $setup if $setup =~ /ERROR/;
	$_->{printed} = shift @told for @regions;
	return ($items, $summaries);
}

# All functions with the place that tells of them, for <!-- catalog index -->.
sub index_of
{
	my ($file, $summaries, $place) = @_;
	my @rows;
	for (split /\n/, $summaries)
	{
		my ($name, $summary) = split /\|/, $_, 2;
		my $target = $place->{"function $name"} or next;
		(my $link = $target->{name}) =~ s/^\Q@{[dirname($file->{name})]}\E\///;
		push @rows, "| [`$name`]($link#$name) | $summary |";
	}
	return join "\n", '| function | |', '|---|---|', @rows;
}

# What is wrong with how a function is described: between its marker and the next
# one, each argument and column has to be named, and a statement that calls it
# with what it prints.
sub lacking
{
	my ($file, $name, @names) = @_;
	my ($inside, $prose, $called) = (0, '', 0);
	for my $part (@{ $file->{parts} })
	{
		if (defined $part->{kind}) { $inside = $part->{kind} eq 'function' && $part->{name} eq $name; next; }
		next unless $inside;
		$prose .= $part->{text} // '';
		$called = 1 if defined $part->{sql} && !$part->{norun} && defined $part->{shown} && $part->{sql} =~ /\bhwsched\.\Q$name\E\(/;
	}
	return (map { "$name: `$_` is not described" } grep { $prose !~ /`\Q$_\E`/ } @names), ($called ? () : "$name: no example that is replayed");
}

# What is not chosen is not run; but what it describes is described.
my @parsed = map { parse($_) } @all;
my @chosen = grep { $chosen{ $_->{name} } } @parsed;
my $roles = 'SELECT string_agg(rolname, \', \' ORDER BY rolname) FROM pg_roles;';

command('postgres', "DROP DATABASE IF EXISTS $template;", "CREATE DATABASE $template;");
command($template, 'CREATE EXTENSION hwsched;');
my ($roles_before) = psql('postgres', '-At', $roles);

my ($items, $summaries) = ask_catalog(@parsed);
my (%place, @twice);
for my $file (@parsed)
{
	for my $part (parts($file, 'kind'))
	{
		my $item = "$part->{kind} $part->{name}";
		push @twice, "$item is in $place{$item}{name} and $file->{name}" if $place{$item};
		$place{$item} = $file;
	}
}
for my $file (@parsed)
{
	for my $part (parts($file, 'kind'))
	{
		$part->{printed} = index_of($file, $summaries, \%place) if $part->{kind} eq 'index';
		push @{ $file->{problems} }, "line $part->{line}: the catalog has no $part->{kind} $part->{name}" if $part->{printed} eq '';
	}
}

replay(@chosen);
for my $file (@chosen)
{
	my $wanted = render($file);
	my @difference;
	if ($wanted ne $file->{text})
	{
		if ($accept) { write_file($file->{name}, $wanted); }
		else
		{
			write_file("$temporary/wanted", $wanted);
			@difference = `diff -u --label $file->{name} --label 'what it should be' $file->{name} $temporary/wanted`;
		}
	}
	ok(!@difference && !@{ $file->{problems} }, "$file->{name} is what it says", @{ $file->{problems} }, @difference);
}

my (@missing, @lacking);
for (split /\n/, $items)
{
	my ($kind, $name, $parts) = split /\|/, $_, -1;
	my $file = $place{"$kind $name"};
	push @missing, "<!-- catalog $kind $name -->" unless $file;
	push @lacking, map { "$file->{name}: $_" } lacking($file, $name, split / /, $parts) if $file && $kind eq 'function';
}
ok(!@missing, 'everything in the catalog is documented', @missing);
ok(!@twice, 'nothing is documented twice', @twice);
ok(!@lacking, 'every function has its arguments described and an example', @lacking);
my ($roles_after) = psql('postgres', '-At', $roles);
ok($roles_after eq $roles_before, 'no chapter leaves a role behind', "before: $roles_before", "after: $roles_after");
print "1..$number\n";
exit($failed != 0);
