-- Energy: what jobs took at power limits, and what work would take where.

CREATE TABLE hwsched.power_measurement (
    pool text COLLATE "C" NOT NULL,
    job text COLLATE "C" NOT NULL CHECK (octet_length(job) BETWEEN 1 AND 1000),
    device_model text COLLATE "C" NOT NULL CHECK (octet_length(device_model) BETWEEN 1 AND 1000),
    power_limit_w float8 NOT NULL CHECK (power_limit_w BETWEEN 0.001 AND 1e6),
    seconds float8 NOT NULL CHECK (seconds BETWEEN 1e-9 AND 1e12),
    average_w float8 NOT NULL CHECK (average_w BETWEEN 0.001 AND 1e6),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pool, job, device_model, power_limit_w)
);
CREATE INDEX power_measurement_latest ON hwsched.power_measurement (pool, at, job);
COMMENT ON TABLE hwsched.power_measurement IS
  'Seconds and watts of jobs at power limits of device models: the last measurement of each job, '
  'model and limit.';
COMMENT ON COLUMN hwsched.power_measurement.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.power_measurement.job IS
  'The job, as whoever measures names it: a model and batch size, a kind of work.';
COMMENT ON COLUMN hwsched.power_measurement.device_model IS 'The model of the device.';
COMMENT ON COLUMN hwsched.power_measurement.power_limit_w IS 'Its power limit meanwhile, in watts.';
COMMENT ON COLUMN hwsched.power_measurement.seconds IS
  'Seconds that one unit of the job took, such as an epoch.';
COMMENT ON COLUMN hwsched.power_measurement.average_w IS 'Mean power in watts meanwhile.';
COMMENT ON COLUMN hwsched.power_measurement.at IS 'When it was recorded.';

CREATE FUNCTION hwsched.record_power(job text, device_model text, power_limit_w float8,
    seconds float8, average_w float8, pool text DEFAULT 'default')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_record_power';
COMMENT ON FUNCTION hwsched.record_power(text, text, float8, float8, float8, text) IS
  'Records how long one unit of a job took on a device model at a power limit, and the watts that'
  ' it drew meanwhile; replaces an earlier record of the three.';

CREATE FUNCTION hwsched.suggest_power_limit(job text, slowdown float8 DEFAULT 0.1,
    pool text DEFAULT 'default', device_model text DEFAULT NULL,
    OUT device_model text, OUT power_limit_w float8, OUT predicted_seconds float8,
    OUT predicted_w float8, OUT joules float8, OUT slowdown_risk float8, OUT chosen boolean,
    OUT measured boolean, OUT measure_next boolean)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 50 SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_suggest_power_limit';
COMMENT ON FUNCTION hwsched.suggest_power_limit(text, float8, text, text) IS
  'Returns the device models and power limits for a job that was measured at one or two of them. '
  'The chosen one takes the least energy among those no more than slowdown slower than the '
  'fastest. Other jobs tell what one unit of the job is expected to take there, and the '
  'probability of being too slow; NULL where nothing is known. measure_next: where a measurement '
  'would tell most. device_model: only settings of it.';

CREATE FUNCTION hwsched.pareto(workload_id text, pool text DEFAULT 'default', OUT worker_id text,
    OUT device_no int, OUT predicted_seconds float8, OUT joules float8, OUT cost float8,
    OUT carbon_g float8, OUT on_front boolean, OUT rank int, OUT score float8,
    OUT hardware_class text, OUT model_name text, OUT reason text)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'hwsched_pareto';
COMMENT ON FUNCTION hwsched.pareto(text, text) IS
  'Returns what a workload takes on each device that can run it (on as many equal ones as it asks'
  ' for): seconds, joules, money, and carbon if its intensity is set. on_front: no other device '
  'is better in one of the first three and no worse in the others. Those come first, by score, '
  'which is that of the pool''s objective; reason tells why a device cannot take it now.';
