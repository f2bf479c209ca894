# shellcheck shell=bash
# What the benchmarks of the cycle share: a queue in plain SQL, eight workers of
# one pool, the scripts of their clients, and the session that dispatches.

readonly clients=8
scratch=$(mktemp -d)
helpers=()

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# end_helper <pid>: waits for a session in the background, after telling it to end.
end_helper() {
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

leave() {
	local pid
	for pid in "${helpers[@]}"; do end_helper "$pid"; done
	rm -rf "$scratch"
}
trap leave EXIT

# What clients repeat, each statement a transaction of its own.  The plain queue
# is the best of several we tried: a lease that finds its row by its address
# and changes no indexed column.
cat >"$scratch/cycle_1.sql" <<'SQL'
SELECT assignment_id AS assignment, workload_id AS workload FROM hwsched.claim('worker-' || :client_id::int, 1, pool => 'bench_cycle') \gset
SELECT hwsched.complete(:assignment::bigint, NULL, 'bench_cycle');
SQL
cat >"$scratch/cycle_100.sql" <<'SQL'
SELECT array_agg(assignment_id) AS assignments, array_agg(workload_id) AS workloads FROM hwsched.claim('worker-' || :client_id::int, 100, pool => 'bench_cycle') \gset
SELECT hwsched.complete_many(:assignments::bigint[], 'bench_cycle');
SQL
# in one transaction each: what was claimed before is completed, the next is claimed
cat >"$scratch/next_1.sql" <<'SQL'
SELECT coalesce(array_agg(assignment_id), '{}') AS assignments FROM hwsched.next('worker-' || :client_id::int, :assignments::bigint[], 1, pool => 'bench_cycle') \gset
SQL
cat >"$scratch/next_100.sql" <<'SQL'
SELECT coalesce(array_agg(assignment_id), '{}') AS assignments FROM hwsched.next('worker-' || :client_id::int, :assignments::bigint[], 100, pool => 'bench_cycle') \gset
SQL
cat >"$scratch/dispatch.sql" <<'SQL'
SELECT hwsched.assign_pending(pool => 'bench_cycle');
SELECT * FROM hwsched.maintain('bench_cycle');
\sleep 1 s
SQL
cat >"$scratch/lease_1.sql" <<'SQL'
UPDATE public.bench_queue SET lease_until = now() + interval '60 s', attempts = attempts + 1 WHERE ctid = (SELECT ctid FROM public.bench_queue WHERE pool = 'bench_cycle' AND lease_until < now() ORDER BY priority, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING priority, id, payload \gset
DELETE FROM public.bench_queue WHERE pool = 'bench_cycle' AND priority = :priority::smallint AND id = :id::bigint;
SQL
cat >"$scratch/lease_100.sql" <<'SQL'
WITH leased AS (UPDATE public.bench_queue SET lease_until = now() + interval '60 s', attempts = attempts + 1 WHERE ctid = ANY (ARRAY(SELECT ctid FROM public.bench_queue WHERE pool = 'bench_cycle' AND lease_until < now() ORDER BY priority, id LIMIT 100 FOR UPDATE SKIP LOCKED)) RETURNING priority, id, payload) SELECT array_agg(priority) AS priorities, array_agg(id) AS ids, array_agg(payload ->> 'test_id') AS workloads FROM leased \gset
DELETE FROM public.bench_queue q USING unnest(:priorities::smallint[], :ids::bigint[]) AS g (priority, id) WHERE q.pool = 'bench_cycle' AND q.priority = g.priority AND q.id = g.id;
SQL
cat >"$scratch/take_1.sql" <<'SQL'
DELETE FROM public.bench_queue WHERE ctid = (SELECT ctid FROM public.bench_queue WHERE pool = 'bench_cycle' AND lease_until < now() ORDER BY priority, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING priority, id, payload \gset
SQL
cat >"$scratch/pgmq_1.sql" <<'SQL'
SELECT msg_id AS id, message FROM pgmq.read('bench_cycle', 60, 1) \gset
SELECT pgmq.delete('bench_cycle', :id::bigint);
SQL
cat >"$scratch/pgmq_100.sql" <<'SQL'
SELECT array_agg(msg_id) AS ids, array_agg(message ->> 'test_id') AS workloads FROM pgmq.read('bench_cycle', 60, 100) \gset
SELECT count(*) FROM pgmq.delete('bench_cycle', :ids::bigint[]);
SQL

readonly document="format('{\"test_id\": \"test-%s-%s\", \"test_type\": \"vision\", \"minimum_memory\": 0.5, \"priority\": 2}', :client_id::int, :n::int)"
cat >"$scratch/submit_1.sql" <<SQL
\set n :n + 1
SELECT hwsched.submit($document::jsonb, 'bench_cycle');
SQL
cat >"$scratch/submit_1000.sql" <<'SQL'
\set n :n + 1
SELECT hwsched.submit_many(sent::jsonb, 'bench_cycle') FROM public.bench_documents WHERE batch = :n;
SQL
cat >"$scratch/submit_all.sql" <<'SQL'
SELECT hwsched.submit_many(sent::jsonb, 'bench_cycle') FROM public.bench_all;
SQL
cat >"$scratch/insert_1.sql" <<SQL
\set n :n + 1
INSERT INTO public.bench_queue (pool, priority, payload) VALUES ('bench_cycle', 2, $document::jsonb) RETURNING id;
SQL
cat >"$scratch/insert_1000.sql" <<'SQL'
\set n :n + 1
INSERT INTO public.bench_queue (pool, priority, payload) SELECT 'bench_cycle', (d ->> 'priority')::smallint, d FROM public.bench_documents, jsonb_array_elements(sent::jsonb) d WHERE batch = :n;
SQL
cat >"$scratch/insert_all.sql" <<'SQL'
INSERT INTO public.bench_queue (pool, priority, payload) SELECT 'bench_cycle', (d ->> 'priority')::smallint, d FROM public.bench_all, jsonb_array_elements(sent::jsonb) d;
SQL
cat >"$scratch/send_1.sql" <<SQL
\set n :n + 1
SELECT * FROM pgmq.send('bench_cycle', $document::jsonb);
SQL
cat >"$scratch/send_1000.sql" <<'SQL'
\set n :n + 1
SELECT count(id) FROM public.bench_documents, pgmq.send_batch('bench_cycle', ARRAY(SELECT jsonb_array_elements(sent::jsonb))) id WHERE batch = :n;
SQL
cat >"$scratch/add_1.sql" <<SQL
\set n :n + 1
SELECT id FROM graphile_worker.add_job('bench', $document::json);
SQL
# as its library does, from the document that the library sends
cat >"$scratch/add_1000.sql" <<'SQL'
\set n :n + 1
SELECT count(j) FROM public.bench_jobs, graphile_worker.add_jobs(ARRAY(SELECT json_populate_recordset(NULL::graphile_worker.job_spec, jobs))) j WHERE batch = :n;
SQL
cat >"$scratch/add_all.sql" <<'SQL'
SELECT count(j) FROM public.bench_jobs, graphile_worker.add_jobs(ARRAY(SELECT json_populate_recordset(NULL::graphile_worker.job_spec, jobs))) j WHERE batch = -1;
SQL

# make_documents <count>: the workloads of all sides, 1,000 in a row.
make_documents() {
	sql -v n="$1" >/dev/null <<'SQL'
SET client_min_messages = warning;
DROP TABLE IF EXISTS public.bench_documents;
CREATE TABLE public.bench_documents AS
    SELECT i / 1000 AS batch, jsonb_agg(jsonb_build_object('test_id', 'test-' || lpad(i::text, 7, '0'), 'test_type',
        (ARRAY['vision', 'nlp', 'audio', 'training', 'inference'])[1 + i % 5], 'minimum_memory', i % 20 / 10.0,
        'priority', 1 + i % 5) ORDER BY i) AS documents
    FROM generate_series(0, :n - 1) i GROUP BY i / 1000;
ALTER TABLE public.bench_documents ADD PRIMARY KEY (batch);
-- as a client sends it
ALTER TABLE public.bench_documents ADD sent text;
UPDATE public.bench_documents SET sent = documents::text;
DROP TABLE IF EXISTS public.bench_all;
CREATE TABLE public.bench_all AS SELECT jsonb_agg(d) AS documents, jsonb_agg(d)::text AS sent FROM public.bench_documents, jsonb_array_elements(documents) d WHERE batch < 100;
SQL
}

# make_pool <ahead>: an empty pool of eight equal workers, each of which holds so
# many workloads: they are assigned ahead.
make_pool() {
	sql >/dev/null <<SQL
SET client_min_messages = warning;
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_cycle';
SELECT hwsched.create_pool('bench_cycle', '{"max_concurrent": $1}');
SELECT count(hwsched.register_worker('worker-' || i, '{"cpu_cores": 64, "available_memory": 1000000}', 'bench_cycle'))
FROM generate_series(0, $clients - 1) i;
SQL
}

make_queue() {
	sql >/dev/null <<'SQL'
SET client_min_messages = warning;
DROP TABLE IF EXISTS public.bench_queue;
CREATE TABLE public.bench_queue (
    pool text COLLATE "C" NOT NULL, priority smallint NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, payload jsonb NOT NULL,
    lease_until timestamptz NOT NULL DEFAULT '-infinity', attempts int NOT NULL DEFAULT 0, PRIMARY KEY (pool, priority, id)
);
SQL
}

make_pgmq() {
	sql >/dev/null <<'SQL'
SET client_min_messages = warning;
SELECT pgmq.drop_queue('bench_cycle') FROM pgmq.list_queues() WHERE queue_name = 'bench_cycle';
SELECT pgmq.create('bench_cycle');
SQL
}

# fill_...: puts all documents into a queue.
fill_pool() {
	make_pool "$1"
	sql -c "SELECT hwsched.submit_many(documents, 'bench_cycle') FROM public.bench_documents" \
		-c "SELECT hwsched.assign_pending(pool => 'bench_cycle')" >/dev/null
}

fill_queue() {
	make_queue
	sql -c "INSERT INTO public.bench_queue (pool, priority, payload)
		SELECT 'bench_cycle', (d ->> 'priority')::smallint, d FROM public.bench_documents, jsonb_array_elements(documents) d"
}

# has_pgmq: creates pgmq, which is SQL alone, from a file of it that PGMQ_SQL names, or where
# the server has it; returns whether it is there.
has_pgmq() {
	if [ -n "${PGMQ_SQL:-}" ]; then
		sql -c "SET client_min_messages = warning" -c "DROP SCHEMA IF EXISTS pgmq CASCADE" -f "$PGMQ_SQL" >/dev/null
	elif [ "$(sql -c "SELECT count(*) FROM pg_available_extensions WHERE name = 'pgmq'")" = 1 ]; then
		sql -c "SET client_min_messages = warning" -c "CREATE EXTENSION IF NOT EXISTS pgmq"
	else
		return 1
	fi
}

fill_pgmq() {
	make_pgmq
	sql -c "SELECT count(id) FROM public.bench_documents, pgmq.send_batch('bench_cycle', ARRAY(SELECT jsonb_array_elements(documents))) id" >/dev/null
}

settle_down() {
	sql -c "VACUUM (ANALYZE)" -c "CHECKPOINT"
}

# dispatch <seconds>: assigns and maintains each second, in the background, from
# now on; sets $dispatcher.
dispatch() {
	pgbench -n -M prepared -c 1 -T "$1" -f "$scratch/dispatch.sql" >"$scratch/dispatched" 2>&1 &
	dispatcher=$!
	helpers+=("$dispatcher")
}

# client <script> <pgbench argument...>: runs it, and shows what went wrong.
client() {
	local script=$1
	shift
	pgbench -n -M prepared -f "$scratch/$script.sql" "$@" >"$scratch/out" 2>"$scratch/errors" ||
		{ cat "$scratch/errors" >&2; return 1; }
	if grep -E '^number of failed transactions: [1-9]' "$scratch/out" >&2; then return 1; fi
}

# median <numbers...>
median() { printf '%s\n' "$@" | sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

drop_all() {
	sql -c "SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_cycle'" \
		-c "DROP TABLE IF EXISTS public.bench_queue, public.bench_documents, public.bench_all" >/dev/null
}
