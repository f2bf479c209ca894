-- What was learned of how long work takes, and how well it was foretold.

CREATE TABLE hwsched.duration_record (
    pool text COLLATE "C" NOT NULL,
    kind hwsched.duration_kind NOT NULL,
    scope text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    number int CHECK (number > 0),
    numbers float8[] NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pool, kind, scope, name)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX duration_record_number ON hwsched.duration_record (pool, number)
    WHERE number IS NOT NULL;
COMMENT ON TABLE hwsched.duration_record IS
  'The model of durations: what completed runs have taught, in small records that each run moves '
  'on; see the view duration_model.';
COMMENT ON COLUMN hwsched.duration_record.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.duration_record.kind IS 'What the record is about.';
COMMENT ON COLUMN hwsched.duration_record.scope IS
  'The type of work, the profile_id of the devices or the worker_id that it is about; of the '
  'pool, empty.';
COMMENT ON COLUMN hwsched.duration_record.name IS
  'Of a type of work, the family or model; of a worker, the profile_id of its devices; else '
  'empty.';
COMMENT ON COLUMN hwsched.duration_record.number IS
  'Of a device profile: the number by which the others name it.';
COMMENT ON COLUMN hwsched.duration_record.numbers IS 'Its state, in the order of src/duration.h.';
COMMENT ON COLUMN hwsched.duration_record.updated_at IS 'When a run last changed it.';

CREATE TABLE hwsched.prediction_error (
    pool text COLLATE "C" NOT NULL,
    workload_type text COLLATE "C" NOT NULL,
    hour timestamptz NOT NULL,
    runs bigint NOT NULL,
    predicted_seconds float8 NOT NULL,
    formula_seconds float8 NOT NULL,
    actual_seconds float8 NOT NULL,
    errors bigint[] NOT NULL,
    formula_errors bigint[] NOT NULL,
    PRIMARY KEY (pool, workload_type, hour)
) WITH (fillfactor = 70);
CREATE INDEX prediction_error_hour ON hwsched.prediction_error (pool, hour);
COMMENT ON TABLE hwsched.prediction_error IS
  'How far predicted durations were from actual ones, by hour; see the view model_accuracy.';
COMMENT ON COLUMN hwsched.prediction_error.pool IS 'The pool.';
COMMENT ON COLUMN hwsched.prediction_error.workload_type IS 'The type of work.';
COMMENT ON COLUMN hwsched.prediction_error.hour IS
  'Begin of the hour in which the runs were settled.';
COMMENT ON COLUMN hwsched.prediction_error.runs IS 'Completed runs.';
COMMENT ON COLUMN hwsched.prediction_error.predicted_seconds IS 'Their mean predicted duration.';
COMMENT ON COLUMN hwsched.prediction_error.formula_seconds IS
  'What the profiles alone would have said, mean.';
COMMENT ON COLUMN hwsched.prediction_error.actual_seconds IS 'Their mean actual duration.';
COMMENT ON COLUMN hwsched.prediction_error.errors IS
  'Sketch of the errors, each as a share of the actual duration.';
COMMENT ON COLUMN hwsched.prediction_error.formula_errors IS
  'The same for what the profiles alone would have said.';
