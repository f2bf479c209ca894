#!/usr/bin/env bash
# The benchmarks: each runs both sides in one run on one server and prints the
# ratio. `make bench` starts the server and calls this.
set -euo pipefail
cd "$(dirname "$0")"

echo "A batch against one bare SQL statement that moves the same rows (medians of 3, in turns):"
for size in "1000 10000 100" "10000 10000 500" "10000 100000 500" "10000 1000 100" "2500 100000 500"; do
    read -r workers workloads kinds <<<"$size"
    psql -X -q -v ON_ERROR_STOP=1 -v workers="$workers" -v workloads="$workloads" -v kinds="$kinds" -v runs=3 -f assign.sql
done

echo
echo "One workload at a time, committed each (of the calls after the first 20):"
for loads in 1 0; do
    for workers in 100 1000 10000 100000; do
        psql -X -q -v ON_ERROR_STOP=1 -v workers="$workers" -v calls=320 -v loads="$loads" -f schedule.sql
    done
done
