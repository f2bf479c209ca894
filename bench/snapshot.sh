#!/usr/bin/env bash
# What an old snapshot does to the cycle: another session holds a REPEATABLE READ
# snapshot open for a minute, so that no dead row can be removed.  Beside it the
# same cycle in plain SQL.
#
#   snapshot.sh [seconds]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=bench/lib.sh
. ./lib.sh

readonly seconds=${1:-60} slice=10

# held <script>: prints the rate of a slice without, and of each slice with the snapshot.
held() {
	settle_down
	case $1 in cycle_*) dispatch 86400 ;; esac
	(
		sleep "$slice"
		exec psql -X -q >/dev/null <<-SQL
			BEGIN ISOLATION LEVEL REPEATABLE READ;
			SELECT count(*) FROM pg_class;
			SELECT pg_sleep($seconds);
		SQL
	) &
	helpers+=($!)
	client "$1" -c "$clients" -j 2 -T $((slice + seconds)) -P "$slice"
	case $1 in cycle_*) end_helper "$dispatcher" ;; esac
	awk '/^progress/ { printf "%s ", $4 } END { print "" }' "$scratch/errors"
}

# show <what> <rates...>
show() {
	printf '%-28s' "$1"
	shift
	printf ' %7.0f' "$@"
	awk -v first="$1" -v last="${*: -1}" 'BEGIN { printf "   %.2f of undisturbed\n", last / first }'
}

make_documents $(((slice + seconds) * 6000))
fill_queue
read -ra plain < <(held lease_1)
fill_pool 20000
read -ra ours < <(held cycle_1)
drop_all
echo "By one, $clients clients, a snapshot held open after $slice s: rates in slices of $slice s; ours is to keep 0.50"
show "claim(), complete()" "${ours[@]}"
show "plain SQL: lease, delete" "${plain[@]}"
