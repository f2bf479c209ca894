-- A fleet that falls silent with five workloads on each worker: how long maintain()
-- takes over all its calls, and the longest of them, which statement_timeout has to
-- allow.  psql -v workers=100000
\set ON_ERROR_STOP 1
\t on
\a
SET client_min_messages = warning;
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_silence' \g /dev/null
SELECT hwsched.create_pool('bench_silence', '{"max_concurrent": 5, "batch_window": 10000000}') \g /dev/null
SELECT hwsched.register_worker('worker-0000000', '{"cpu_cores": 8, "available_memory": 64}', 'bench_silence') \g /dev/null
-- the others are like it
CREATE PROCEDURE pg_temp.multiply(name text, times int) LANGUAGE plpgsql AS $$
DECLARE
    columns text := (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                     WHERE attrelid = ('hwsched.' || name)::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'worker_id');
BEGIN
    EXECUTE format('INSERT INTO hwsched.%1$I (worker_id, %2$s) SELECT format(''worker-%%s'', lpad(i::text, 7, ''0'')), %2$s
        FROM hwsched.%1$I, generate_series(1, $1 - 1) i WHERE pool = ''bench_silence'' AND worker_id = ''worker-0000000''', name, columns) USING times;
END $$;
CALL pg_temp.multiply('worker', :workers);
CALL pg_temp.multiply('device', :workers);
CALL pg_temp.multiply('worker_usage', :workers);
CALL pg_temp.multiply('device_usage', :workers);
CALL pg_temp.multiply('worker_load', :workers);
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'test-' || lpad((k * :workers + i)::text, 7, '0'), 'test_type', 'vision'))
    FROM generate_series(1, :workers) i), 'bench_silence') FROM generate_series(0, 4) k \g /dev/null
SELECT hwsched.assign_pending(pool => 'bench_silence') \g /dev/null
VACUUM (ANALYZE);
CHECKPOINT;
UPDATE hwsched.worker_load SET last_seen_at = last_seen_at - interval '1 day' WHERE pool = 'bench_silence';
CREATE TEMP TABLE took (ms float8, offline bigint);
DO $$
DECLARE
    began timestamptz;
    tick record;
BEGIN
    LOOP
        began := clock_timestamp();
        SELECT * INTO tick FROM hwsched.maintain('bench_silence');
        INSERT INTO took VALUES (1000 * extract(epoch FROM clock_timestamp() - began), tick.offline);
        COMMIT;
        EXIT WHEN NOT tick.more;
    END LOOP;
END $$;
SELECT format('%s silent workers, %s workloads taken back: %s calls, %s s together, the longest %s ms',
    sum(offline), (SELECT count(*) FROM hwsched.pending WHERE pool = 'bench_silence'), count(*), round(sum(ms)::numeric / 1000, 1), round(max(ms)))
FROM took;
SELECT hwsched.drop_pool('bench_silence') \g /dev/null
