SELECT reason, workloads, first_position, ready FROM hwsched.explain_pending(%(pool)s) ORDER BY workloads DESC, reason LIMIT 30
