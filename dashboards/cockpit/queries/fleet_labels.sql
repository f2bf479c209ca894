-- What a fleet can be grouped by.
SELECT DISTINCT key
FROM (SELECT DISTINCT labels FROM hwsched.worker WHERE pool = %(pool)s AND labels <> '{}'
      UNION SELECT DISTINCT labels FROM hwsched.device WHERE pool = %(pool)s AND labels <> '{}') l CROSS JOIN LATERAL jsonb_object_keys(l.labels) key
ORDER BY key LIMIT 30
