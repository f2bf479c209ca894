SELECT change, effect, cost FROM hwsched.suggest(%(workload)s, %(pool)s)
