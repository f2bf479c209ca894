-- The schema: what is there, keyed and related as api.md promises.
BEGIN;
SELECT no_plan();

-- Tables and views by name
SELECT has_schema('hwsched');
SELECT has_table('hwsched', name, name) FROM unnest('{pool,settings_version,device_profile,workload_profile,hardware,worker,device,worker_usage,device_usage,worker_load,device_load,device_heat,worker_login,
	submission,pending,dependency,key_holder,reserved_place,tenant_past,assignment,unsettled,track_record,load_history,recorded_assignment,recorded_execution,utilization_hour,thermal_hour,assignment_hour,execution_hour,history_progress,history_late,taxonomy,type_word,class_similarity,implied_device}'::name[]) AS name;
SELECT has_view('hwsched', name, name) FROM unnest('{workload,tenant_usage,reservation,preference,key_use,limit_usage,worker_reserved,device_reserved,hardware_efficiency,workload_distribution,thermal_states,thermal_model,resource_utilization,execution_times,pending_workloads,worker_status,pool_summary,efficiency_history,assignment_history,thermal_history,utilization_history,execution_history,
	efficiency_history_hourly,assignment_history_hourly,thermal_history_hourly,utilization_history_hourly,execution_history_hourly}'::name[]) AS name;
SELECT columns_are('hwsched', 'taxonomy', '{kind,name,builtin}'::name[]);
SELECT has_column('hwsched', 'assignment', name, 'assignment.' || name) FROM unnest('{pool,assignment_id,workload_id,worker_id,device_nos,shard_no,state,efficiency,adjusted_efficiency,score,predicted_seconds,assigned_at,started_at,finished_at}'::name[]) AS name;

-- The pool is the first column of every table's primary key, unique constraint and unique index, but the taxonomy's
SELECT is_empty($$
	SELECT c.relname, i.indexrelid::regclass FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
	WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind = 'r' AND a.attname <> 'pool' AND c.relname <> ALL ('{taxonomy,type_word,class_similarity,implied_device}')
		AND i.indexrelid <> ALL ('{hwsched.assignment_assigned,hwsched.assignment_finished}'::regclass[])
	$$, 'every index begins with pool, but those of when something happened');
SELECT is_empty($$
	SELECT relname FROM pg_class WHERE relnamespace = 'hwsched'::regnamespace AND relkind IN ('r', 'p') AND relname <> ALL ('{taxonomy,type_word,class_similarity,implied_device}')
		AND NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attnum = 1 AND attname = 'pool' AND attnotnull)
	$$, 'pool is the first column of every table, and not null');
SELECT is_empty($$
	SELECT relname FROM pg_class WHERE relnamespace = 'hwsched'::regnamespace AND relkind = 'r' AND NOT relispartition
		AND NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = pg_class.oid AND contype = 'p')
	$$, 'every table but those of history has a primary key');
-- pg_restore -j loads an extension's tables in any order
SELECT is_empty($$
	SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype = 'f' AND conrelid IN (SELECT oid FROM pg_class WHERE relnamespace::regnamespace::text LIKE 'hwsched%')
	$$, 'there are no foreign keys');
-- else nothing could be changed or deleted in a database that is published
SELECT is_empty($$
	SELECT oid::regclass FROM pg_class AS c WHERE relnamespace::regnamespace::text LIKE 'hwsched%' AND relkind IN ('r', 'p')
		AND NOT (relreplident = 'f' OR relreplident = 'd' AND EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p'))
	$$, 'every table has a replica identity');
SELECT is_empty($$
	SELECT conrelid::regclass, conname FROM pg_constraint WHERE connamespace = 'hwsched'::regnamespace AND NOT convalidated
	$$, 'every constraint is validated');
SELECT is_empty($$
	SELECT tgrelid::regclass, tgname FROM pg_trigger JOIN pg_class AS c ON c.oid = tgrelid
	WHERE c.relnamespace = 'hwsched'::regnamespace AND NOT tgisinternal AND c.relname <> ALL ('{taxonomy,type_word,class_similarity,implied_device,worker_login,pool_login,tenant_login,closed_pool}')
	$$, 'no table of work has a trigger');
SELECT is_empty($$
	SELECT attrelid::regclass, attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = attrelid
	WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind = 'r' AND attidentity <> '' AND atttypid <> 'bigint'::regtype
	$$, 'identity columns are bigint');
-- Text keys compare by bytes, as C does
SELECT is_empty($$
	SELECT a.attrelid::regclass, a.attname FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[])
	WHERE c.relnamespace = 'hwsched'::regnamespace AND a.atttypid = 'text'::regtype AND a.attcollation <> (SELECT oid FROM pg_collation WHERE collname = 'C')
	$$, 'text in primary keys has collation C');

-- The functions are those of the API, with its arguments, and no others
CREATE TEMP TABLE api (signature text);
INSERT INTO api SELECT btrim(line, E' \t') FROM regexp_split_to_table($$
	workload_profile(requirements jsonb)
	device_profiles(capabilities jsonb)
	is_compatible(workload jsonb, device jsonb)
	efficiency_score(workload jsonb, device jsonb)
	raw_efficiency(workload jsonb, device jsonb)
	load_score(cpu double precision, memory double precision, gpu double precision, io double precision, network double precision)
	effective_load_score(cpu double precision, memory double precision, gpu double precision, io double precision, network double precision, warming boolean, cooling boolean, performance_level double precision)
	adjusted_efficiency(efficiency double precision, cpu double precision, memory double precision, gpu double precision, io double precision, network double precision, warming boolean, cooling boolean, performance_level double precision, temperature double precision)
	preference_after(old double precision, observed double precision, alpha double precision DEFAULT 0.3)
	predict_seconds(workload jsonb, device jsonb)
	predict_joules(workload jsonb, device jsonb, seconds double precision)
	compatibility_score(device jsonb, other jsonb)
	thermal_step(temperature double precision, load double precision, dt_seconds double precision)
	thermal_at(temperature double precision, load double precision, dt_seconds double precision)
	performance_level(phase text, since timestamp with time zone, duration interval, at timestamp with time zone)
	efficiency_rating(efficiency_ratio double precision)
	prediction_rating(actual_to_predicted_ratio double precision)
	temperature_ratio(celsius double precision, idle_celsius double precision, throttle_celsius double precision)
	predict_temperature(worker_id text, device_no integer, power_w double precision DEFAULT NULL::double precision, utilization double precision DEFAULT NULL::double precision, after interval DEFAULT '01:00:00'::interval, pool text DEFAULT 'default'::text)
	create_pool(pool text, settings jsonb DEFAULT '{}'::jsonb)
	alter_pool(pool text, settings jsonb, reason text DEFAULT NULL::text)
	teach(runs jsonb, pool text DEFAULT 'default'::text)
	change_points(worker_id text DEFAULT NULL::text, workload_type text DEFAULT NULL::text, since timestamp with time zone DEFAULT NULL::timestamp with time zone, pool text DEFAULT 'default'::text, OUT "time" timestamp with time zone, OUT worker_id text, OUT model_name text, OUT workload_type text, OUT before_seconds double precision, OUT after_seconds double precision)
	best_hardware(workload_type text, pool text DEFAULT 'default'::text, OUT model_name text, OUT hardware_class text, OUT efficiency double precision, OUT predicted_seconds double precision, OUT runs bigint)
	performance_ranking(operation text, "precision" text, pool text DEFAULT 'default'::text, OUT model_name text, OUT hardware_class text, OUT ops_per_second double precision, OUT devices bigint)
	fallback_workers(worker_id text, pool text DEFAULT 'default'::text, OUT worker_id text, OUT score double precision)
	settings_history(pool text DEFAULT 'default'::text, OUT version bigint, OUT changed_at timestamp with time zone, OUT changed_by name, OUT reason text, OUT changes jsonb)
	rollback_settings(version bigint, pool text DEFAULT 'default'::text)
	drop_pool(pool text)
	check_requirements(requirements jsonb, pool text DEFAULT 'default'::text, OUT path text, OUT severity text, OUT message text, OUT hint text)
	check_capabilities(capabilities jsonb, pool text DEFAULT 'default'::text, OUT path text, OUT severity text, OUT message text, OUT hint text)
	register_worker(worker_id text, capabilities jsonb, pool text DEFAULT 'default'::text)
	update_load(worker_id text, load jsonb, pool text DEFAULT 'default'::text)
	heartbeat(worker_id text, pool text DEFAULT 'default'::text)
	heartbeat(worker_id text, running bigint[], pool text DEFAULT 'default'::text, OUT assignment_id bigint, OUT action text, OUT reason text)
	drain_worker(worker_id text, pool text DEFAULT 'default'::text)
	drain_device(worker_id text, device_no integer, pool text DEFAULT 'default'::text)
	resume_device(worker_id text, device_no integer, pool text DEFAULT 'default'::text)
	drain_worker(worker_id text, at timestamp with time zone, until timestamp with time zone, pool text DEFAULT 'default'::text)
	pause_pool(pool text DEFAULT 'default'::text)
	resume_pool(pool text DEFAULT 'default'::text)
	resume_worker(worker_id text, pool text DEFAULT 'default'::text)
	unregister_worker(worker_id text, pool text DEFAULT 'default'::text)
	start_warming(worker_id text, duration interval DEFAULT NULL::interval, pool text DEFAULT 'default'::text)
	start_cooling(worker_id text, duration interval DEFAULT NULL::interval, pool text DEFAULT 'default'::text)
	grant_worker(worker_id text, role name, pool text DEFAULT 'default'::text)
	grant_pool(role name, "right" text, pool text DEFAULT 'default'::text)
	revoke_pool(role name, "right" text, pool text DEFAULT 'default'::text)
	grant_tenant(tenant text, role name, pool text DEFAULT 'default'::text)
	revoke_tenant(tenant text, role name, pool text DEFAULT 'default'::text)
	submit(requirements jsonb, pool text DEFAULT 'default'::text)
	submit_many(requirements jsonb, pool text DEFAULT 'default'::text, on_duplicate text DEFAULT 'error'::text)
	schedule(workload_id text, pool text DEFAULT 'default'::text)
	assign_pending(max_workloads integer DEFAULT NULL::integer, pool text DEFAULT 'default'::text)
	claim(worker_id text, max_assignments integer DEFAULT 1, steal boolean DEFAULT true, pool text DEFAULT 'default'::text)
	start(assignment_id bigint, pool text DEFAULT 'default'::text)
	extend_lease(assignment_id bigint, by interval, pool text DEFAULT 'default'::text)
	requirements(assignment_id bigint, pool text DEFAULT 'default'::text)
	running_on(worker_id text, pool text DEFAULT 'default'::text)
	complete(assignment_id bigint, result jsonb DEFAULT NULL::jsonb, pool text DEFAULT 'default'::text)
	complete_many(assignment_ids bigint[], pool text DEFAULT 'default'::text)
	fail(assignment_id bigint, error text, pool text DEFAULT 'default'::text)
	fail(assignment_id bigint, error text, result jsonb, pool text DEFAULT 'default'::text)
	next(worker_id text, finished bigint[] DEFAULT '{}'::bigint[], max_assignments integer DEFAULT 1, steal boolean DEFAULT true, results jsonb DEFAULT NULL::jsonb, pool text DEFAULT 'default'::text)
	progress(assignment_id bigint, ratio double precision, note jsonb DEFAULT NULL::jsonb, pool text DEFAULT 'default'::text)
	yield_work(assignment_id bigint, note jsonb DEFAULT NULL::jsonb, pool text DEFAULT 'default'::text)
	alter_workload(workload_id text, changes jsonb, reason text DEFAULT NULL::text, pool text DEFAULT 'default'::text)
	apply_suggestion(workload_id text, change jsonb, pool text DEFAULT 'default'::text)
	cancel_many(filter jsonb, pool text DEFAULT 'default'::text)
	retry_many(filter jsonb, pool text DEFAULT 'default'::text)
	cancel(workload_id text, pool text DEFAULT 'default'::text)
	rebalance(max_moves integer, pool text DEFAULT 'default'::text)
	record_power(job text, device_model text, power_limit_w double precision, seconds double precision, average_w double precision, pool text DEFAULT 'default'::text)
	retry_dead(workload_id text, pool text DEFAULT 'default'::text)
	run_loop(IN duration interval, IN tick interval, IN pool text DEFAULT 'default'::text)
	start_dispatcher()
	stop_dispatcher()
	schedule_jobs(every text DEFAULT '1 minute'::text, pool text DEFAULT 'default'::text)
	unschedule_jobs(pool text DEFAULT 'default'::text)
	maintain(pool text DEFAULT 'default'::text, OUT expired bigint, OUT timed_out bigint, OUT offline bigint, OUT tried_again bigint, OUT forgotten bigint, OUT more boolean)
	record_assignment(workload_id text, worker_id text, efficiency_score double precision, workload_type text, at timestamp with time zone DEFAULT now(), pool text DEFAULT 'default'::text)
	record_thermal_state(worker_id text, temperature double precision, warming_state boolean, cooling_state boolean, at timestamp with time zone DEFAULT now(), device_no integer DEFAULT NULL::integer, pool text DEFAULT 'default'::text)
	record_resource_utilization(worker_id text, utilization jsonb, at timestamp with time zone DEFAULT now(), device_no integer DEFAULT NULL::integer, pool text DEFAULT 'default'::text)
	record_execution_time(workload_id text, estimated_time double precision, actual_time double precision, workload_type text, worker_id text, at timestamp with time zone DEFAULT now(), pool text DEFAULT 'default'::text)
	history_json(since timestamp with time zone DEFAULT '-infinity'::timestamp with time zone, until timestamp with time zone DEFAULT 'infinity'::timestamp with time zone, pool text DEFAULT 'default'::text)
	load_history(document jsonb, pool text DEFAULT 'default'::text)
	load_history(document jsonb, teach boolean, pool text DEFAULT 'default'::text)
	predict(workload_id text, worker_id text, device_no integer, pool text DEFAULT 'default'::text, OUT p50_seconds double precision, OUT p90_seconds double precision, OUT joules double precision, OUT cost double precision, OUT carbon_g double precision, OUT formula_seconds double precision, OUT reason text)
	reset_learning(worker_id text DEFAULT NULL::text, pool text DEFAULT 'default'::text)
	learning_json(pool text DEFAULT 'default'::text)
	load_learning(document jsonb, pool text DEFAULT 'default'::text)
	vega_spec(chart text, since timestamp with time zone DEFAULT NULL::timestamp with time zone, until timestamp with time zone DEFAULT NULL::timestamp with time zone, pool text DEFAULT 'default'::text)
	summary_report(since timestamp with time zone DEFAULT NULL::timestamp with time zone, until timestamp with time zone DEFAULT NULL::timestamp with time zone, pool text DEFAULT 'default'::text)$$, '\n') AS line WHERE btrim(line, E' \t') <> '';
SELECT bag_eq($$
	SELECT proname || '(' || pg_get_function_arguments(oid) || ')' FROM pg_proc WHERE pronamespace = 'hwsched'::regnamespace
		AND proname <> ALL ('{pool_settings,simulate,simulate_summary,scaling_advice,tune,plan_pending,compatible_hardware,explain,explain_pending,suggest,pareto,suggest_power_limit,performance_history}')
	$$, 'SELECT signature FROM api', 'the functions are those of the API');
-- Those that return rows of their own: what goes in, and the columns that the API names
SELECT is(proname || '(' || pg_get_function_identity_arguments(oid) || ')', signature, signature) FROM (VALUES
	('pool_settings', 'pool_settings(pool text, OUT name text, OUT value jsonb, OUT default_value jsonb, OUT description text)'),
	('pareto', 'pareto(workload_id text, pool text, OUT worker_id text, OUT device_no integer, OUT predicted_seconds double precision, OUT joules double precision, OUT cost double precision, OUT carbon_g double precision, OUT on_front boolean, OUT rank integer, OUT score double precision, OUT hardware_class text, OUT model_name text, OUT reason text)'),
	('suggest_power_limit', 'suggest_power_limit(job text, slowdown double precision, pool text, device_model text, OUT device_model text, OUT power_limit_w double precision, OUT predicted_seconds double precision, OUT predicted_w double precision, OUT joules double precision, OUT slowdown_risk double precision, OUT chosen boolean, OUT measured boolean, OUT measure_next boolean)'),
	('simulate', 'simulate(scenario jsonb, pool text, OUT workload_id text, OUT worker_id text, OUT device_nos integer[], OUT submitted_at timestamp with time zone, OUT started_at timestamp with time zone, OUT finished_at timestamp with time zone, OUT joules double precision, OUT cost double precision)'),
	('simulate_summary', 'simulate_summary(scenario jsonb, pool text, OUT makespan double precision, OUT mean_wait double precision, OUT p50_wait double precision, OUT p90_wait double precision, OUT p99_wait double precision, OUT mean_completion double precision, OUT p50_completion double precision, OUT p90_completion double precision, OUT p99_completion double precision, OUT utilisation jsonb, OUT joules double precision, OUT cost double precision, OUT starved bigint, OUT moves bigint)'),
	('tune', 'tune(objective jsonb, scenario jsonb, apply boolean, pool text, OUT settings jsonb, OUT gain double precision, OUT low double precision, OUT high double precision, OUT on_held_back double precision, OUT chosen boolean)'),
	('scaling_advice', 'scaling_advice(scenario jsonb, pool text, OUT capabilities jsonb, OUT change integer, OUT why text, OUT cost_per_hour double precision, OUT wait_after_seconds double precision)'),
	('plan_pending', 'plan_pending(max_workloads integer, pool text, OUT workload_id text, OUT worker_id text, OUT device_nos integer[], OUT shard_no integer, OUT score double precision, OUT predicted_seconds double precision)')
	) AS s (name, signature) JOIN pg_proc ON proname = name AND pronamespace = 'hwsched'::regnamespace;
SELECT function_returns('hwsched', 'submit', '{jsonb,text}'::name[], 'text');
SELECT function_returns('hwsched', 'submit_many', '{jsonb,text,text}'::name[], 'bigint');
SELECT function_returns('hwsched', 'start_dispatcher', '{}'::name[], 'boolean');
SELECT function_returns('hwsched', 'stop_dispatcher', '{}'::name[], 'boolean');
SELECT function_returns('hwsched', 'assign_pending', '{integer,text}'::name[], 'bigint');
SELECT function_returns('hwsched', 'schedule', '{text,text}'::name[], 'setof hwsched.assignment');
SELECT function_returns('hwsched', 'claim', '{text,integer,boolean,text}'::name[], 'setof hwsched.assignment');
SELECT function_returns('hwsched', 'device_profiles', '{jsonb}'::name[], 'setof jsonb');
SELECT function_returns('hwsched', 'complete_many', '{bigint[],text}'::name[], 'bigint');

-- States
SELECT enum_has_labels('hwsched', 'workload_state', '{pending,assigned,running,completed,cancelled,dead}'::name[]);
SELECT enum_has_labels('hwsched', 'assignment_state', '{assigned,running,completed,failed,cancelled,expired}'::name[]);

-- What pg_dump takes along: every table and sequence of the extension
SELECT is_empty($$
	SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'S')
		AND NOT (c.relispartition AND c.relname ~ '_\d{8}$') AND c.oid <> ALL (SELECT unnest(extconfig) FROM pg_extension WHERE extname = 'hwsched')
	$$, 'every table and sequence is dumped');
-- What a rule is that statements and views share costs what it would if it stood there
CREATE FUNCTION pg_temp.plan_of(query text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (VERBOSE, FORMAT JSON) ' || query INTO plan;
	RETURN plan;
END
$$;
SELECT unalike(pg_temp.plan_of(format('SELECT hwsched_internal.%s(%s) FROM hwsched.%s', name, arguments, relation))::text, '%hwsched_internal.' || name || '%', name || ' is inlined') FROM (VALUES
	('phase_now', 'phase, phase_since, phase_duration', 'worker_load'),
	('aged_priority', 'priority, submitted_at, 2', 'pending'),
	('profile_digest', 'profile, demand', 'workload_profile')
	) AS r (name, arguments, relation);
SELECT has_role(name) FROM unnest('{hwsched_admin,hwsched_coordinator,hwsched_worker,hwsched_viewer}'::name[]) AS name;

SELECT * FROM finish();
ROLLBACK;
