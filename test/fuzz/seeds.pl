# Writes the JSON objects that stand in SQL files as seeds of document_fuzz: a
# byte that chooses the document, then the text.
#   perl seeds.pl <directory> <file.sql>...
use strict;
use warnings;

my $directory = shift;
my %seen;
local $/;
for my $file (@ARGV)
{
	open my $in, '<', $file or die "$file: $!";
	my $sql = <$in>;
	while ($sql =~ /'(\{(?:[^']|'')*\})'/g)
	{
		(my $document = $1) =~ s/''/'/g;
		$seen{$document} = 1 if length $document < 2000;
	}
}
my $n = 0;
for my $document (sort keys %seen)
{
	# in turn, not each as all: the fuzzer changes the byte by itself
	for my $kind (0, 3, 1 + $n % 7)
	{
		open my $out, '>', sprintf('%s/%04d', $directory, $n++) or die "$directory: $!";
		print $out chr($kind), $document;
	}
}
