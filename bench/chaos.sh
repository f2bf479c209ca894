#!/usr/bin/env bash
# What goes wrong every day, while eight workers claim and complete by one and as
# much is submitted: how much is finished each second before, meanwhile and
# after, and is each workload that was submitted finished exactly once?  Beside
# it a queue in plain SQL, and pgmq where it is there.
#
#   chaos.sh [seconds of a phase [disturbance...]]
#
# Fails where hwsched comes back to less than 98 % of its rate before, loses
# anything or finishes it twice.  Restarts the server, on whose machine it has
# to run as the user whose the server is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=bench/lib.sh
. ./lib.sh

readonly known="undisturbed restart kills idle deaths horizon holder readers overload burst"
readonly seconds=${1:-4} wanted=0.98
# A disturbance that seems not to be over is tried again: the weather changes, a
# cliff stays.
readonly tries=3
readonly backlog=30000 lease=3
read -ra disturbances <<<"${*:2}"
if [ ${#disturbances[@]} = 0 ]; then read -ra disturbances <<<"$known"; fi
for name in "${disturbances[@]}"; do
	if [[ " $known " != *" $name "* ]]; then
		echo "chaos.sh: no such disturbance: $name (there are: ${known// /, })" >&2
		exit 2
	fi
done

declare -A what=(
	[undisturbed]="nothing"
	[restart]="the server stops at once and starts"
	[kills]="a worker's session is terminated, 10 a second"
	[idle]="300 idle connections"
	[deaths]="a worker dies with 10 leases, twice a second"
	[horizon]="a transaction is idle and keeps its snapshot"
	[holder]="a transaction is idle and keeps what it decided"
	[readers]="four readers under REPEATABLE READ"
	[overload]="20,000 more are submitted each second"
	[burst]="100,000 more are submitted in one call"
)

# --- what clients repeat; each statement is a transaction of its own ---

# What is submitted and what is finished is noted in the same transactions.
readonly sent="WITH sent AS (INSERT INTO public.bench_sent SELECT 'job-' || nextval('public.bench_no') FROM generate_series(1, :n) RETURNING id)"
readonly job="jsonb_build_object('test_id', id, 'test_type', 'vision', 'minimum_memory', 0.5, 'priority', 2, 'retries', 1000)"
cat >"$scratch/send_hwsched.sql" <<SQL
$sent SELECT hwsched.submit_many(jsonb_agg($job), 'bench_cycle') FROM sent;
SQL
cat >"$scratch/send_lease.sql" <<SQL
$sent INSERT INTO public.bench_queue (pool, priority, payload) SELECT 'bench_cycle', 2, $job FROM sent;
SQL
cat >"$scratch/send_pgmq.sql" <<SQL
$sent SELECT count(m) FROM pgmq.send_batch('bench_cycle', ARRAY(SELECT $job FROM sent)) m;
SQL
for side in hwsched lease pgmq; do
	cat - "$scratch/send_$side.sql" <<-SQL >"$scratch/feed_$side.sql"
		SELECT (SELECT last_value FROM public.bench_no) - (SELECT last_value FROM public.bench_finished_no_seq) < $backlog AS low \gset
		\if :low
	SQL
	printf '\\else\n\\sleep 20 ms\n\\endif\n' >>"$scratch/feed_$side.sql"
done

cat >"$scratch/work_hwsched.sql" <<'SQL'
SELECT coalesce(max(assignment_id), 0) AS assignment, max(workload_id) AS workload FROM hwsched.claim('worker-' || :worker::int, 1, pool => 'bench_cycle') \gset
\if :assignment > 0
INSERT INTO public.bench_finished (id) SELECT :workload::text FROM hwsched.complete(:assignment::bigint, NULL, 'bench_cycle');
\else
\sleep 10 ms
\endif
SQL
# who has lost a lease finds another number of attempts
cat >"$scratch/work_lease.sql" <<SQL
WITH leased AS (UPDATE public.bench_queue SET lease_until = now() + interval '$lease s', attempts = attempts + 1 WHERE ctid = (SELECT ctid FROM public.bench_queue WHERE pool = 'bench_cycle' AND lease_until < now() ORDER BY priority, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING priority, id, attempts) SELECT coalesce(max(id), 0) AS id, max(priority) AS priority, max(attempts) AS attempts FROM leased \gset
\if :id > 0
WITH gone AS (DELETE FROM public.bench_queue WHERE pool = 'bench_cycle' AND priority = :priority::smallint AND id = :id::bigint AND attempts = :attempts::int RETURNING payload) INSERT INTO public.bench_finished (id) SELECT payload ->> 'test_id' FROM gone;
\else
\sleep 10 ms
\endif
SQL
cat >"$scratch/work_pgmq.sql" <<SQL
SELECT coalesce(max(msg_id), 0) AS id, max(message ->> 'test_id') AS workload FROM pgmq.read('bench_cycle', $lease, 1) \gset
\if :id > 0
INSERT INTO public.bench_finished (id) SELECT :workload::text FROM pgmq.delete('bench_cycle', :id::bigint) gone WHERE gone;
\else
\sleep 10 ms
\endif
SQL

# who dies has claimed and does no more
cat >"$scratch/take_hwsched.sql" <<'SQL'
SELECT count(*) FROM hwsched.claim('worker-' || :worker::int, :n, pool => 'bench_cycle');
SQL
cat >"$scratch/take_lease.sql" <<SQL
UPDATE public.bench_queue SET lease_until = now() + interval '$lease s', attempts = attempts + 1 WHERE ctid = ANY (ARRAY(SELECT ctid FROM public.bench_queue WHERE pool = 'bench_cycle' AND lease_until < now() ORDER BY priority, id LIMIT :n FOR UPDATE SKIP LOCKED));
SQL
cat >"$scratch/take_pgmq.sql" <<SQL
SELECT count(*) FROM pgmq.read('bench_cycle', $lease, :n);
SQL

# what is left in the end
cat >"$scratch/drain_hwsched.sql" <<SQL
SELECT hwsched.assign_pending(pool => 'bench_cycle');
SELECT * FROM hwsched.maintain('bench_cycle');
SELECT format('WITH c AS MATERIALIZED (SELECT coalesce(array_agg(assignment_id), ''{}'') AS a, array_agg(workload_id) AS w FROM hwsched.claim(%L, 100000, false, ''bench_cycle'')) INSERT INTO public.bench_finished (id) SELECT unnest(w) FROM c, hwsched.complete_many(c.a, ''bench_cycle'')', 'worker-' || i)
FROM generate_series(0, $((clients - 1))) i \gexec
SQL
cat >"$scratch/drain_lease.sql" <<'SQL'
WITH gone AS (DELETE FROM public.bench_queue WHERE lease_until < now() RETURNING payload) INSERT INTO public.bench_finished (id) SELECT payload ->> 'test_id' FROM gone;
SQL
cat >"$scratch/drain_pgmq.sql" <<'SQL'
WITH r AS MATERIALIZED (SELECT array_agg(msg_id) AS ids, array_agg(message ->> 'test_id') AS w FROM pgmq.read('bench_cycle', 60, 1000000)), gone AS MATERIALIZED (SELECT count(*) FROM r, pgmq.delete('bench_cycle', ids)) INSERT INTO public.bench_finished (id) SELECT unnest(w) FROM r, gone;
SQL

cat >"$scratch/connected.sql" <<'SQL'
\sleep 1 s
SQL
for side in hwsched lease pgmq; do
	case $side in
		hwsched) looked="SELECT * FROM hwsched.pool_summary" ;;
		lease) looked="SELECT count(*) FROM public.bench_queue" ;;
		pgmq) looked="SELECT * FROM pgmq.metrics('bench_cycle')" ;;
	esac
	printf 'BEGIN ISOLATION LEVEL REPEATABLE READ;\n%s;\n\\sleep 500 ms\n%s;\nCOMMIT;\n' "$looked" "$looked" >"$scratch/read_$side.sql"
done

# --- sessions ---

# keep <name> <pgbench argument...>: runs a client, and again whenever it ends, until it is told to.
keep() {
	local name=$1
	shift
	(
		trap 'kill "$(<"$scratch/$name.pid")"; exit' TERM
		while :; do
			# a worker that has just begun runs nothing, whatever another of its name ran
			case $name in hwsched_*) sql -c "SELECT FROM hwsched.heartbeat('${name/hwsched_/worker-}', '{}', 'bench_cycle')" || true ;; esac
			PGAPPNAME=bench_${name%_*} pgbench -n -M prepared "$@" &
			echo $! >"$scratch/$name.pid"
			wait $! || true
			sleep 0.1
		done
	) >/dev/null 2>&1 &
	helpers+=($!)
}

end_helpers() {
	local pid
	for pid in "${helpers[@]}"; do end_helper "$pid"; done
	helpers=()
}

restart() {
	pg_ctl restart -s -w -m "$1" -D "$data" -l "$data/chaos.log"
}

# sleep_until <moment>: in seconds since 1970, as moment() has it.
moment() { date +%s.%N; }
after() { awk -v t="$1" -v more="$2" 'BEGIN { printf "%.6f", t + more }'; }
sleep_until() { sleep "$(awk -v t="$1" -v now="$(moment)" 'BEGIN { print (t > now ? t - now : 0) }')"; }

# --- disturbances, each of $seconds at most; $1: side ---

# until_over <interval> <command...>: repeats it, by turns of $i.
until_over() {
	local interval=$1 i over=$((SECONDS + seconds))
	shift
	for ((i = 0; SECONDS < over; i++)); do
		"$@" "$i"
		sleep "$interval"
	done
}

terminate_one() {
	sql -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'bench_$side' ORDER BY random() LIMIT 1" >/dev/null
}

kill_one() {
	local worker=$(($1 % clients))
	kill -KILL "$(<"$scratch/${side}_$worker.pid")" 2>/dev/null || true
	sql -v worker="$worker" -v n=10 -f "$scratch/take_$side.sql" >/dev/null
}

# idle_with <begin> <statement>: an open transaction.
idle_with() {
	printf '%s;\n%s;\n\\! sleep %s\nCOMMIT;\n' "$1" "$2" "$seconds" | sql >/dev/null
}

disturb_undisturbed() { :; }
disturb_restart() { restart immediate; }
disturb_kills() { until_over 0.1 terminate_one; }
disturb_idle() { pgbench -n -c 300 -T "$seconds" -f "$scratch/connected.sql" >/dev/null 2>&1 || true; }
disturb_deaths() { until_over 0.5 kill_one; }
disturb_horizon() { idle_with "BEGIN ISOLATION LEVEL REPEATABLE READ" "SELECT count(*) FROM public.bench_sent"; }
disturb_holder() {
	case $side in
		hwsched) idle_with BEGIN "SELECT hwsched.assign_pending(pool => 'bench_cycle')" ;;
		*) idle_with BEGIN "$(sed 's/:n/1000/; s/;$//' "$scratch/take_$side.sql")" ;;
	esac
}
disturb_readers() { pgbench -n -c 4 -T "$seconds" -f "$scratch/read_$side.sql" >/dev/null; }
disturb_overload() { pgbench -n -c 4 -R 20 -T "$seconds" -D n=1000 -f "$scratch/send_$side.sql" >/dev/null; }
disturb_burst() { sql -v n=100000 -f "$scratch/send_$side.sql" >/dev/null; }

# --- a round ---

make_hwsched() {
	make_pool 4000
	sql -c "SELECT hwsched.alter_pool('bench_cycle', '{\"lease\": \"$lease s\"}')" >/dev/null
}
make_lease() { make_queue; }

make_ledger() {
	sql >/dev/null <<-'SQL'
		SET client_min_messages = warning;
		DROP TABLE IF EXISTS public.bench_sent, public.bench_finished;
		DROP SEQUENCE IF EXISTS public.bench_no;
		CREATE SEQUENCE public.bench_no CACHE 100;
		CREATE TABLE public.bench_sent (id text);
		CREATE TABLE public.bench_finished (no bigint GENERATED ALWAYS AS IDENTITY, id text, at timestamptz DEFAULT clock_timestamp());
	SQL
}

lost() { sql -c "SELECT count(*) FROM (SELECT id FROM public.bench_sent EXCEPT SELECT id FROM public.bench_finished) l"; }

# drain: finishes what is left, leases that have to run out included.
drain() {
	local over=$((SECONDS + 30))
	while sql -f "$scratch/drain_$side.sql" >/dev/null && [ "$(lost)" != 0 ] && [ "$SECONDS" -lt "$over" ]; do sleep 0.2; done
}

# disturb <name> <side>: sets $result: rates before, during, after; lost; doubled.
disturb() {
	local name=$1 worker began ended
	side=$2
	make_ledger
	"make_$side"
	sql -v n="$backlog" -f "$scratch/send_$side.sql" >/dev/null
	if [ "$side" = hwsched ]; then sql -c "SELECT hwsched.assign_pending(pool => 'bench_cycle')" >/dev/null; fi
	settle_down
	if [ "$side" = hwsched ]; then keep dispatch -c 1 -T 1000 -f "$scratch/dispatch.sql"; fi
	keep feed -c 1 -T 1000 -D n=1000 -f "$scratch/feed_$side.sql"
	for ((worker = 0; worker < clients; worker++)); do
		keep "${side}_$worker" -c 1 -T 1000 -D worker="$worker" -f "$scratch/work_$side.sql"
	done
	began=$(after "$(moment)" 3)
	sleep_until "$(after "$began" "$seconds")"
	"disturb_$name"
	sleep_until "$(after "$began" $((2 * seconds)))"
	# some take a moment more than their time: 300 sessions do not end at once
	ended=$(moment)
	sleep_until "$(after "$ended" $((seconds + 2)))"
	end_helpers
	drain
	result=$(sql -F ' ' -v t="$began" -v u="$ended" -v s="$seconds" <<-'SQL'
		SELECT round(count(*) FILTER (WHERE at >= t AND at < t + s) / :s), round(count(*) FILTER (WHERE at >= t + s AND at < u) / (:u - :t - :s)),
		    round(count(*) FILTER (WHERE at >= u + interval '2 s' AND at < u + interval '2 s' + s) / :s),
		    (SELECT count(*) FROM (SELECT id FROM public.bench_sent EXCEPT SELECT id FROM public.bench_finished) l), count(*) - count(DISTINCT id)
		FROM public.bench_finished, (SELECT to_timestamp(:t) AS t, to_timestamp(:u) AS u, interval '1 s' * :s AS s) phase;
	SQL
	)
}

leave_chaos() {
	end_helpers
	if sql -c "ALTER SYSTEM RESET max_connections"; then restart fast || true; fi
	leave
}

sides=(hwsched lease)
if has_pgmq; then sides+=(pgmq); fi
data=$(sql -c "SHOW data_directory")
trap leave_chaos EXIT
sql -c "ALTER SYSTEM SET max_connections = 400"
restart fast

status=0
echo "PostgreSQL $(sql -c "SHOW server_version"), $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1):"
echo "Finished each second by $clients clients: for $seconds s before, for $seconds s of a disturbance at least, for $seconds s from 2 s after it on:"
printf '%-48s %-8s %7s %7s %7s %9s %5s %7s\n' disturbance side before during after recovered lost doubled
for name in "${disturbances[@]}"; do
	for chosen in "${sides[@]}"; do
		for ((try = 1; try <= tries; try++)); do
			disturb "$name" "$chosen"
			read -r before during late lost doubled <<<"$result"
			recovered=$(awk -v a="$late" -v b="$before" 'BEGIN { printf "%.2f", (b > 0 ? a / b : 0) }')
			printf '%-48s %-8s %7d %7d %7d %9s %5d %7d\n' "${what[$name]}" "${chosen/lease/plain}" "$before" "$during" "$late" "$recovered" "$lost" "$doubled"
			if [ "$chosen" != hwsched ]; then break; fi
			if [ "$lost" != 0 ] || [ "$doubled" != 0 ]; then status=1; fi
			if awk -v a="$late" -v b="$before" -v wanted="$wanted" 'BEGIN { exit a < b * wanted }'; then break; fi
			if [ "$try" = "$tries" ]; then status=1; fi
		done
	done
done
sql -c "DROP TABLE public.bench_sent, public.bench_finished" -c "DROP SEQUENCE public.bench_no"
drop_all
if [ "$status" != 0 ]; then echo "missed: hwsched recovers to less than $wanted, or something was lost or finished twice" >&2; fi
exit "$status"
