-- One workload: what it asks for, and where it stands.
SELECT w.workload_id, w.run, w.state, w.priority, w.workload_type, w.model_id, w.model_family, p.tenant, w.expected_seconds, w.timeout_seconds, w.retries, w.deadline, w.deadline_missed,
       w.submitted_at, w.closed_at, w.run_at, w.expires_at, w.outcome_reason, w.altered_at, w.altered_reason, w.requirements, w.concurrency_keys,
       (SELECT coalesce(json_agg(json_build_object('workload_id', d.depends_on, 'state', o.state) ORDER BY d.depends_on), '[]')
        FROM hwsched.dependency d LEFT JOIN hwsched.workload o ON o.pool = d.pool AND o.workload_id = d.depends_on
        WHERE d.pool = w.pool AND d.workload_id = w.workload_id) AS depends_on,
       (SELECT coalesce(json_agg(d.workload_id ORDER BY d.workload_id), '[]') FROM hwsched.dependency d WHERE d.pool = w.pool AND d.depends_on = w.workload_id) AS dependents
FROM hwsched.workload w JOIN hwsched.workload_profile p USING (pool, profile_id)
WHERE w.pool = %(pool)s AND w.workload_id = %(workload)s
