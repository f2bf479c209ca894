-- Who may do what. Nothing for PUBLIC; see docs/reference/roles.md.
REVOKE ALL ON ALL ROUTINES IN SCHEMA hwsched, hwsched_internal FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA hwsched FROM PUBLIC;
REVOKE ALL ON TYPE hwsched.worker_state, hwsched.workload_state, hwsched.assignment_state,
    hwsched.thermal_phase, hwsched.taxonomy_kind, hwsched.worker_health, hwsched.error_class,
    hwsched.duration_kind, hwsched.login_role FROM PUBLIC;
GRANT USAGE ON TYPE hwsched.worker_state, hwsched.workload_state, hwsched.assignment_state,
    hwsched.thermal_phase, hwsched.taxonomy_kind, hwsched.worker_health, hwsched.error_class,
    hwsched.duration_kind, hwsched.login_role TO hwsched_viewer, hwsched_worker;
GRANT USAGE ON SCHEMA hwsched TO hwsched_viewer, hwsched_worker;

-- Reading: everything but who is bound to which worker, or was granted what.
GRANT SELECT ON ALL TABLES IN SCHEMA hwsched TO hwsched_viewer;
REVOKE ALL ON hwsched.worker_login, hwsched.closed_pool, hwsched.pool_login, hwsched.tenant_login
    FROM hwsched_viewer;
-- partitions are read through what they are part of, like those made later
REVOKE ALL ON hwsched.load_history_default, hwsched.recorded_assignment_default,
    hwsched.recorded_execution_default
    FROM hwsched_viewer;
GRANT SELECT ON hwsched.taxonomy, hwsched.type_word, hwsched.class_similarity,
    hwsched.implied_device TO hwsched_worker;
GRANT SELECT ON hwsched.worker_login, hwsched.closed_pool, hwsched.pool_login, hwsched.tenant_login
    TO hwsched_admin;
GRANT INSERT, UPDATE, DELETE ON hwsched.taxonomy, hwsched.type_word, hwsched.class_similarity,
    hwsched.implied_device TO hwsched_admin;

GRANT EXECUTE ON FUNCTION
    hwsched.workload_profile, hwsched.device_profiles, hwsched.is_compatible,
    hwsched.efficiency_score, hwsched.raw_efficiency,
    hwsched.load_score, hwsched.effective_load_score, hwsched.adjusted_efficiency,
    hwsched.preference_after,
    hwsched.predict_seconds, hwsched.predict_joules, hwsched.compatibility_score,
    hwsched.thermal_step, hwsched.thermal_at, hwsched.performance_level, hwsched.temperature_ratio,
    hwsched.efficiency_rating, hwsched.prediction_rating
    TO hwsched_viewer, hwsched_worker;
GRANT EXECUTE ON FUNCTION
    hwsched.pool_settings, hwsched.settings_history,
    hwsched.check_requirements, hwsched.check_capabilities,
    hwsched.plan_pending, hwsched.compatible_hardware, hwsched.pareto,
    hwsched.suggest_power_limit, hwsched.explain, hwsched.explain_pending,
    hwsched.suggest,
    hwsched.simulate, hwsched.simulate_summary, hwsched.scaling_advice,
    hwsched.predict, hwsched.performance_history, hwsched.change_points, hwsched.best_hardware,
    hwsched.performance_ranking, hwsched.fallback_workers,
    hwsched.learning_json, hwsched.predict_temperature
    TO hwsched_viewer;

GRANT EXECUTE ON FUNCTION
    hwsched.vega_spec, hwsched.summary_report, hwsched.history_json
    TO hwsched_viewer;

-- A worker acts for itself: register (again), report, claim, finish. Which worker
-- that is, access_check_worker() knows.
GRANT EXECUTE ON FUNCTION
    hwsched.register_worker, hwsched.update_load, hwsched.heartbeat(text, text),
    hwsched.heartbeat(text, bigint[], text), hwsched.start_warming, hwsched.start_cooling,
    hwsched.claim, hwsched.start, hwsched.extend_lease, hwsched.requirements, hwsched.running_on,
    hwsched.complete, hwsched.complete_many, hwsched.next, hwsched.progress, hwsched.yield_work,
    hwsched.fail(bigint, text, text), hwsched.fail(bigint, text, jsonb, text)
    TO hwsched_worker, hwsched_coordinator;

GRANT EXECUTE ON FUNCTION
    hwsched.pause_pool, hwsched.resume_pool,
    hwsched.drain_worker(text, text),
    hwsched.drain_worker(text, timestamptz, timestamptz, text), hwsched.resume_worker,
    hwsched.drain_device, hwsched.resume_device,
    hwsched.unregister_worker, hwsched.grant_worker,
    hwsched.submit, hwsched.submit_many, hwsched.schedule, hwsched.assign_pending, hwsched.cancel,
    hwsched.cancel_many, hwsched.retry_many, hwsched.alter_workload, hwsched.apply_suggestion,
    hwsched.retry_dead,
    hwsched.rebalance, hwsched.maintain,
    hwsched_internal.recover, hwsched_internal.assign_batch, hwsched_internal.keep_history,
    hwsched_internal.note_failure,
    hwsched.record_power,
    hwsched.schedule_jobs, hwsched.unschedule_jobs, hwsched.reset_learning, hwsched.load_learning,
    hwsched.teach
    TO hwsched_coordinator;

-- What reading is made of: whoever asks for a view or a chart calls it, too.
GRANT USAGE ON SCHEMA hwsched_internal TO hwsched_viewer;
GRANT SELECT ON hwsched_internal.setting, hwsched_internal.retention,
    hwsched_internal.patience, hwsched_internal.history_unrolled TO hwsched_viewer;
GRANT EXECUTE ON FUNCTION
    hwsched_internal.describe_heat, hwsched_internal.sketch_quantile,
    hwsched_internal.sketch_merge, hwsched_internal.sketch_sum, hwsched_internal.preference_now,
    hwsched_internal.queue_reasons, hwsched_internal.tenant_usage, hwsched_internal.phase_now,
    hwsched_internal.check_period, hwsched_internal.sees_pool, hwsched_internal.sees_all,
    hwsched_internal.sees_tenant, hwsched_internal.sees_profile, hwsched_internal.sees_workload,
    hwsched_internal.sees_assignment,
    hwsched_internal.device_temperature,
    hwsched_internal.utilization_by_hour, hwsched_internal.thermal_by_hour,
    hwsched_internal.assignment_by_hour, hwsched_internal.execution_by_hour,
    hwsched_internal.chart_values, hwsched_internal.chart_colours, hwsched_internal.report_figures,
    hwsched_internal.report_now,
    hwsched_internal.vega_runtime, hwsched_internal.html_text, hwsched_internal.html_source,
    hwsched_internal.html_rating, hwsched_internal.html_table, hwsched_internal.lock_holders
    TO hwsched_viewer;

GRANT EXECUTE ON FUNCTION
    hwsched.record_assignment, hwsched.record_thermal_state, hwsched.record_resource_utilization,
    hwsched.record_execution_time, hwsched.load_history(jsonb, text),
    hwsched.load_history(jsonb, boolean, text)
    TO hwsched_coordinator;

GRANT EXECUTE ON PROCEDURE hwsched.run_loop TO hwsched_coordinator;
GRANT EXECUTE ON FUNCTION hwsched.create_pool, hwsched.alter_pool, hwsched.rollback_settings,
    hwsched.tune,
    hwsched.drop_pool, hwsched.grant_pool, hwsched.revoke_pool, hwsched.grant_tenant,
    hwsched.revoke_tenant, hwsched.start_dispatcher, hwsched.stop_dispatcher,
    hwsched_internal.note_maintained
    TO hwsched_admin;
