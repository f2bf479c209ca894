-- The settings of a pool and their defaults.
CREATE VIEW hwsched_internal.setting AS
SELECT * FROM (VALUES
    ('policy', '{"hardware_aware": 1}'::jsonb,
     'Algorithms and their weights; the weighted sum of their scores ranks the candidates.'),
    ('policies', '{}',
     'Policies by workload type, in place of policy: {"training": {"packing": 1}}.'),
    ('objective', '{"cost": 0, "time": 1, "energy": 0}',
     'What the algorithm objective weighs: predicted time, energy and cost.'),
    ('solver', '"greedy"',
     'greedy: one workload at a time in the order of the queue, each to its best candidate; '
     'optimal: in each priority the most workloads, then the greatest total score.'),
    ('preference_alpha', '0.3', 'How fast preferences follow outcomes, 0..1; 0: not at all.'),
    ('preference_weight', '0.2',
     'How much preferences count: score x (1 + weight x (2 x preference - 1)); 0: learned but not '
     'used.'),
    ('preference_half_life', '"7 days"',
     'Time after which half of a preference is forgotten, if nothing new is learned.'),
    ('learning', 'true',
     'Whether outcomes and reports are learned from, and what was learned is used; false: the '
     'formulas alone, and what was learned before is kept as it is.'),
    ('min_score', '0', 'Least adjusted efficiency that a placement may have.'),
    ('max_load', '0.9', 'Load score above which a device gets no work.'),
    ('max_concurrent', '5',
     'Slots of each device: workloads without accelerators or share that run on it at once.'),
    ('limits', '{}',
     'Limits of concurrency keys: {key: {"concurrent": n, "per_minute": n}}, either or both: what '
     'live work may hold of it, and placements in any 60 s. Of a key that is not named one is live '
     'at a time.'),
    ('lease', '"60 s"', 'How long a claim is leased.'),
    ('warming', '"30 s"', 'Duration of a warm-up.'),
    ('cooling', '"60 s"', 'Duration of a cool-down.'),
    ('offline_after', '"90 s"',
     'Silence after which a worker gets nothing new, is offline, and its work is taken back.'),
    ('load_ttl', '"5 min"',
     'Age from which a load report counts as none, though the worker is alive.'),
    ('start_timeout', '"10 min"',
     'Time after which work goes back to the queue that its worker, which runs nothing else, has '
     'not started.'),
    ('retry_backoff', '"5 s"',
     'Wait before the first retry, doubled with each up to 5 minutes, and up to a half shorter by '
     'chance.'),
    ('notify', 'true',
     'Whether NOTIFY tells of placements (hwsched_assigned) and of closed work (hwsched_changed).'),
    ('decision_detail', '"second"',
     'What is kept of a decision with its assignment, for explain(): how the policy scored the '
     'place, "winner", and the best of the others, "second"; or "none".'),
    ('retention', '{"history": "30 days", "hourly": "400 days"}', 'How long history is kept.'),
    ('quarantine_after', '5', 'Failures in a row after which a worker is quarantined.'),
    ('ageing', '0',
     'Priority steps that an hour of waiting is worth: it comes earlier in the queue, as if it had '
     'been submitted with that priority.'),
    ('preemption', 'false', 'Whether work that finds no place takes that of lower priorities.'),
    ('paused', 'false',
     'Whether nothing is placed or started, while what runs goes on: see pause_pool().'),
    ('order', '"submission"',
     'What comes first within a priority: "submission" (and before that its deadline); "shortest": '
     'what is predicted to take least; "least_served": what has run for the shortest time.'),
    ('order_wait', '"1 day"',
     'With another order than submission, what has waited for longer comes first.'),
    ('tenants', '{}',
     'Tenants that count for more or less than others, or have quotas: {name: {"weight": 1, '
     '"quota": {"accelerators", "cpu_cores", "workloads"}}}.'),
    ('fair_share', 'false',
     'Whether within a priority the tenant is next that uses least for its weight, now and in the '
     'past, which counts half as much each half_life: {"half_life": "1 hour"}.'),
    ('reservations', '1',
     'For how many of the first workloads that have to wait a place is reserved, where what '
     'stands behind gets only what is over in time; 0: only for the first gang.'),
    ('spare_accelerators', 'true',
     'Whether work that asks for no accelerator spares them: true: among equal scores it goes '
     'where there are none, and shares those in use before it opens another; "strict": it '
     'takes none while a CPU has room; false: the score alone decides.'),
    ('carbon_g_per_kwh', 'null',
     'Grams of carbon dioxide per kWh: pareto() then shows that of a workload.'),
    ('energy_price_per_kwh', 'null',
     'Price of a kWh, in the currency of cost_per_hour; it is part of what work costs.'),
    ('wait_target', '"60 s"', 'Wait that scaling advice aims at: what waits longer lacks workers.'),
    ('stop_idle_after', '"10 min"',
     'Time without work after which scaling advice may be to stop a worker that costs something.'),
    ('scaling_every', '"5 min"',
     'Time after which maintain() seeks scaling advice anew, and tells by NOTIFY hwsched_scaling '
     'if it has changed; 0: never.'),
    ('vega_url', 'null',
     'Where reports load Vega from when it is not installed: a URL below which packages of npm are '
     'found, such as https://cdn.jsdelivr.net/npm.'),
    ('unknown_keys', '"refuse"',
     'What is done with keys of documents that nothing reads: refuse; warn, or keep: they then '
     'stand in custom_properties of requirements and hardware_specs of capabilities.'),
    ('batch_window', '100000',
     'Workloads that a batch places at most; work of kinds that have no room is passed over.'),
    ('maintain_batch', '10000',
     'Assignments that a call of maintain() takes back at most; its column more tells of the rest.')
) AS s (name, default_value, description);
COMMENT ON VIEW hwsched_internal.setting IS 'The settings that a pool has, and their defaults.';
COMMENT ON COLUMN hwsched_internal.setting.name IS 'Key of the settings document.';
COMMENT ON COLUMN hwsched_internal.setting.default_value IS
  'Value in force where a pool does not set one.';
COMMENT ON COLUMN hwsched_internal.setting.description IS 'Its effect.';
