-- What pg_dump takes along: all rows but those that the script itself inserts,
-- and the sequences, without which a restored pool would hand out old ids.
SELECT pg_catalog.pg_extension_config_dump('hwsched.pool', 'WHERE pool <> ''default''');
SELECT pg_catalog.pg_extension_config_dump('hwsched.taxonomy', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('hwsched.type_word', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('hwsched.class_similarity', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('hwsched.implied_device', 'WHERE NOT builtin');
SELECT pg_catalog.pg_extension_config_dump('hwsched.settings_version', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device_profile', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.workload_profile', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.hardware', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.worker', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.worker_usage', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device_usage', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.worker_load', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device_load', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.worker_login', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.submission', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.pending', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.assignment', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.preference', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.load_history', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.device_profile_profile_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.workload_profile_profile_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.hardware_hardware_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.queue_no', '');
SELECT pg_catalog.pg_extension_config_dump('hwsched.assignment_assignment_id_seq', '');
