#!/usr/bin/env perl
# Prints the relative links of some Markdown files that lead nowhere: to a file
# that is not there, or to a heading that the file does not have.
use strict;
use warnings;
use File::Basename qw(dirname);

# The anchors that GitHub gives the headings of a file.
my %known;
sub anchors
{
	my ($file) = @_;
	return $known{$file} if $known{$file};
	my (%anchors, $code);
	open my $in, '<:encoding(UTF-8)', $file or return {};
	while (my $line = <$in>)
	{
		$code = !$code if $line =~ /^```/;
		next if $code || $line !~ /^#+ +(.*?)\s*$/;
		(my $anchor = lc $1) =~ s/[^\w\- ]//g;
		$anchor =~ tr/ /-/;
		my $same = $anchors{$anchor}++;
		$anchors{"$anchor-$same"} = 1 if $same;
	}
	return $known{$file} = \%anchors;
}

my $bad = 0;
for my $file (@ARGV)
{
	my $code;
	open my $in, '<:encoding(UTF-8)', $file or die "$file: $!\n";
	while (my $line = <$in>)
	{
		$code = !$code if $line =~ /^```/;
		next if $code;
		while ($line =~ /\]\(([^)\s]+)\)/g)
		{
			my $link = $1;
			my ($path, $anchor) = split /#/, $link, 2;
			next if $path =~ /^\w+:/;
			my $target = $path eq '' ? $file : dirname($file) . "/$path";
			1 while $target =~ s{[^/]+/\.\./}{};
			next if -e $target && (!defined $anchor || anchors($target)->{$anchor});
			print "$file:$.: $link\n";
			$bad = 1;
		}
	}
}
exit $bad;
