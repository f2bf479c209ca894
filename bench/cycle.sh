#!/usr/bin/env bash
# What a lease costs: eight clients claim work and complete it, each call a
# transaction of its own, while another session assigns and maintains each
# second; beside it the same cycle in plain SQL, which knows no hardware, no
# retries and no history.  Then what it costs to submit.
#
#   cycle.sh [peers]
#
# With peers, graphile-worker and pg-boss are installed by npm into a temporary
# directory and enqueue, too.  pgmq takes part where the server has it, or PGMQ_SQL
# names its file of SQL.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=bench/lib.sh
. ./lib.sh

readonly rounds=3 seconds=4
readonly graphile_version=0.18.0 pgboss_version=12.38.0

declare -A rates

# note <name> <rows of each>: keeps the rate that pgbench has printed.
note() { rates[$1]="${rates[$1]:-} $(awk -v rows="$2" '/^tps/ { print rows * $3 }' "$scratch/out")"; }

# rate <name>: the median; 0 if it was not measured.
rate() {
	# shellcheck disable=SC2086 # a list of numbers
	median ${rates[$1]:-0}
}

# work <script> <rows of each> <pgbench argument...>: what the clients do in turns.
work() {
	local script=$1 rows=$2
	shift 2
	settle_down
	case $script in cycle_* | next_*) dispatch 600 ;; esac
	client "$script" -c "$clients" -j 2 "$@"
	case $script in cycle_* | next_*) end_helper "$dispatcher" ;; esac
	note "$script" "$rows"
}

# work_by_100 <script> <pgbench argument...>: 150,000 rows.
work_by_100() { work "$1" 100 -t $((1500 / clients)) "${@:2}"; }

# enqueue <script> <suffix...>: one by one, in batches, in one call.
enqueue() {
	local script=$1 suffix
	shift
	for suffix; do
		sql -c CHECKPOINT
		case $suffix in
			1) client "${script}_1" -c "$clients" -j 2 -T "$seconds" -D n=0 && note "${script}_1" 1 ;;
			1000) client "${script}_1000" -c 1 -t 50 -D n=99 && note "${script}_1000" 1000 ;;
			all) client "${script}_all" -c 1 -t 1 && note "${script}_all" 100000 ;;
		esac
	done
}

# --- peers ---

install_peers() {
	local url="postgresql:///$PGDATABASE?host=$PGHOST&port=$PGPORT&user=$PGUSER"
	(
		cd "$scratch"
		# node trusts whom the system trusts
		if [ -r /etc/ssl/certs/ca-certificates.crt ]; then export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt; fi
		if ! npm install --no-audit --no-fund --prefix . "graphile-worker@$graphile_version" "pg-boss@$pgboss_version" >"$scratch/out" 2>&1 ||
			! node_modules/.bin/graphile-worker --schema-only -c "$url" >"$scratch/out" 2>&1; then
			cat "$scratch/out" >&2
			exit 1
		fi
	)
	cat >"$scratch/pgboss.mjs" <<-JS
		import * as module from 'pg-boss';
		const PgBoss = module.PgBoss ?? module.default;
		const boss = new PgBoss({ connectionString: process.argv[2], supervise: false, schedule: false });
		boss.on('error', (error) => { console.error(error); process.exit(1); });
		await boss.start();
		await boss.createQueue('bench');
		const job = (i) => ({ data: { test_id: 'test-' + i, test_type: 'vision', minimum_memory: 0.5, priority: 2 } });
		const began = process.hrtime.bigint();
		for (let batch = 0; batch < 50; batch++)
			await boss.insert('bench', Array.from({ length: 1000 }, (_, i) => job(batch * 1000 + i)));
		console.log('tps = ' + 50 / (Number(process.hrtime.bigint() - began) / 1e9));
		await boss.deleteQueue('bench');
		await boss.stop();
		process.exit(0);
	JS
	pgboss_url=$url
	sql >/dev/null <<-'SQL'
		SET client_min_messages = warning;
		DROP TABLE IF EXISTS public.bench_jobs;
		CREATE TABLE public.bench_jobs AS
		    SELECT batch, json_agg(json_build_object('identifier', 'bench', 'payload', d)) AS jobs
		    FROM (SELECT batch, documents FROM public.bench_documents UNION ALL SELECT -1, documents FROM public.bench_all) b,
		         jsonb_array_elements(documents) d GROUP BY batch;
		ALTER TABLE public.bench_jobs ADD PRIMARY KEY (batch);
	SQL
}

enqueue_peers() {
	sql -c "TRUNCATE graphile_worker._private_jobs CASCADE" 
	enqueue add 1 1000 all
	sql -c CHECKPOINT
	node "$scratch/pgboss.mjs" "$pgboss_url" >"$scratch/out"
	note pgboss_1000 1000
}

# --- what comes out ---

# show <name> <what>
show() {
	if [ "$(rate "$1")" != 0 ]; then printf '%-72s %9.0f /s\n' "$2" "$(rate "$1")"; fi
}

# compare <what> <name> <name of the other> <wanted>: the ratio of their rates, if both were measured.
compare() {
	if [ "$(rate "$2")" = 0 ] || [ "$(rate "$3")" = 0 ]; then return; fi
	awk -v what="$1" -v a="$(rate "$2")" -v b="$(rate "$3")" -v wanted="$4" 'BEGIN { printf "%-72s %9.2f, wanted %.2f\n", what, a / b, wanted }'
}

peers=
if [ "${1:-}" = peers ]; then peers=yes; fi
pgmq=
if has_pgmq; then pgmq=yes; fi

make_documents 300000
if [ -n "$peers" ]; then install_peers; fi
for ((round = 1; round <= rounds; round++)); do
	fill_pool 2000 && work cycle_1 1 -T "$seconds"
	fill_pool 2000 && work next_1 1 -T "$seconds" -D 'assignments={}'
	fill_queue && work lease_1 1 -T "$seconds"
	work take_1 1 -T "$seconds"
	if [ -n "$pgmq" ]; then fill_pgmq && work pgmq_1 1 -T "$seconds"; fi
	fill_pool 20000 && work_by_100 cycle_100
	fill_pool 20000 && work_by_100 next_100 -D 'assignments={}'
	fill_queue && work_by_100 lease_100
	if [ -n "$pgmq" ]; then fill_pgmq && work_by_100 pgmq_100; fi
	make_pool 1 && enqueue submit 1 1000 all
	make_queue && enqueue insert 1 1000 all
	if [ -n "$pgmq" ]; then make_pgmq && enqueue send 1 1000; fi
	if [ -n "$peers" ]; then enqueue_peers; fi
done
sql -v n=10000 -f life.sql >"$scratch/life"
drop_all

echo "The cycle of a lease, $clients clients; $rounds rounds in turns, medians:"
show cycle_1 "claim(), complete(), with assign_pending() and maintain() each second"
show next_1 "next(), which completes and claims, with the same"
show lease_1 "plain SQL: lease with SKIP LOCKED, delete"
show take_1 "plain SQL: delete with SKIP LOCKED, without a lease"
show pgmq_1 "pgmq: read, delete"
show cycle_100 "claim() of 100, complete_many(), rows"
show next_100 "next() of 100, rows"
show lease_100 "plain SQL: lease of 100, delete, rows"
show pgmq_100 "pgmq: read of 100, delete, rows"
show submit_1 "submit() by $clients clients"
show insert_1 "plain SQL: INSERT by $clients clients"
show send_1 "pgmq: send by $clients clients"
show add_1 "graphile-worker $graphile_version: add_job by $clients clients"
show submit_1000 "submit_many() of 1,000, rows"
show insert_1000 "plain SQL: INSERT of 1,000, rows"
show send_1000 "pgmq: send_batch of 1,000, rows"
show add_1000 "graphile-worker: add_jobs of 1,000, rows"
show pgboss_1000 "pg-boss $pgboss_version: insert of 1,000, rows"
show submit_all "submit_many() of 100,000, rows"
show insert_all "plain SQL: INSERT of 100,000, rows"
show add_all "graphile-worker: add_jobs of 100,000, rows"
echo "Ratios:"
compare "by one, of the lease cycle in plain SQL" cycle_1 lease_1 0.8
compare "by one, of pgmq's read and delete" cycle_1 pgmq_1 1.15
compare "next(), of pgmq's read and delete" next_1 pgmq_1 1.8
compare "by 100, of pgmq's read and delete" cycle_100 pgmq_100 1
compare "next() of 100, of pgmq's read and delete" next_100 pgmq_100 1
compare "submitting 1,000 a call, of graphile-worker" submit_1000 add_1000 1
compare "submitting 100,000 a call, of graphile-worker" submit_all add_all 1.5
cat "$scratch/life"
if [ -z "$pgmq" ]; then echo "pgmq is not here: PGMQ_SQL may name its file of SQL."; fi
