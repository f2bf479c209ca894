#!/usr/bin/env bash
# History: what recording costs beside a bare INSERT into a table of the same
# columns and indexes, and how long it takes to read, roll up and forget what
# 1,000 workers reported in ten days.
#
#   history.sh [rows]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=bench/lib.sh
. ./lib.sh

readonly rows=${1:-10000000} seconds=4
readonly load='{"cpu_utilization": 10, "memory_utilization": 20, "gpu_utilization": 30, "io_utilization": 40, "network_utilization": 50}'

cat >"$scratch/record.sql" <<SQL
SELECT hwsched.record_resource_utilization('worker-' || :client_id::int, '$load', pool => 'bench_history');
SQL
cat >"$scratch/report.sql" <<SQL
SELECT hwsched.update_load('worker-' || :client_id::int, '$load', 'bench_history');
SQL
cat >"$scratch/bare.sql" <<SQL
INSERT INTO public.bench_load (pool, worker_id, at, cpu_utilization, memory_utilization, gpu_utilization, io_utilization, network_utilization)
VALUES ('bench_history', 'worker-' || :client_id::int, now(), 10, 20, 30, 40, 50);
SQL

make_pool() {
	sql >/dev/null <<'SQL'
SET client_min_messages = warning;
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_history';
SELECT hwsched.create_pool('bench_history');
SELECT count(hwsched.register_worker('worker-' || i, '{"cpu_cores": 8}', 'bench_history')) FROM generate_series(0, 999) i;
SELECT hwsched.maintain('bench_history');
DROP TABLE IF EXISTS public.bench_load;
CREATE TABLE public.bench_load (LIKE hwsched.load_history);
CREATE INDEX ON public.bench_load (pool, worker_id, at);
CREATE INDEX ON public.bench_load USING brin (pool, at) WITH (pages_per_range = 32);
SQL
}

# rate <script>: transactions per second of eight clients, each call a transaction.
rate() {
	client "$1" -c "$clients" -j 2 -T "$seconds"
	sed -nE 's/^tps = ([0-9]+).*/\1/p' "$scratch/out"
}

# within <statement>: milliseconds of a statement, its transaction rolled back.
within() {
	sql -c '\timing on' -c "BEGIN; $1; ROLLBACK" | sed -nE 's/^Time: ([0-9.]+) ms.*/\1/p'
}

# show <what> <ours> <bare>: both in milliseconds.
show() { awk -v what="$1" -v ours="$2" -v bare="$3" -v wanted="${4:-}" 'BEGIN { printf "%-62s %10.4f ms, bare INSERT %.4f ms: %.2f times%s\n", what, ours, bare, ours / bare, wanted }'; }

compare_calls() {
	local ours=() bare=() reports=()
	for _ in 1 2 3; do
		ours+=("$(rate record)")
		bare+=("$(rate bare)")
		reports+=("$(rate report)")
	done
	local plain
	plain=$(median "${bare[@]}")
	show "record_resource_utilization(), each call a transaction" "$(awk -v r="$(median "${ours[@]}")" 'BEGIN { print 8000 / r }')" "$(awk -v r="$plain" 'BEGIN { print 8000 / r }')" "   wanted: 1.50"
	show "update_load(), which also renews what decisions see" "$(awk -v r="$(median "${reports[@]}")" 'BEGIN { print 8000 / r }')" "$(awk -v r="$plain" 'BEGIN { print 8000 / r }')"
}

compare_within() {
	local ours=() bare=() loaded=() plain=()
	local made="SELECT jsonb_build_object('resource_utilization', (SELECT jsonb_object_agg('worker-' || w, (SELECT jsonb_agg(jsonb_build_array(now() - i * interval '1 s', '$load'::jsonb)) FROM generate_series(1, 200) i)) FROM generate_series(0, 99) w)) AS document"
	sql -c 'DROP TABLE IF EXISTS public.bench_document' -c "CREATE TABLE public.bench_document AS $made" >/dev/null 2>&1
	for _ in 1 2 3; do
		ours+=("$(within "DO 'BEGIN FOR i IN 1 .. 20000 LOOP PERFORM hwsched.record_resource_utilization(''worker-'' || i % 1000, ''$load'', pool => ''bench_history''); END LOOP; END'")")
		bare+=("$(within "DO 'BEGIN FOR i IN 1 .. 20000 LOOP INSERT INTO public.bench_load (pool, worker_id, at, cpu_utilization, memory_utilization, gpu_utilization, io_utilization, network_utilization) SELECT ''bench_history'', ''worker-'' || i % 1000, now(), u.cpu_utilization, u.memory_utilization, u.gpu_utilization, u.io_utilization, u.network_utilization FROM jsonb_to_record(''$load'') AS u (cpu_utilization float8, memory_utilization float8, gpu_utilization float8, io_utilization float8, network_utilization float8); END LOOP; END'")")
		loaded+=("$(within "SELECT hwsched.load_history(document, 'bench_history') FROM public.bench_document")")
		plain+=("$(within "INSERT INTO public.bench_load (pool, worker_id, at, cpu_utilization, memory_utilization, gpu_utilization, io_utilization, network_utilization) SELECT 'bench_history', w.key, (e -> 0 #>> '{}')::timestamptz, u.* FROM public.bench_document, jsonb_each(document -> 'resource_utilization') w, jsonb_array_elements(w.value) e, jsonb_to_record(e -> 1) AS u (cpu_utilization float8, memory_utilization float8, gpu_utilization float8, io_utilization float8, network_utilization float8)")")
	done
	show "record_resource_utilization(), 20,000 in one transaction" "$(awk -v t="$(median "${ours[@]}")" 'BEGIN { print t / 20000 }')" "$(awk -v t="$(median "${bare[@]}")" 'BEGIN { print t / 20000 }')"
	show "load_history(), 20,000 of one document" "$(awk -v t="$(median "${loaded[@]}")" 'BEGIN { print t / 20000 }')" "$(awk -v t="$(median "${plain[@]}")" 'BEGIN { print t / 20000 }')"
}

echo "Recording (medians of 3, in turns), and $rows utilizations of ten days:"
make_pool
compare_calls
compare_within
sql -c "DROP TABLE public.bench_load, public.bench_document" >/dev/null
psql -X -q -v ON_ERROR_STOP=1 -v rows="$rows" -f history.sql
