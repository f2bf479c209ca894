#!/usr/bin/env bash
# A day of work through one pool: eight workers submit workloads in batches of
# 1,000, claim and complete them by 100, and each second they are assigned.  How
# much larger are tables and indexes then than what is in them?
#
#   churn.sh [workloads]      1,000,000; 10,000,000 are a day of 115 a second
#
# Autovacuum does what it does, but as the day passes in minutes it looks each
# second for something to do instead of each minute.
#
# What is in them is what VACUUM FULL leaves.  Of the queue and the like, which
# are empty then, it is what as many rows take as there were at the peak: they
# are made once more.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=bench/lib.sh
. ./lib.sh

readonly total=${1:-1000000} batch=1000 backlog=50000

# Each client completes as many as it submits, so the backlog stays.
cat >"$scratch/churn.sql" <<SQL
\set n :n + 1
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', format('churn-%s-%s-%s', :client_id::int, :n::int, i), 'test_type', (ARRAY['vision', 'nlp', 'audio', 'training', 'inference'])[1 + i % 5], 'minimum_memory', i % 20 / 10.0, 'priority', 1 + i % 5)) FROM generate_series(1, $batch) i), 'bench_cycle');
SQL
for ((i = 0; i < batch / 100; i++)); do
	cat <<-'SQL'
		SELECT coalesce(array_agg(assignment_id), '{}') AS assignments FROM hwsched.claim('worker-' || :client_id::int, 100, pool => 'bench_cycle') \gset
		SELECT hwsched.complete_many(:assignments::bigint[], 'bench_cycle');
	SQL
done >>"$scratch/churn.sql"

# How many rows there are at most of what comes and goes.
cat >"$scratch/peak.sql" <<'SQL'
UPDATE public.bench_peak SET rows = greatest(rows, n) FROM (
    SELECT 'pending' AS name, count(*) AS n FROM hwsched.pending WHERE pool = 'bench_cycle'
    UNION ALL SELECT 'unsettled', count(*) FROM hwsched.unsettled WHERE pool = 'bench_cycle'
    UNION ALL SELECT 'live', count(*) FROM hwsched.assignment WHERE pool = 'bench_cycle' AND finished_at IS NULL) now
WHERE now.name = bench_peak.name AND n > rows;
\sleep 2 s
SQL

# submit <first> <count>: more workloads, in one call.
submit() {
	sql -v first="$1" -v count="$2" >/dev/null <<-'SQL'
		SELECT hwsched.submit_many(jsonb_agg(jsonb_build_object('test_id', format('more-%s', i), 'test_type',
		    (ARRAY['vision', 'nlp', 'audio', 'training', 'inference'])[1 + i % 5], 'minimum_memory', i % 20 / 10.0,
		    'priority', 1 + i % 5)), 'bench_cycle') FROM generate_series(:first, :first + :count - 1) i;
	SQL
}

# sizes <name>: keeps the size of every table and index of the schema.
sizes() {
	sql -v name="$1" >/dev/null <<-'SQL'
		INSERT INTO public.bench_size SELECT :'name', coalesce(i.indrelid, c.oid)::regclass, c.oid::regclass,
		    pg_relation_size(c.oid) + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0)
		FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
		WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'i');
	SQL
}

leave_churn() {
	sql -c "ALTER SYSTEM RESET autovacuum_naptime" -c "SELECT pg_reload_conf()" >/dev/null
	leave
}

make_pool 100000
trap leave_churn EXIT
sql -c "ALTER SYSTEM SET autovacuum_naptime = '1 s'" -c "SELECT pg_reload_conf()" >/dev/null
sql >/dev/null <<'SQL'
SET client_min_messages = warning;
DROP TABLE IF EXISTS public.bench_peak, public.bench_size;
CREATE TABLE public.bench_peak AS SELECT unnest(ARRAY['pending', 'unsettled', 'live']) AS name, 0::bigint AS rows;
CREATE TABLE public.bench_size (name text, tab regclass, rel regclass, bytes bigint);
VACUUM FULL;
SQL
submit 1 "$backlog"
dispatch 86400
pgbench -n -c 1 -T 86400 -f "$scratch/peak.sql" >/dev/null 2>&1 &
helpers+=($!)
began=$SECONDS
client churn -c "$clients" -j 2 -t $((total / batch / clients)) -D n=0
took=$((SECONDS - began))
end_helper "${helpers[1]}"
end_helper "$dispatcher"
# the rest of the backlog
while sql -c "SELECT hwsched.assign_pending(pool => 'bench_cycle')" >/dev/null &&
	[ "$(sql -c "SELECT sum(hwsched.complete_many(ARRAY(SELECT assignment_id FROM hwsched.claim('worker-' || i, 10000, pool => 'bench_cycle')), 'bench_cycle')) > 0
		FROM generate_series(0, $((clients - 1))) i")" = t ]; do :; done
sql -c "SELECT * FROM hwsched.maintain('bench_cycle')" >/dev/null
sizes after

# the same number of rows as at the peak, in packed tables
sql -c "VACUUM FULL"
sizes packed
read -r pending unsettled live < <(sql -F ' ' -c "SELECT max(rows) FILTER (WHERE name = 'pending'), max(rows) FILTER (WHERE name = 'unsettled'),
	max(rows) FILTER (WHERE name = 'live') FROM public.bench_peak")
submit $((backlog + 1)) "$pending"
sizes peak
if [ "$live" -gt "$pending" ]; then submit $((backlog + pending + 1)) $((live - pending)); fi
sql -c "SELECT hwsched.assign_pending(pool => 'bench_cycle')" >/dev/null
sizes peak
sql -c "SELECT hwsched.complete_many(ARRAY(SELECT assignment_id FROM hwsched.claim('worker-' || i, $((unsettled / clients + 1)), pool => 'bench_cycle')), 'bench_cycle')
	FROM generate_series(0, $((clients - 1))) i" >/dev/null
sizes peak

printf '%d workloads through one pool in %d s (%d /s), at the peak %d pending, %d live, %d completed and not settled.\n' \
	"$total" "$took" "$((total / (took > 0 ? took : 1)))" "$pending" "$live" "$unsettled"
echo "Tables with their indexes, and all that is in them; the target is at most 2:"
sql <<'SQL'
CREATE TEMP TABLE result AS
SELECT tab, rel, max(bytes) FILTER (WHERE name = 'after') AS bytes,
       -- the peak counts only where all else has gone
       CASE WHEN max(bytes) FILTER (WHERE name = 'packed') <= 8192 OR rel::text ~ '_live$|_concurrency$' THEN max(bytes)
            FILTER (WHERE name <> 'after') ELSE max(bytes) FILTER (WHERE name = 'packed') END AS live
FROM public.bench_size GROUP BY tab, rel;
SELECT format('%-33s %9s MB   live %9s MB  %6s', what, round(bytes / 1e6, 1), round(live / 1e6, 1), round(bytes / live, 2))
FROM (SELECT tab::text AS tab, 0 AS level, tab::text AS what, sum(bytes) AS bytes, sum(live) AS live FROM result GROUP BY tab
      UNION ALL SELECT tab::text, CASE WHEN tab = rel THEN 1 ELSE 2 END,
                       '  ' || CASE WHEN tab = rel THEN 'table' ELSE replace(rel::text, 'hwsched.', '') END, bytes, live FROM result) r
WHERE tab IN (SELECT tab::text FROM result GROUP BY tab HAVING sum(bytes) >= 1e6)
ORDER BY tab, level, what;
SELECT format('%-33s %9s MB', 'all smaller ones together', round(sum(bytes) / 1e6, 1))
FROM (SELECT sum(bytes) AS bytes FROM result GROUP BY tab HAVING sum(bytes) < 1e6) r;
SELECT hwsched.drop_pool('bench_cycle') \g /dev/null
DROP TABLE public.bench_peak, public.bench_size;
SQL
