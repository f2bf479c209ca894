-- The nodes and a list of tasks of the openb cluster (data/openb), and the order in which the tasks
-- arrive: for the benchmarks that replay it, which say which one (trace) and include this.
-- The lists differ in their columns: the first five are in all of them.  \copy
-- expands no variables, a variable that holds all of it does.
CREATE TEMP TABLE line (line text);
\set copy '\\copy line FROM ../data/openb/openb_pod_list_' :trace '.csv (FORMAT csv, HEADER, DELIMITER E''\\x01'')'
:copy
CREATE TEMP TABLE task AS
SELECT row_number() OVER (ORDER BY field[1]) AS no, field[1] AS name, field[2]::bigint AS cpu_milli, field[3]::bigint AS memory_mib,
       field[4]::int AS num_gpu, field[5]::int AS gpu_milli, field[4]::bigint * field[5]::bigint AS demand,
       string_to_array(nullif(field[6], ''), '|') AS models
FROM line, string_to_array(line, ',') AS field;
CREATE TEMP TABLE node (sn text PRIMARY KEY, cpu_milli bigint, memory_mib bigint, gpu int, model text);
\copy node FROM ../data/openb/openb_node_list_gpu_node.csv CSV HEADER
CREATE TEMP TABLE arrival (no bigint, name text, demand bigint, document jsonb);
ANALYZE task, node;

-- md5 shuffles the same way everywhere.
CREATE FUNCTION pg_temp.random_order(seed int, what text) RETURNS bigint LANGUAGE sql AS $$
    SELECT ('x' || substr(md5(seed || ' ' || what), 1, 15))::bit(60)::bigint
$$;

-- Fills arrival: every task once, then as many random ones as it takes.
CREATE PROCEDURE pg_temp.arrive(in_seed int) LANGUAGE plpgsql AS $$
DECLARE
    target bigint := 1300 * (SELECT sum(gpu) FROM node);
BEGIN
    TRUNCATE arrival;
    WITH drawn AS (
        SELECT row_number() OVER (ORDER BY pg_temp.random_order(in_seed, name)) AS draw, task.* FROM task
        UNION ALL
        SELECT draw, task.* FROM (SELECT count(*) AS tasks FROM task) c, generate_series(tasks + 1, 5 * tasks) draw, task
        WHERE task.no = 1 + pg_temp.random_order(in_seed, 'draw ' || draw) % tasks),
    summed AS (SELECT *, sum(demand) OVER (ORDER BY draw) - demand AS before FROM drawn)
    INSERT INTO arrival
    SELECT draw, format('%s-%s', lpad(draw::text, 6, '0'), name), demand, jsonb_strip_nulls(jsonb_build_object(
               'test_id', format('%s-%s', lpad(draw::text, 6, '0'), name),
               'test_type', 'training', 'expected_duration', 60, 'minimum_memory', 0,
               'cpu_cores', cpu_milli / 1000.0, 'host_memory', memory_mib / 1024.0,
               'required_accelerators', CASE WHEN num_gpu > 0 THEN jsonb_build_object('gpu', num_gpu) END,
               'accelerator_share', CASE WHEN num_gpu = 1 AND gpu_milli < 1000 THEN gpu_milli / 1000.0 END,
               'required_models', to_jsonb(models)))
    FROM summed WHERE before < target;
    IF (SELECT sum(demand) < target FROM arrival) THEN
        RAISE EXCEPTION 'five times this trace do not ask for 130 %% of the GPUs';
    END IF;
END $$;
