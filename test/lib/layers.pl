# Checks the layers of src/ by what the object files define and refer to.
#
#   perl test/lib/layers.pl [directory of the sources and their objects]
#
# Prints nothing if all is well, else a line for each fault: a folder refers to
# one behind it, files refer to each other in a circle, or a header declares
# what another file than its own defines.
use strict;
use warnings;

my @layers = qw(support document model place store learn snapshot simulate api dispatch);
my %level = map { $layers[$_] => $_ } 0 .. $#layers;

chdir($ARGV[0] // '.') or die "no such directory: $ARGV[0]\n";
my @objects = sort glob('src/*/*.o');
die "no objects: build first\n" unless @objects;

my (%home, %uses, @faults);
for my $object (@objects)
{
	(my $file = $object) =~ s/^src\/(.*)\.o$/$1/;
	open(my $nm, '-|', 'nm', $object) or die "nm: $!\n";
	while (<$nm>)
	{
		my ($type, $name) = /([A-Za-z]) (\S+)$/ or next;
		$uses{$file}{$name} = 1 if $type eq 'U';
		$home{$name} = $file if $type =~ /[TDBRC]/;
	}
	close($nm);
}

# Folders.
my %arrows;
for my $file (sort keys %uses)
{
	my ($folder) = split m{/}, $file;
	push @faults, "$file: src/ has no layer $folder" unless exists $level{$folder};
	for my $name (sort keys %{ $uses{$file} })
	{
		my $other = $home{$name} // next;
		my ($other_folder) = split m{/}, $other;
		$arrows{$file}{$other} = $name;
		push @faults, "$file refers to $name of $other, a layer behind it"
		  if $level{$other_folder} > $level{$folder};
	}
}

# Circles: what is left after files that refer to none that is left are taken away.
my %left = %arrows;
while (my @done = grep {
		my $file = $_;
		!grep { exists $left{$_} } keys %{ $left{$file} }
	} keys %left)
{
	delete @left{@done};
}
# ... and those that nobody left refers to.
while (my @done = grep {
		my $file = $_;
		!grep { exists $left{$_}{$file} } keys %left
	} keys %left)
{
	delete @left{@done};
}
for my $file (sort keys %left)
{
	push @faults, map { "circle: $file refers to $left{$file}{$_} of $_" }
	  grep { exists $left{$_} } sort keys %{ $left{$file} };
}

# Headers.
for my $header (sort glob('src/*/*.h'))
{
	(my $file = $header) =~ s/^src\/(.*)\.h$/$1/;
	open(my $in, '<', $header) or die "$header: $!\n";
	my $text = do { local $/; <$in> };
	$text =~ s{/\*.*?\*/}{}gs;
	while ($text =~ /^(?:pg_noreturn )?extern ([^;]*);/mg)
	{
		my ($name) = $1 =~ /(\w+)\s*(?:\(|\[|$)/;
		push @faults, "$header declares $name, which $home{$name} defines"
		  if exists $home{$name} && $home{$name} ne $file;
	}
}

print "$_\n" for @faults;
exit(@faults ? 1 : 0);
