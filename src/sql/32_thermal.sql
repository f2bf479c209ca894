-- What is learned of the temperature of devices.

CREATE TABLE hwsched.device_heat (
    pool text COLLATE "C" NOT NULL,
    worker_id text COLLATE "C" NOT NULL,
    device_no int NOT NULL,
    profile_id bigint NOT NULL,
    model float8[] NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (pool, worker_id, device_no)
) WITH (fillfactor = 50);
-- where a new device of a kind looks for one that has been learned
CREATE INDEX device_heat_profile ON hwsched.device_heat (pool, profile_id, worker_id, device_no);
COMMENT ON TABLE hwsched.device_heat IS
  'The thermal model of each device that reports degrees and power (or utilisation), learned '
  'from these reports; the view thermal_model tells what is in it.';
COMMENT ON COLUMN hwsched.device_heat.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.device_heat.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.device_heat.device_no IS 'The device.';
COMMENT ON COLUMN hwsched.device_heat.profile_id IS
  'The device profile it was learned for; a device that has become another one starts again.';
COMMENT ON COLUMN hwsched.device_heat.model IS 'The state of the model.';
COMMENT ON COLUMN hwsched.device_heat.updated_at IS 'The last report it has learned from.';

CREATE FUNCTION hwsched_internal.describe_heat(model float8[], OUT reports bigint,
    OUT time_constant_seconds float8,
    OUT resistance float8, OUT error_celsius float8, OUT persistence_error_celsius float8,
    OUT idle_watts float8, OUT full_watts float8, OUT settled_full_celsius float8) RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'hwsched_describe_heat';
COMMENT ON FUNCTION hwsched_internal.describe_heat(float8[]) IS
  'What a thermal model of the table device_heat says; NULLs for what is none.';

CREATE VIEW hwsched.thermal_model AS
SELECT h.pool, h.worker_id, h.device_no, m.reports, m.time_constant_seconds,
       m.resistance AS resistance_celsius_per_watt,
       m.error_celsius, m.persistence_error_celsius, m.idle_watts, m.full_watts,
       m.settled_full_celsius, h.updated_at
FROM hwsched.device_heat h
JOIN hwsched.device d
    ON d.pool = h.pool AND d.worker_id = h.worker_id AND d.device_no = h.device_no
        AND d.profile_id = h.profile_id
CROSS JOIN LATERAL hwsched_internal.describe_heat(h.model) m;
COMMENT ON VIEW hwsched.thermal_model IS
  'What was learned of the temperature of devices, from their reports of degrees and power.';
COMMENT ON COLUMN hwsched.thermal_model.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.thermal_model.worker_id IS 'The worker.';
COMMENT ON COLUMN hwsched.thermal_model.device_no IS 'The device.';
COMMENT ON COLUMN hwsched.thermal_model.reports IS
  'Reports that it has learned from; 0 if all it knows is from another device of its kind.';
COMMENT ON COLUMN hwsched.thermal_model.time_constant_seconds IS
  'Time in which 63 % of a change of temperature comes.';
COMMENT ON COLUMN hwsched.thermal_model.resistance_celsius_per_watt IS
  'Degrees that a watt more is worth, on the mean.';
COMMENT ON COLUMN hwsched.thermal_model.error_celsius IS
  'How far off its prediction of the next report usually is; of late more than of old.';
COMMENT ON COLUMN hwsched.thermal_model.persistence_error_celsius IS
  'How far off the last reported temperature would have been.';
COMMENT ON COLUMN hwsched.thermal_model.idle_watts IS
  'Power when idle, by power and utilisation as reported so far.';
COMMENT ON COLUMN hwsched.thermal_model.full_watts IS
  'Power at full load: the thermal design power, raised if more was reported.';
COMMENT ON COLUMN hwsched.thermal_model.settled_full_celsius IS
  'The temperature that it would settle at under that power.';
COMMENT ON COLUMN hwsched.thermal_model.updated_at IS 'The last report it has learned from.';

CREATE FUNCTION hwsched.predict_temperature(worker_id text, device_no int,
    power_w float8 DEFAULT NULL, utilization float8 DEFAULT NULL, after interval DEFAULT '1 hour',
    pool text DEFAULT 'default')
    RETURNS float8
    LANGUAGE c STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_predict_temperature';
COMMENT ON FUNCTION hwsched.predict_temperature(text, int, float8, float8, interval, text) IS
  'Returns the degrees that a device will have after some time at a power or a utilization in '
  'percent (NULL: as it is), by its thermal model; NULL while nothing is known.';
