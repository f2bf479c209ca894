-- History of ten days: how long it takes to roll it up, to read it, to forget it.
-- :rows utilization rows, of 1,000 workers.
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
SET client_min_messages = warning;
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_history' \g /dev/null
SELECT hwsched.create_pool('bench_history', '{"retention": {"history": "30 days"}}') \g /dev/null
SELECT count(hwsched.register_worker('worker-' || i, '{"cpu_cores": 8}', 'bench_history')) FROM generate_series(0, 999) AS i \g /dev/null
SELECT date_trunc('day', now(), 'UTC') - interval '10 days' AS first, 864000.0 / (:rows / 1000) AS step \gset
SELECT count(hwsched_internal.history_make_day('load_history', (:'first'::timestamptz AT TIME ZONE 'UTC')::date + i)) FROM generate_series(0, 9) AS i \g /dev/null

CREATE TEMP TABLE result (no int GENERATED ALWAYS AS IDENTITY, line text);
CREATE PROCEDURE pg_temp.time_of(what text, statement text, runs int, wanted float8 DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	begun timestamptz; took float8[]; rows bigint; median float8;
BEGIN
	FOR n IN 1 .. runs LOOP
		begun := clock_timestamp();
		EXECUTE statement;
		GET DIAGNOSTICS rows = ROW_COUNT;
		took := took || extract(epoch FROM clock_timestamp() - begun)::float8 * 1000;
	END LOOP;
	SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY t) INTO median FROM unnest(took) AS t;
	INSERT INTO result (line) SELECT format('%-62s %10s ms %9s rows%s', what, round(median::numeric, 1), rows, coalesce('   wanted: < ' || wanted || ' ms', ''));
END $$;

\set rows_sql 'INSERT INTO hwsched.load_history (pool, worker_id, at, cpu_utilization, memory_utilization, gpu_utilization, io_utilization, network_utilization) SELECT ''bench_history'', ''worker-'' || i % 1000, ' :'first' '::timestamptz + i / 1000 * ' :step ' * interval ''1 s'', i % 100, i % 90, i % 80, i % 70, i % 60 FROM generate_series(0, ' :rows ' - 1) AS i'
CALL pg_temp.time_of('written by one statement', :'rows_sql', 1);
INSERT INTO hwsched.history_late (pool, hour) SELECT 'bench_history', :'first'::timestamptz + i * interval '1 hour' FROM generate_series(0, 239) AS i;
VACUUM ANALYZE hwsched.load_history;
CALL pg_temp.time_of('maintain(): rolls up, for 20 s at most', $$SELECT hwsched.maintain('bench_history')$$, 1);
DO $$ BEGIN
	FOR n IN 1 .. 60 LOOP
		EXIT WHEN NOT EXISTS (SELECT FROM hwsched.history_late WHERE pool = 'bench_history');
		PERFORM hwsched.maintain('bench_history');
		COMMIT;
	END LOOP;
END $$;
VACUUM ANALYZE hwsched.utilization_hour;
CALL pg_temp.time_of('maintain(): with nothing to do', $$SELECT hwsched.maintain('bench_history')$$, 5);
CALL pg_temp.time_of('a day of one worker', format($$SELECT * FROM hwsched.utilization_history WHERE pool = 'bench_history' AND worker_id = 'worker-500' AND time >= %L AND time < %L$$, :'first'::timestamptz + interval '5 days', :'first'::timestamptz + interval '6 days'), 5, 20);
CALL pg_temp.time_of('a day of one worker, relative to now()', $$SELECT * FROM hwsched.utilization_history WHERE pool = 'bench_history' AND worker_id = 'worker-500' AND time >= now() - interval '3 days' AND time < now() - interval '2 days'$$, 5, 20);
CALL pg_temp.time_of('the fleet by hour, one day', format($$SELECT time, avg(cpu_ratio), avg(memory_ratio), avg(gpu_ratio), max(max_cpu_ratio) FROM hwsched.utilization_history_hourly WHERE pool = 'bench_history' AND time >= %L AND time < %L GROUP BY time$$, :'first'::timestamptz + interval '5 days', :'first'::timestamptz + interval '6 days'), 5, 200);
CALL pg_temp.time_of('the fleet by hour, all ten days', format($$SELECT time, avg(cpu_ratio), avg(memory_ratio), avg(gpu_ratio), max(max_cpu_ratio) FROM hwsched.utilization_history_hourly WHERE pool = 'bench_history' AND time >= %L GROUP BY time$$, :'first'), 5, 200);
CALL pg_temp.time_of('the same from what happened, for comparison', format($$SELECT date_bin('1 hour', time, 'epoch'), avg(cpu_ratio), avg(memory_ratio), avg(gpu_ratio), max(cpu_ratio) FROM hwsched.utilization_history WHERE pool = 'bench_history' AND time >= %L GROUP BY 1$$, :'first'), 1);
-- half of it is not kept any more, by any pool
DO $$ BEGIN PERFORM hwsched.alter_pool(pool, '{"retention": {"history": "5 days"}}') FROM hwsched.pool; END $$;
CALL pg_temp.time_of('maintain(): forgets half of it, which no pool keeps', $$SELECT hwsched.maintain('bench_history')$$, 1);
INSERT INTO result (line) SELECT format('%-62s %13s %9s rows', 'what is left', '', count(*)) FROM hwsched.load_history WHERE pool = 'bench_history';
DO $$ BEGIN PERFORM hwsched.alter_pool(pool, '{"retention": null}') FROM hwsched.pool; END $$;
SELECT hwsched.drop_pool('bench_history') \g /dev/null
SELECT line FROM result ORDER BY no;
