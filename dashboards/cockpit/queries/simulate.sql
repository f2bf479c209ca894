-- What work would come to under the settings in force ("now") and under others ("then").
SELECT s.which, r.*
FROM (VALUES ('now', '{}'::jsonb), ('then', %(settings)s::jsonb)) AS s (which, settings)
CROSS JOIN LATERAL hwsched.simulate_summary(jsonb_build_object('arrivals', coalesce(%(arrivals)s, 'queue'), 'settings', s.settings), %(pool)s) r
