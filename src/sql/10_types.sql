-- States. A workload's state follows from its assignments; see hwsched.workload.
CREATE TYPE hwsched.worker_state AS ENUM ('active', 'draining');
COMMENT ON TYPE hwsched.worker_state IS 'active: takes work; draining: finishes what it has.';

CREATE TYPE hwsched.workload_state AS ENUM ('pending', 'assigned', 'running', 'completed',
    'cancelled', 'dead');
COMMENT ON TYPE hwsched.workload_state IS 'The state of a workload; the last three are final.';

CREATE TYPE hwsched.assignment_state AS ENUM ('assigned', 'running', 'completed', 'failed',
    'cancelled', 'expired');
COMMENT ON TYPE hwsched.assignment_state IS
  'The state of one placement; assigned and running hold capacity.';

CREATE TYPE hwsched.thermal_phase AS ENUM ('normal', 'warming', 'cooling');
COMMENT ON TYPE hwsched.thermal_phase IS
  'warming and cooling lower a worker''s performance level until they end.';

CREATE TYPE hwsched.worker_health AS ENUM ('healthy', 'offline', 'quarantined', 'probation');
COMMENT ON TYPE hwsched.worker_health IS
  'offline: silent for too long; quarantined: failed too often in a row; probation: tried again '
  'with one workload at a time.';

CREATE TYPE hwsched.duration_kind AS ENUM ('pool', 'workload_type', 'family', 'model', 'device',
    'worker');
COMMENT ON TYPE hwsched.duration_kind IS
  'The subject of a record of durations: all device profiles of a pool, a type of work, a family '
  'of models, a model, a device profile, a worker''s devices of a profile.';

CREATE TYPE hwsched.error_class AS ENUM ('memory', 'timeout', 'connection', 'worker', 'other',
    'unstarted');
COMMENT ON TYPE hwsched.error_class IS
  'The kind of error that ended an attempt, for the next attempt to answer: memory ran out, time '
  'ran out, something was not reachable, the worker was lost, anything else.';
