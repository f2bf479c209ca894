-- Who may do what. Nothing for PUBLIC; see README for the four roles.
REVOKE ALL ON ALL ROUTINES IN SCHEMA hwsched FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA hwsched FROM PUBLIC;
REVOKE ALL ON TYPE hwsched.worker_state, hwsched.workload_state, hwsched.assignment_state,
    hwsched.thermal_phase, hwsched.taxonomy_kind, hwsched.worker_health, hwsched.error_class,
    hwsched.duration_kind FROM PUBLIC;
GRANT USAGE ON TYPE hwsched.worker_state, hwsched.workload_state, hwsched.assignment_state,
    hwsched.thermal_phase, hwsched.taxonomy_kind, hwsched.worker_health, hwsched.error_class,
    hwsched.duration_kind TO hwsched_viewer, hwsched_worker;
GRANT USAGE ON SCHEMA hwsched TO hwsched_viewer, hwsched_worker;

-- Reading: everything but who is bound to which worker.
GRANT SELECT ON ALL TABLES IN SCHEMA hwsched TO hwsched_viewer;
REVOKE ALL ON hwsched.worker_login FROM hwsched_viewer;
-- partitions are read through what they are part of, like those made later
REVOKE ALL ON hwsched.load_history_default, hwsched.recorded_assignment_default,
    hwsched.recorded_execution_default
    FROM hwsched_viewer;
GRANT SELECT ON hwsched.taxonomy, hwsched.type_word, hwsched.class_similarity,
    hwsched.implied_device TO hwsched_worker;
GRANT SELECT ON hwsched.worker_login TO hwsched_admin;
GRANT INSERT, UPDATE, DELETE ON hwsched.taxonomy, hwsched.type_word, hwsched.class_similarity,
    hwsched.implied_device TO hwsched_admin;

GRANT EXECUTE ON FUNCTION
    hwsched.workload_profile, hwsched.device_profiles, hwsched.is_compatible,
    hwsched.efficiency_score, hwsched.raw_efficiency,
    hwsched.load_score, hwsched.effective_load_score, hwsched.adjusted_efficiency,
    hwsched.preference_after,
    hwsched.predict_seconds, hwsched.predict_joules, hwsched.compatibility_score,
    hwsched.thermal_step, hwsched.thermal_at, hwsched.performance_level, hwsched.temperature_ratio,
    hwsched.describe_heat, hwsched.sketch_quantile, hwsched.sketch_of, hwsched.sketch_merge,
    hwsched.sketch_sum
    TO hwsched_viewer, hwsched_worker;
GRANT EXECUTE ON FUNCTION
    hwsched.pool_settings, hwsched.plan_pending, hwsched.compatible_hardware, hwsched.pareto,
    hwsched.suggest_power_limit, hwsched.explain_pending,
    hwsched.preference_now,
    hwsched.predict, hwsched.performance_history, hwsched.learning_json, hwsched.predict_temperature
    TO hwsched_viewer;

GRANT EXECUTE ON FUNCTION
    hwsched.vega_spec, hwsched.chart_values, hwsched.chart_colours, hwsched.summary_report,
    hwsched.report_figures, hwsched.vega_runtime,
    hwsched.html_text, hwsched.html_source, hwsched.html_rating, hwsched.html_table
    TO hwsched_viewer;

-- A worker acts for itself: register (again), report, claim, finish. Which worker
-- that is, access_check_worker() knows.
GRANT EXECUTE ON FUNCTION
    hwsched.register_worker, hwsched.update_load, hwsched.heartbeat, hwsched.start_warming,
    hwsched.start_cooling,
    hwsched.claim, hwsched.start, hwsched.extend_lease, hwsched.requirements, hwsched.running_on,
    hwsched.complete, hwsched.complete_many, hwsched.fail
    TO hwsched_worker, hwsched_coordinator;

GRANT EXECUTE ON FUNCTION
    hwsched.drain_worker, hwsched.resume_worker, hwsched.unregister_worker, hwsched.grant_worker,
    hwsched.submit, hwsched.submit_many, hwsched.schedule, hwsched.assign_pending, hwsched.cancel,
    hwsched.retry_dead, hwsched.rebalance, hwsched.maintain, hwsched.record_power,
    hwsched.schedule_jobs, hwsched.unschedule_jobs, hwsched.reset_learning, hwsched.load_learning
    TO hwsched_coordinator;

GRANT EXECUTE ON FUNCTION
    hwsched.history_json, hwsched.utilization_by_hour, hwsched.thermal_by_hour,
    hwsched.assignment_by_hour, hwsched.execution_by_hour
    TO hwsched_viewer;
GRANT EXECUTE ON FUNCTION
    hwsched.record_assignment, hwsched.record_thermal_state, hwsched.record_resource_utilization,
    hwsched.record_execution_time, hwsched.load_history
    TO hwsched_coordinator;

GRANT EXECUTE ON PROCEDURE hwsched.run_loop TO hwsched_coordinator;
GRANT EXECUTE ON FUNCTION hwsched.create_pool, hwsched.alter_pool,
    hwsched.drop_pool TO hwsched_admin;
