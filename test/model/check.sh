#!/usr/bin/env bash
# Has spin check protocol.pml in every order of its steps, for a few sessions at
# a time, and refute its mutants.  Prints TAP.
set -euo pipefail
model=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Which sessions run together, and on how much.
declare -A sessions=(
	[batch]="-DCLAIMS=0 -DALSO_CLAIMS=1 -DASSIGNS"
	[leases]="-DCLAIMS=0 -DALSO_CLAIMS=1 -DMAINTAINS"
	[silence]="-DCLAIMS=0 -DALSO_CLAIMS=1 -DASSIGNS -DMAINTAINS -DSILENCES=1 -DATTEMPTS=1"
	[cancel]="-DCLAIMS=0 -DALSO_CLAIMS=1 -DASSIGNS -DCANCELS"
	[many]="-DCLAIMS=0 -DCOMPLETES_MANY -DMAINTAINS -DCAPACITY=2 -DATTEMPTS=1"
	[move]="-DCLAIMS=0 -DALSO_CLAIMS=1 -DASSIGNS -DMOVES -DCAPACITY=2 -DATTEMPTS=1"
	[lower]="-DCLAIMS=0 -DALSO_CLAIMS=0 -DASSIGNS -DLOWERS -DCAPACITY=2"
	[progress]="-DCLAIMS=0 -DALSO_CLAIMS=1 -DASSIGNS -DMAINTAINS -DATTEMPTS=1 -DLOSSES=false -DWAITERS=5 -DPROGRESS"
)
# the longest first
configurations="progress cancel leases silence lower move batch many"

# Where each mutant does harm.
mutants="
COMPLETE_UNCHECKED leases
CLAIM_LOCKED cancel
SETTLE_TWICE batch
REQUEUE_HELD leases
END_UNCHECKED leases
CANCEL_UNSETTLED cancel
EVICT_UNSETTLED silence
SILENT_MISSED silence
EXCEEDING_ONCE lower
LOCK_UNHELD leases
LOCK_UNORDERED many
LEASE_FOR_EVER progress
DEATH_EARLY leases
RETRY_FOR_EVER leases"

# explore <name> <flag...>: leaves in the file <name> what spin has found
explore() {
	local name=$1 kind=-DSAFETY how=
	shift
	case $* in *PROGRESS*) kind=-DNFAIR=3 how="-a -f" ;; esac
	mkdir "$name.d"
	cd "$name.d"
	# shellcheck disable=SC2086 # a list of words
	{
		spin -a "$@" "$model/protocol.pml" &&
			gcc -w -O0 "$kind" -DCOLLAPSE -DMEMLIM=4000 -o pan pan.c &&
			./pan -w20 -m50000 $how
	} >"../$name" 2>&1 || true
}

number=0
# result <ok or not ok> <description> <file>
result() {
	number=$((number + 1))
	echo "$1 $number - $2"
	if [ "$1" != ok ]; then sed -n '/unreached/q; s/^/# /p' "$3"; fi
}

complete() { grep -q 'errors: 0$' "$1" && ! grep -qE 'not completed|too small' "$1"; }

# Steps that no configuration with such a session takes, but for those of mutants.
never_taken() {
	local name
	for name in $configurations; do
		sed -nE '/^unreached in (init|claim)/,$d; /^unreached in proctype/{s/.* //;h;p}; /state [0-9]+/{G;s/^\t(.*)\n(.*)/\2 \1/p}' "$name"
	done | awk 'NF == 1 { runs[$1]++; next }
		!/"-end-"|\(0==[0-9]+\)/ { proctype[$0] = $1; missed[$0]++ }
		END { for (step in missed) if (missed[step] == runs[proctype[step]]) print step }'
}

# As many at once as there are processors.
while read -r name flags; do
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n || true; done
	# shellcheck disable=SC2086 # a list of words
	explore "$name" $flags &
done < <(
	for name in $configurations; do echo "$name ${sessions[$name]}"; done
	while read -r mutant name; do
		if [ -n "$mutant" ]; then echo "$mutant ${sessions[$name]} -DMUTANT=$mutant"; fi
	done <<<"$mutants"
)
wait

for name in $configurations; do
	states=$(sed -nE 's/^ *([0-9.e+]+) states, stored.*/\1/p' "$name")
	if complete "$name"; then verdict=ok; else verdict="not ok"; fi
	result "$verdict" "$name: the protocol holds in ${states:-no} states" "$name"
done
never_taken >steps
if [ -s steps ]; then verdict="not ok"; else verdict=ok; fi
result "$verdict" "each step is taken" steps
while read -r mutant name; do
	if [ -z "$mutant" ]; then continue; fi
	found=$(sed -nE 's/^pan:[0-9]+: ([a-z]+ [a-z]+).*/\1/p' "$mutant")
	if [ -n "$found" ]; then verdict=ok; else verdict="not ok"; fi
	result "$verdict" "$mutant, $name: refuted (${found:-nothing found})" "$mutant"
done <<<"$mutants"
echo "1..$number"
