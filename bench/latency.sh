#!/usr/bin/env bash
# How long work that is submitted waits until a worker has it, if the server has nothing
# else to do: 200 workloads a second, the dispatcher, and one worker that asks whenever it is
# notified.  Beside it graphile-worker, which is installed by npm into a temporary
# directory: from add_job() until its task runs.  Both are timed in the same process, from when
# the statement is sent.  Then what the dispatcher costs while 1,000 pools do nothing.
#
#   latency.sh [seconds]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=bench/lib.sh
. ./lib.sh

readonly seconds=${1:-20} graphile_version=0.18.0
readonly idle_pools=1000 idle_seconds=60
readonly url="postgresql:///$PGDATABASE?host=$PGHOST&port=$PGPORT&user=$PGUSER"

prepare() {
	if [ -r /etc/ssl/certs/ca-certificates.crt ]; then export NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt; fi
	(cd "$scratch" && npm install --no-audit --no-fund --prefix . "graphile-worker@$graphile_version" pg &&
		node_modules/.bin/graphile-worker --schema-only -c "$url") >"$scratch/out" 2>&1 ||
		{ cat "$scratch/out" >&2; exit 1; }
	cat >"$scratch/latency.mjs" <<-'JS'
		import pg from 'pg';
		import { run, Logger } from 'graphile-worker';
		const [url, side, seconds] = process.argv.slice(2);
		const rate = 200, warmUp = 2 * rate, count = rate * seconds + warmUp;
		const pool = new pg.Pool({ connectionString: url, max: 8 });
		const sent = new Map(), took = [];
		let arrived = 0, done;
		const all = new Promise((resolve) => { done = resolve; });
		const arrive = (id) => {
			// the first ones plan the statements
			if (Number(id.slice(5)) >= warmUp) took.push(performance.now() - sent.get(id));
			if (++arrived === count) done();
		};

		async function worker() {
			const client = new pg.Client({ connectionString: url });
			await client.connect();
			let held = [], asking = false, again = false;
			const ask = async () => {
				again = true;
				if (asking) return;
				for (asking = true; again;) {
					again = false;
					const { rows } = await client.query({ name: 'next', values: [held],
						text: "SELECT assignment_id, workload_id FROM hwsched.next('worker-0', $1::bigint[], 100, pool => 'bench_cycle')" });
					held = rows.map((row) => row.assignment_id);
					for (const row of rows) arrive(row.workload_id);
				}
				asking = false;
			};
			client.on('notification', ask);
			await client.query('LISTEN hwsched_assigned');
			return () => client.end();
		}
		const graphile = async () => {
			const runner = await run({ connectionString: url, concurrency: 8, noHandleSignals: true,
				logger: new Logger(() => () => {}), parsedCronItems: [], taskList: { bench: (payload) => arrive(payload.test_id) } });
			return () => runner.stop();
		};
		const statement = side === 'hwsched' ? "SELECT hwsched.submit($1::jsonb, 'bench_cycle')"
			: "SELECT graphile_worker.add_job('bench', $1::json)";
		const stop = await (side === 'hwsched' ? worker() : graphile());
		const began = performance.now();
		let n = 0;
		const fail = (error) => { console.error(error); process.exit(1); };
		const timer = setInterval(() => {
			for (; n < count && n < (performance.now() - began) * rate / 1000; n++) {
				const id = 'test-' + n;
				sent.set(id, performance.now());
				pool.query({ name: 'submit', text: statement, values: [JSON.stringify({ test_id: id, test_type: 'vision', minimum_memory: 0.5 })] }).catch(fail);
			}
			if (n === count) clearInterval(timer);
		}, 1);
		setTimeout(() => fail(new Error(`${arrived} of ${count} arrived`)), 1000 * seconds + 30000).unref();
		await all;
		took.sort((a, b) => a - b);
		const at = (share) => took[Math.floor(share * (took.length - 1))].toFixed(1);
		console.log(`${side}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
		await stop();
		await pool.end();
		process.exit(0);
	JS
}

dispatcher_pid() { sql -c "SELECT pid FROM pg_stat_activity WHERE backend_type = 'hwsched dispatcher' AND datname = current_database()"; }

# ticks <pid>: hundredths of a second of CPU that a process has taken.
ticks() { sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'; }

measure_idle() {
	local pid before
	sql >/dev/null <<-SQL
		SELECT hwsched.create_pool('bench_idle_' || i), hwsched.register_worker('worker', '{"cpu_cores": 8}', 'bench_idle_' || i)
		FROM generate_series(1, $idle_pools) i;
	SQL
	pid=$(dispatcher_pid)
	if [ -r "/proc/$pid/stat" ]; then
		# all have been maintained by then, and their workers have become silent
		sleep 180
		before=$(ticks "$pid")
		sleep "$idle_seconds"
		echo "the dispatcher with $idle_pools idle pools: $(awk -v t=$(($(ticks "$pid") - before)) -v s=$idle_seconds 'BEGIN { printf "%.2f", t / s }') % of a core"
	fi
	sql -c "SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool LIKE 'bench_idle_%'" >/dev/null
}

prepare
started=$(sql -c "SELECT hwsched.start_dispatcher()")
for side in graphile-worker hwsched graphile-worker hwsched; do
	make_pool 10000
	# all for the one that asks
	sql -c "SELECT hwsched.unregister_worker('worker-' || i, 'bench_cycle') FROM generate_series(1, $clients - 1) i" >/dev/null
	settle_down
	node "$scratch/latency.mjs" "$url" "$side" "$seconds"
done
drop_all
measure_idle
[ "$started" = f ] || sql -c "SELECT hwsched.stop_dispatcher()" >/dev/null
