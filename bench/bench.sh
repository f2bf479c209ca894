#!/usr/bin/env bash
# The benchmarks, in the database that PGHOST, PGDATABASE etc. name, where the
# extension has been created; `make bench` provides one.  What is compared runs
# in one run on one server.
#
#   bench.sh                                     all but chaos, churn, energy, latency, silence, snapshot, waiting, tenants, gavel, simulate and scaling
#   bench.sh accuracy|assign|schedule|growth|full|coordinators|cycle|history...   some
#   bench.sh openb [trace [policy [seeds [solver]]]]
#   bench.sh energy [trace [policy [solver]]]
#   bench.sh cycle peers                         with graphile-worker and pg-boss
#   bench.sh full [workers...]
#   bench.sh history [rows]
#   bench.sh churn [workloads]
#   bench.sh chaos [seconds of a phase [disturbance...]]
#   bench.sh latency [seconds]
#   bench.sh silence [workers]
#   bench.sh snapshot [seconds]
#   bench.sh waiting [mean runs]
#   bench.sh tenants
#   bench.sh gavel
#   bench.sh simulate [workloads]
#   bench.sh scaling [requests]
#   bench.sh --check ...                         only whether there are such
#
# A trace is one of data/openb, or all; a policy is JSON or the name of one
# algorithm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly known="accuracy assign labels schedule coordinators cycle latency openb energy growth full history chaos churn silence snapshot waiting tenants gavel simulate scaling"
readonly usual="accuracy assign labels schedule coordinators cycle openb growth full history"
readonly traces="default cpu050 cpu100 gpushare40 gpuspec10 multigpu20"

run_sql() {
	local file=$1
	shift
	psql -X -q -v ON_ERROR_STOP=1 "$@" -f "$file"
}

# How well what is learned predicts published data; needs no database.
bench_accuracy() {
	make -s -C accuracy run
}

# In turns, so that both sides meet the same weather.
bench_assign() {
	local size workers workloads kinds
	echo "A batch against one bare SQL statement that moves the same rows (medians of 3, in turns):"
	for size in "1000 10000 100" "10000 10000 500" "10000 100000 500" "10000 1000 100" "2500 100000 500"; do
		read -r workers workloads kinds <<<"$size"
		run_sql assign.sql -v workers="$workers" -v workloads="$workloads" -v kinds="$kinds" -v runs=3
	done
}

bench_labels() {
	local size workers workloads kinds side
	echo "A batch with ten labels on each worker and conditions on half of the work, against one without (medians of 7, in turns):"
	for size in "1000 10000 100" "10000 10000 500" "2500 100000 500"; do
		read -r workers workloads kinds <<<"$size"
		run_sql labels.sql -v workers="$workers" -v workloads="$workloads" -v kinds="$kinds"
		for side in {1..7}{plain,labelled}; do
			psql -X -q -v ON_ERROR_STOP=1 -c "CALL bench_batch('${side#?}')"
		done
		psql -X -At -v ON_ERROR_STOP=1 -c "SELECT format('$workers workers, $workloads workloads of $kinds kinds: %s ms without labels, %s ms with (%s placed): %s times',
			round(plain), round(labelled), placed, round((labelled / plain)::numeric, 2))
			FROM (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE side = 'plain') AS plain,
			percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) FILTER (WHERE side = 'labelled') AS labelled,
			max(placed) FILTER (WHERE side = 'labelled') AS placed FROM bench_took) m"
	done
}

bench_schedule() {
	local loads workers
	echo "schedule() for one workload at a time, committed each (of the calls after the first 20):"
	for loads in 1 0; do
		for workers in 100 1000 10000 100000; do
			run_sql schedule.sql -v workers="$workers" -v calls=320 -v loads="$loads"
		done
	done
}

bench_growth() {
	echo "How a batch grows with the queue and with the fleet (medians of 3; its factor, and that by the one of n log n):"
	run_sql growth.sql -v fixed=10000 -v sizes='[1000, 10000, 100000]' -v runs=3 -v policies='[{"hardware_aware": 1}]'
	run_sql growth.sql -v fixed=1000 -v sizes='[1000, 10000]' -v runs=3 \
		-v policies='[{"hardware_aware": 0.7, "priority": 0.2, "round_robin": 0.1}, {"fragmentation": 1}]'
}

# With 100000 workers there are a million workloads, which takes minutes to submit.
bench_full() {
	local workers
	echo "A queue that is larger than the fleet's room, in calls of at most batch_window:"
	[ $# -gt 0 ] || set -- 1000 10000
	for workers; do
		run_sql full.sql -v workers="$workers"
	done
}

bench_coordinators() {
	bash coordinators.sh
}

bench_cycle() {
	bash cycle.sh "$@"
}

bench_history() {
	bash history.sh "$@"
}

bench_latency() {
	echo "From submitting to a worker that has it, 200 a second (twice, in turns):"
	bash latency.sh "$@"
}

bench_churn() {
	bash churn.sh "$@"
}

bench_chaos() {
	bash chaos.sh "$@"
}

bench_silence() {
	run_sql silence.sql -v workers="${1:-100000}"
}

bench_snapshot() {
	bash snapshot.sh "$@"
}

bench_waiting() {
	local durations
	echo "Work of 8 GPUs among work of one, on 4 workers of 8 at 0.9 of their capacity (waits in mean runs):"
	for durations in exponential alike; do
		run_sql waiting.sql -v durations="$durations" -v runs="${1:-100}"
	done
}

bench_tenants() {
	local solver
	echo "Tenants with weights 1 : 1 : 2 and bursts of work, on 4 workers of 8 GPUs:"
	for solver in greedy optimal; do
		run_sql tenants.sql -v solver="$solver"
	done
}

bench_gavel() {
	local run rate policy published cost failed=0
	echo "A published experiment on 36 V100, 36 P100 and 36 K80 (data/gavel), by simulate(): mean hours to completion."
	printf '%-15s %5s %10s %10s %8s\n' policy "jobs/h" published ours differs
	# regardless of performance, and by it, where work moves to what becomes free
	for run in "4.0 round_robin 25.38 null" "4.0 predicted_time 17.08 0" "5.6 predicted_time 104.12 0"; do
		read -r rate policy published cost <<<"$run"
		run_sql gavel.sql -v rate="$rate" -v policy="$policy" -v published="$published" -v move_cost="$cost" -v within=0.08 || failed=1
	done
	return $failed
}

bench_simulate() {
	local load settings
	echo "Simulated placements on 1,213 nodes (data/openb):"
	printf '%-24s %9s %6s %12s %10s %8s\n' settings workloads "GPUs %" "mean wait s" seconds "a minute"
	for load in 0.7 1.1; do
		for settings in '{}' '{"reservations": 0}' '{"policy": {"packing": 1}}'; do
			run_sql simulate.sql -v workloads="${1:-100000}" -v load="$load" -v settings="$settings"
		done
	done
}

bench_scaling() {
	local world failed=0
	if ! /usr/bin/python3 -c 'import scipy' 2>/dev/null; then
		echo "The peer is HiGHS, by SciPy: install python3-scipy." >&2
		return 1
	fi
	echo "What scaling advice costs an hour beside the bound of linear programming (HiGHS), and seconds:"
	printf '%-10s %8s %10s %10s %10s %8s %8s\n' requests count advice bound above seconds HiGHS
	for world in mixed services; do
		run_sql scaling.sql -v workloads="${1:-10000}" -v world="$world" | /usr/bin/python3 scaling.py "$world" || failed=1
	done
	return $failed
}

# replay <trace or all> <policy> <seeds> [solver]
replay() {
	local policy=$2 trace chosen=$1
	case $policy in
		'{'*) ;;
		*) policy="{\"$policy\": 1}" ;;
	esac
	if [ "$chosen" = all ]; then chosen=$traces; fi
	for trace in $chosen; do
		run_sql openb.sql -v trace="$trace" -v policy="$policy" -v seeds="$3" -v solver="${4:-greedy}"
	done
}

bench_openb() {
	echo "A published placement experiment (data/openb): tasks arrive in random order until they ask for 130 % of 6,212 GPUs."
	printf '%-10s %-50s %6s (%4s) %7s %8s %7s   %s\n' trace policy "GPUs %" sd failed arrived ms "published % (sd)"
	if [ $# -gt 0 ]; then
		replay "$1" "${2:-fragmentation}" "${3:-3}" "${4:-greedy}"
	else
		replay default hardware_aware 3
		replay default packing 3
		replay default fragmentation 3
		replay default filling 3
		replay default filling 3 optimal
		replay "${traces#default }" fragmentation 2
	fi
}

# draw <trace> <policy> <solver> <wanted saving> <wanted allocation>
draw() { run_sql energy.sql -v trace="$1" -v policy="$2" -v seed=42 -v solver="$3" -v wanted="$4" -v allocated="$5"; }

bench_energy() {
	local out
	echo "What the GPU cluster of data/openb draws while work arrives, against descent of fragmentation, seed 42;"
	echo "published (PWR, CCGrid 2025, by an independent replay): PWR:FGD 1:9 saves 13.8 % with 94.0 % allocated, PWR 14.6 % with 90.0 %."
	if [ $# -gt 0 ]; then
		draw "$1" "${2:-{\"filling\": 0.9, \"energy\": 0.1\}}" "${3:-greedy}" "" ""
		return
	fi
	out=$(
		draw default '{"filling": 0.9, "energy": 0.1}' greedy 15 95.4
		draw default '{"filling": 0.9, "energy": 0.1}' optimal 16 ""
		draw default '{"filling": 0.7, "energy": 0.3}' greedy "" ""
		draw default '{"fragmentation": 0.9, "energy": 0.1}' greedy "" ""
		draw default '{"energy": 1}' greedy "" ""
	)
	echo "$out"
	! grep -q missed <<<"$out"
}

check=no
if [ "${1:-}" = --check ]; then
	check=yes
	shift
fi
# shellcheck disable=SC2086 # a list of words
[ $# -gt 0 ] || set -- $usual
while [ $# -gt 0 ]; do
	name=$1
	shift
	case " $known " in
		*" $name "*) ;;
		*)
			echo "bench.sh: no such benchmark: $name (there are: ${known// /, })" >&2
			exit 2
			;;
	esac
	own=()
	# what follows one of these is its own, unless it is the next name
	case $name in
		openb | energy | cycle | latency | full | history | chaos | churn | silence | snapshot | waiting | simulate)
			while [ $# -gt 0 ] && [[ " $known " != *" $1 "* ]]; do
				own+=("$1")
				shift
			done
			;;
	esac
	[ "$check" = no ] || continue
	echo
	"bench_$name" "${own[@]}"
done
