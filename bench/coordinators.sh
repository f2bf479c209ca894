#!/usr/bin/env bash
# How many coordinators get along: 1, 8 and 32 clients take one workload after
# the other through schedule(), start() and complete(), each call a transaction
# of its own, all in one pool and spread over eight.  Beside it a bare cycle on
# tables of the same shape, that a queue without any decision would need: DELETE
# from the queue and INSERT the assignment, UPDATE it as leased, UPDATE it as
# done.
set -euo pipefail

readonly seconds=3
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# The n-th workload of a client is its own, so that nobody waits for a workload.
cat >"$scratch/hwsched.sql" <<'SQL'
\set n :n + 1
\set pool 1 + :client_id % :pools
SELECT assignment_id AS assignment FROM hwsched.schedule(format('%s-%s-%s', :row::int, :client_id::int, :n::int), format('bench_%s', :pool::int)) \gset
SELECT hwsched.start(:assignment::bigint, format('bench_%s', :pool::int));
SELECT hwsched.complete(:assignment::bigint, NULL, format('bench_%s', :pool::int));
SQL
cat >"$scratch/bare.sql" <<'SQL'
\set n :n + 1
\set pool 1 + :client_id % :pools
WITH taken AS (DELETE FROM public.bare_pending WHERE pool = format('bench_%s', :pool::int) AND workload_id = format('%s-%s-%s', :row::int, :client_id::int, :n::int) RETURNING *) INSERT INTO public.bare_assignment (pool, workload_id, run, attempt, worker_id, device_nos, priority, profile_id, device_profile_id, efficiency, adjusted_efficiency, score, predicted_seconds) SELECT pool, workload_id, run, attempt, 'worker-' || queue_no % 1000, '{0}', priority, profile_id, 1, 1, 1, 1, 60 FROM taken RETURNING assignment_id AS assignment \gset
UPDATE public.bare_assignment SET state = 'running', started_at = now(), lease_until = now() + interval '1 minute' WHERE pool = format('bench_%s', :pool::int) AND assignment_id = :assignment::bigint;
UPDATE public.bare_assignment SET state = 'completed', finished_at = now(), lease_until = NULL WHERE pool = format('bench_%s', :pool::int) AND assignment_id = :assignment::bigint;
SQL

# register <pools>: fresh pools of 1,000 workers each.
register() {
	sql -v pools="$1" >/dev/null <<'SQL'
SET client_min_messages = warning;
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool LIKE 'bench%';
SELECT hwsched.create_pool('bench_' || p, '{"notify": false}') FROM generate_series(1, :pools) p;
SELECT count(hwsched.register_worker('worker-' || i,
    format('{"cpu_cores": %s, "available_memory": %s, "supported_backends": ["cpu", "cuda"]}', 8 + i % 10, 200 + i / 10 % 10)::jsonb, 'bench_' || p))
FROM generate_series(1, :pools) p, generate_series(1, 1000) i;
DROP TABLE IF EXISTS public.bare_pending, public.bare_assignment;
CREATE TABLE public.bare_pending (LIKE hwsched.pending INCLUDING ALL);
CREATE TABLE public.bare_assignment (LIKE hwsched.assignment INCLUDING ALL);
CREATE INDEX ON public.bare_pending (pool, workload_id);
SQL
}

# submit <row> <clients> <pools> <each>: so many workloads for each client.
submit() {
	sql -v row="$1" -v clients="$2" -v pools="$3" -v each="$4" >/dev/null <<'SQL'
SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', format('%s-%s-%s', :row, client, n),
    'test_type', (ARRAY['vision', 'nlp', 'audio', 'training', 'inference'])[1 + n % 5], 'minimum_memory', n % 20 / 10.0)), 'bench_' || 1 + client % :pools)
FROM generate_series(0, :clients - 1) client, generate_series(1, :each) n GROUP BY client;
TRUNCATE public.bare_pending, public.bare_assignment;
INSERT INTO public.bare_pending SELECT * FROM hwsched.pending;
VACUUM (ANALYZE);
CHECKPOINT;
SQL
}

# run <script> <row> <clients> <pools> <each>: prints cycles per second, and the
# milliseconds of a cycle: mean and 95th percentile.
run() {
	local name=$1 row=$2 clients=$3 pools=$4 each=$5
	rm -f "$scratch"/log*
	pgbench -n -M prepared -c "$clients" -j "$((clients < 2 ? clients : 2))" -t "$each" -D n=0 -D row="$row" -D pools="$pools" \
		-f "$scratch/$name.sql" --log --log-prefix="$scratch/log" >"$scratch/out" 2>"$scratch/errors" ||
		{ cat "$scratch/errors" >&2; return 1; }
	if grep -E '^number of failed transactions: [1-9]' "$scratch/out" >&2; then return 1; fi
	awk '/^latency average/ { mean = $4 } /^tps/ { tps = $3 } END { printf "%d %.2f ", tps, mean }' "$scratch/out"
	# the third column is the time of one cycle in microseconds
	sort -n -k 3,3 "$scratch"/log* | awk '{ took[NR] = $3 } END { printf "%.2f\n", took[int(1 + 0.95 * (NR - 1))] / 1000 }'
}

# How many workloads take each of the clients some seconds at a rate.
each_of() { echo "$((1 + (seconds * $2 < 30000 ? seconds * $2 : 30000) / $1))"; }

echo "Coordinators: clients that each schedule(), start() and complete() one workload after the other."
echo "A cycle is three transactions. A pool has 1,000 workers; a client keeps to one pool. x1 is the rate by that of one client,"
echo "x1p by that in one pool. Bare is the same cycle in plain SQL that decides nothing."
printf '%7s %5s %9s %6s %6s %8s %8s   %9s %6s %8s %8s   %s\n' clients pools cycles/s x1 x1p "mean ms" "p95 ms" "bare /s" x1 "mean ms" "p95 ms" "of bare"
one_pool=()
row=0
for pools in 1 8; do
	register "$pools"
	first='' bare_first='' rate=20 bare=20
	# the first row, not printed, only tells how much work there has to be
	for clients in 1 1 8 32; do
		row=$((row + 1)) each=$(each_of "$clients" "$rate") bare_each=$(each_of "$clients" "$bare")
		submit "$row" "$clients" "$pools" "$((each > bare_each ? each : bare_each))"
		read -r bare bare_mean bare_p95 < <(run bare "$row" "$clients" "$pools" "$bare_each")
		read -r rate mean p95 < <(run hwsched "$row" "$clients" "$pools" "$each")
		[ "$((row % 4))" != 1 ] || continue
		first=${first:-$rate} bare_first=${bare_first:-$bare}
		if [ "$pools" = 1 ]; then one_pool[clients]=$rate; fi
		awk "BEGIN { printf \"%7d %5d %9d %6.1f %6.1f %8.2f %8.2f   %9d %6.1f %8.2f %8.2f   %.2f\\n\", $clients, $pools,
			$rate, $rate / $first, $rate / ${one_pool[clients]}, $mean, $p95, $bare, $bare / $bare_first, $bare_mean, $bare_p95, $rate / $bare }"
	done
done
sql -c "SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool LIKE 'bench%'" -c "DROP TABLE public.bare_pending, public.bare_assignment" >/dev/null
