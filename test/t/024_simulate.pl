# What simulate() says would become of work becomes of it: the same work, driven through SQL in
# the simulation's order of events, gets every device that the simulation gave it.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Hwsched;
use PostgreSQL::Test::Utils;
use Test::More;

my $workloads = $ENV{SIMULATED} // 500;
my $node = new_node('simulate');
$node->safe_psql('postgres', 'CREATE EXTENSION hwsched');
$node->safe_psql('postgres', slurp_file("$FindBin::Bin/simulate.sql"));
my %worlds = (
	'hardware alone' => '{"reservations": 0}',
	'a sum of algorithms' => '{"reservations": 0, "policy": {"hardware_aware": 0.5, "packing": 0.3, "round_robin": 0.2}}',
	'fragmentation' => '{"reservations": 0, "policy": {"fragmentation": 1}}',
	'accelerators not spared' => '{"reservations": 0, "spare_accelerators": false}',
	'limits' => '{"reservations": 0, "limits": {"key": {"concurrent": 2}}}',
	'reservations' => '{}',
	'optimal' => '{"reservations": 0, "solver": "optimal"}');
for my $world (sort keys %worlds)
{
	# those that decide anew each time, or in one transaction, are slow
	my $n = $world =~ /^(fragmentation|optimal|reservations)$/ ? int($workloads / 3) : $workloads;
	my $different = $node->safe_psql('postgres', "CALL drive($n, '$worlds{$world}'); SELECT * FROM different LIMIT 5");
	is($different, '', "$world: $n workloads are placed as they were simulated");
	is($node->safe_psql('postgres', 'SELECT count(*) > 0 FROM simulated WHERE started_at > submitted_at'), 't', '... and some had to wait');
}
done_testing();
