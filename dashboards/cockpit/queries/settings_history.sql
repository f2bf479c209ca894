SELECT version, changed_at, changed_by, reason, changes FROM hwsched.settings_history(%(pool)s) ORDER BY version DESC LIMIT 100
