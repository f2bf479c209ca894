SELECT * FROM hwsched.pool_summary ORDER BY pool LIMIT 200
