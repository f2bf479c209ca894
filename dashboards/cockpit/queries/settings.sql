SELECT name, value, default_value, description, value IS DISTINCT FROM default_value AS changed FROM hwsched.pool_settings(%(pool)s) ORDER BY value IS DISTINCT FROM default_value DESC, name
