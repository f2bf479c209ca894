# Prints how many lines of each file of src were run, from the counters that gcov
# reads.  A line counts as run if it was in any of the builds.
#
#   perl test/lib/coverage.pl <directory that was built and run with counters> [percent]
#
# Fails if less than that was run.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Find qw(find);
use JSON::PP qw(decode_json);

my ($directory, $wanted) = @ARGV;
$directory = abs_path($directory // die "no directory\n");

my @counters;
find(sub { push @counters, $File::Find::name if /\.gcda$/ }, $directory);
die "no counters below $directory\n" unless @counters;

my %lines;
for my $file (sort @counters)
{
	(my $home = $file) =~ s{/[^/]*$}{};
	open(my $gcov, '-|', "cd '$home' && gcov --json-format --stdout '$file'") or die "gcov: $!\n";
	my $text = do { local $/; <$gcov> };
	close($gcov) or die "gcov fails on $file\n";
	my $report = decode_json($text);
	for my $source (@{ $report->{files} })
	{
		my $path = $source->{file} =~ m{^/} ? $source->{file} : "$report->{current_working_directory}/$source->{file}";
		$path = abs_path($path) // next;
		next unless $path =~ s{^\Q$directory\E/(src/)}{$1};
		$lines{$path}{ $_->{line_number} } += $_->{count} for @{ $source->{lines} };
	}
}

my ($all, $run) = (0, 0);
printf "%-36s %6s %6s %7s  %s\n", 'file', 'lines', 'run', '', 'not run';
for my $path (sort keys %lines)
{
	my @numbers = sort { $a <=> $b } keys %{ $lines{$path} };
	my @missed = grep { !$lines{$path}{$_} } @numbers;
	$all += @numbers;
	$run += @numbers - @missed;
	printf "%-36s %6d %6d %6.1f%%  %s\n", $path, scalar @numbers, @numbers - @missed, 100 * (@numbers - @missed) / @numbers,
	  ranges(@missed);
}
printf "%-36s %6d %6d %6.1f%%\n", 'src', $all, $run, 100 * $run / $all;
exit(100 * $run / $all < ($wanted // 0) ? 1 : 0);

# Returns numbers in order as ranges: 3-5 8.
sub ranges
{
	my @ranges;
	for my $number (@_)
	{
		if (@ranges && $ranges[-1][1] == $number - 1) { $ranges[-1][1] = $number }
		else { push @ranges, [ $number, $number ] }
	}
	return join ' ', map { $_->[0] == $_->[1] ? $_->[0] : "$_->[0]-$_->[1]" } @ranges;
}
