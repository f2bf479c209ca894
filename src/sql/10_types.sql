-- States. A workload's state follows from its assignments; see hwsched.workload.
CREATE TYPE hwsched.worker_state AS ENUM ('active', 'draining');
COMMENT ON TYPE hwsched.worker_state IS 'active: takes work; draining: finishes what it has.';

CREATE TYPE hwsched.workload_state AS ENUM ('pending', 'assigned', 'running', 'completed', 'cancelled', 'dead');
COMMENT ON TYPE hwsched.workload_state IS 'Where a workload stands; the last three are final.';

CREATE TYPE hwsched.assignment_state AS ENUM ('assigned', 'running', 'completed', 'failed', 'cancelled', 'expired');
COMMENT ON TYPE hwsched.assignment_state IS 'Where one placement stands; assigned and running hold capacity.';

CREATE TYPE hwsched.thermal_phase AS ENUM ('normal', 'warming', 'cooling');
COMMENT ON TYPE hwsched.thermal_phase IS 'warming and cooling lower a worker''s performance level until they end.';
