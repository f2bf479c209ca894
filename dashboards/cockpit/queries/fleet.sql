-- The heat map: a cell for each device, or for several that are alike where there
-- are more devices than cells, in groups.
WITH setting AS MATERIALIZED (
  SELECT (SELECT value FROM hwsched.pool_settings(%(pool)s) WHERE name = 'max_concurrent')::float8 AS slots),
device AS (
  SELECT d.worker_id, d.device_no, p.hardware_class, p.model_name, w.labels AS worker_labels, d.labels, w.health AS worker_health, d.health, w.state AS worker_state, d.state,
         p.profile, d.profile_id
  FROM hwsched.device d
  JOIN hwsched.device_profile p USING (pool, profile_id)
  JOIN hwsched.worker w USING (pool, worker_id)
  WHERE d.pool = %(pool)s AND (%(class)s::text IS NULL OR p.hardware_class = %(class)s OR %(class)s = 'accelerators' AND p.hardware_class <> 'cpu')),
used AS (
  SELECT r.worker_id, r.device_no, greatest(r.share / 1e6, r.slots / s.slots)::float8 AS value
  FROM hwsched.device_reserved r CROSS JOIN setting s WHERE r.pool = %(pool)s AND coalesce(%(measure)s, 'use') = 'use'),
heat AS (
  SELECT worker_id, device_no, CASE WHEN reported_at IS NOT NULL THEN temperature_ratio END AS value, temperature_celsius, phase, performance_level_ratio
  FROM hwsched.thermal_states WHERE pool = %(pool)s AND %(measure)s IN ('temperature', 'phase')),
power AS (
  SELECT worker_id, device_no, power_w AS value FROM hwsched.device_load WHERE pool = %(pool)s AND %(measure)s = 'power'),
cell AS (
  SELECT d.worker_id, d.device_no, d.hardware_class, d.model_name,
         CASE coalesce(%(group)s, 'class') WHEN 'class' THEN d.hardware_class WHEN 'model' THEN coalesce(d.model_name, d.hardware_class) WHEN 'none' THEN 'all devices'
              ELSE coalesce(d.labels ->> substr(%(group)s, 7), d.worker_labels ->> substr(%(group)s, 7), 'without this label') END AS grp,
         CASE coalesce(%(measure)s, 'use')
              WHEN 'use' THEN coalesce(u.value, 0) WHEN 'temperature' THEN h.value WHEN 'power' THEN w.value
              WHEN 'phase' THEN CASE h.phase WHEN 'normal' THEN 0 WHEN 'warming' THEN 1 ELSE 2 END
              WHEN 'health' THEN CASE WHEN 'offline' = d.worker_health THEN 4 WHEN 'quarantined' IN (d.worker_health, d.health) THEN 3
                                      WHEN 'probation' IN (d.worker_health, d.health) THEN 2 WHEN 'draining' IN (d.worker_state, d.state) THEN 1 ELSE 0 END END::float8 AS value,
         CASE %(measure)s WHEN 'temperature' THEN h.temperature_celsius WHEN 'power' THEN (d.profile ->> 'thermal_design_power_w')::float8
                          WHEN 'phase' THEN h.performance_level_ratio END AS detail
  FROM device d
  LEFT JOIN used u USING (worker_id, device_no)
  LEFT JOIN heat h USING (worker_id, device_no)
  LEFT JOIN power w USING (worker_id, device_no)),
counted AS (
  SELECT c.*, count(*) OVER (PARTITION BY grp) AS of_group, count(*) OVER () AS of_all,
         row_number() OVER (PARTITION BY grp ORDER BY CASE WHEN tiled THEN value END DESC NULLS LAST, worker_id, device_no) - 1 AS place
  FROM cell c CROSS JOIN (SELECT count(*) > 9000 AS tiled FROM device) t),
tiled AS (
  SELECT *, CASE WHEN of_all <= 9000 THEN place ELSE place * ceil(of_group * 4000.0 / of_all)::bigint / of_group END AS tile FROM counted)
SELECT grp, count(*) AS devices, min(of_group) AS of_group, avg(value) AS value, max(value) AS highest, avg(detail) AS detail,
       min(worker_id) AS worker_id, min(device_no) AS device_no, min(model_name) AS model_name
FROM tiled GROUP BY grp, tile ORDER BY min(of_group) DESC, grp, tile
