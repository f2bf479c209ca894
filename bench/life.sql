-- What a workload's life costs: bytes of WAL and versions of rows, from submit_many() to what
-- maintain() settles; n workloads.
\set QUIET on
SET client_min_messages = warning;
SELECT hwsched.drop_pool(pool) FROM hwsched.pool WHERE pool = 'bench_life' \g /dev/null
SELECT hwsched.create_pool('bench_life', '{"max_concurrent": 100000}') \g /dev/null
SELECT hwsched.register_worker('worker', '{"cpu_cores": 64, "available_memory": 1000000}', 'bench_life') \g /dev/null
CREATE TEMP TABLE stage (no int, name text, lsn pg_lsn);
CREATE TEMP TABLE run AS SELECT assignment_id FROM hwsched.assignment WHERE false;
-- pages are written whole after a checkpoint: those that are there by now are written first
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'first-' || i, 'test_type', 'vision', 'minimum_memory', 0.5)) FROM generate_series(1, :n) i), 'bench_life') \g /dev/null
SELECT hwsched.assign_pending(pool => 'bench_life') \g /dev/null
SELECT hwsched.complete_many(ARRAY(SELECT assignment_id FROM hwsched.claim('worker', :n, pool => 'bench_life')), 'bench_life') \g /dev/null
SELECT * FROM hwsched.maintain('bench_life') \g /dev/null
SELECT pg_stat_force_next_flush() \g /dev/null
CREATE TEMP TABLE before AS SELECT relid, n_tup_ins, n_tup_upd, n_tup_hot_upd, n_tup_del FROM pg_stat_all_tables WHERE schemaname = 'hwsched';
INSERT INTO stage VALUES (0, 'begin', pg_current_wal_insert_lsn());
SELECT hwsched.submit_many((SELECT jsonb_agg(jsonb_build_object('test_id', 'test-' || i, 'test_type', 'vision', 'minimum_memory', 0.5)) FROM generate_series(1, :n) i), 'bench_life') \g /dev/null
INSERT INTO stage VALUES (1, 'submit', pg_current_wal_insert_lsn());
SELECT hwsched.assign_pending(pool => 'bench_life') \g /dev/null
INSERT INTO stage VALUES (2, 'assign', pg_current_wal_insert_lsn());
INSERT INTO run SELECT assignment_id FROM hwsched.claim('worker', :n, pool => 'bench_life');
INSERT INTO stage VALUES (3, 'claim', pg_current_wal_insert_lsn());
SELECT hwsched.complete_many(ARRAY(SELECT assignment_id FROM run), 'bench_life') \g /dev/null
INSERT INTO stage VALUES (4, 'complete', pg_current_wal_insert_lsn());
SELECT * FROM hwsched.maintain('bench_life') \g /dev/null
INSERT INTO stage VALUES (5, 'settle', pg_current_wal_insert_lsn());
SELECT pg_stat_force_next_flush() \g /dev/null
\pset format unaligned
\pset tuples_only on
SELECT format('A workload''s life, bytes of WAL: %s; %s in all', string_agg(format('%s %s', name, bytes), ', ' ORDER BY no), sum(bytes))
FROM (SELECT s.no, s.name, round((s.lsn - b.lsn) / :n.0) AS bytes FROM stage s JOIN stage b ON b.no = s.no - 1) s;
SELECT format('... versions of rows: %s; %s in all', string_agg(format('%s %s', relname, made)
    || CASE WHEN updated > 0 THEN format(' (%s%% of its updates in place)', round(100.0 * hot / updated)) ELSE '' END, ', ' ORDER BY made DESC, relname), sum(made))
FROM (SELECT a.relname, round((a.n_tup_ins - b.n_tup_ins + a.n_tup_upd - b.n_tup_upd) / :n.0, 1) AS made,
        a.n_tup_upd - b.n_tup_upd AS updated, a.n_tup_hot_upd - b.n_tup_hot_upd AS hot
    FROM pg_stat_all_tables a JOIN before b USING (relid)) t WHERE made > 0;
SELECT hwsched.drop_pool('bench_life') \g /dev/null
