-- What pg_dump takes along: all rows but those that the script itself inserts,
-- and the sequences, without which a restored pool would hand out old ids.
SELECT pg_catalog.pg_extension_config_dump('hwsched.pool', 'WHERE pool <> ''default''');
SELECT pg_catalog.pg_extension_config_dump('hwsched.taxonomy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('hwsched.type_word', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('hwsched.class_similarity', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('hwsched.implied_device', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('hwsched.settings_version', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.pool_activity', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device_profile', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.workload_profile', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.hardware', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.worker', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.worker_usage', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device_usage', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.worker_load', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device_load', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device_heat', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.worker_login',
    -- the number of a role that was dropped may be another one's elsewhere
    'WHERE login::pg_catalog.oid IN (SELECT oid FROM pg_catalog.pg_roles)');
SELECT pg_catalog.pg_extension_config_dump('hwsched.closed_pool', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.pool_login',
    'WHERE login::pg_catalog.oid IN (SELECT oid FROM pg_catalog.pg_roles)');
SELECT pg_catalog.pg_extension_config_dump('hwsched.tenant_login',
    'WHERE login::pg_catalog.oid IN (SELECT oid FROM pg_catalog.pg_roles)');
SELECT pg_catalog.pg_extension_config_dump('hwsched.submission', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.dependency', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.pending', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.reserved_place', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.tenant_past', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.assignment', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.progress', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.key_holder', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.unsettled', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.track_record', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.duration_record', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.prediction_error', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.model_placement', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.load_history_default', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.recorded_assignment_default', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.recorded_execution_default', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.utilization_hour', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.thermal_hour', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.assignment_hour', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.execution_hour', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.history_progress', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.history_late', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.power_measurement', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device_profile_profile_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.workload_profile_profile_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.hardware_hardware_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.queue_no', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.assignment_assignment_id_seq', '');

-- The database has something to dispatch as soon as this commits.
SELECT hwsched_internal.wake_launcher();
