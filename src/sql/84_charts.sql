-- Charts: what each shows, and the Vega-Lite specification it becomes, with its
-- data inline. A chart is a row of hwsched.chart: the query takes the rows of a
-- history as "history", and what it returns are the chart's values.
--
-- What is drawn is bounded, whatever the pool holds: the most used are shown and
-- the others put together, time is cut into 120 steps at most, and points that
-- lie together become one.

CREATE VIEW hwsched.chart AS
SELECT * FROM (VALUES
    (1, 'hardware_efficiency', 'Efficiency of the hardware', 'efficiency_history',
     'worker_id, hardware_class, 1 AS assignments, efficiency_ratio', NULL,
     $$
     WITH hardware AS (
         SELECT worker_id, coalesce(hardware_class::text, 'unknown') AS hardware_class,
                count(*) AS assignments, avg(efficiency_ratio) AS efficiency_ratio
         FROM history GROUP BY 1, 2),
     ranked AS (
         SELECT *,
                row_number() OVER (ORDER BY assignments DESC, worker_id, hardware_class) AS place,
                count(*) OVER () AS total
         FROM hardware),
     bar AS (
         SELECT CASE WHEN place <= 30 THEN worker_id END AS worker_id, hardware_class,
                count(*) AS workers, sum(assignments) AS assignments,
                sum(efficiency_ratio * assignments) / sum(assignments) AS efficiency_ratio,
                max(total) AS total
         FROM ranked GROUP BY 1, 2)
     SELECT format('%s / %s', coalesce(worker_id, format('(%s others)', workers)), hardware_class)
            AS hardware, hardware_class, assignments,
            round(efficiency_ratio::numeric, 4) AS efficiency_ratio,
            hwsched.efficiency_rating(efficiency_ratio) AS rating,
            CASE WHEN total > 30
                     THEN format('the 30 most used of %s; the others together, by class', total) END
            AS note
     FROM bar ORDER BY bar.efficiency_ratio DESC, hardware
     $$,
     '[["hardware", "worker and hardware class", "nominal"],
       ["efficiency_ratio", "efficiency (0 to 1)", "quantitative"],
       ["rating", "rating", "nominal"], ["assignments", "assignments", "quantitative"]]'::jsonb,
     'hardware_class', '["cpu", "gpu", "tpu", "npu", "dsp", "fpga", "asic", "hybrid"]'::jsonb,
     '{"height": {"step": 18}, "mark": {"type": "bar"},
       "encoding": {"y": {"field": "hardware", "type": "nominal", "sort": "-x", "title": "worker"},
                    "x": {"field": "efficiency_ratio", "type": "quantitative",
                          "title": "mean efficiency (0 to 1)", "scale": {"domain": [0, 1]}},
                    "color": {"field": "hardware_class", "type": "nominal",
                              "title": "hardware class"}}}'::jsonb),
    (2, 'workload_distribution', 'Distribution of the work', 'assignment_history',
     'worker_id, workload_type, 1 AS assignments', 'worker_id, workload_type, assignments',
     $$
     WITH part AS (
         SELECT worker_id, coalesce(workload_type, 'unknown') AS workload_type,
                sum(assignments) AS assignments
         FROM history GROUP BY 1, 2),
     worker AS (
         SELECT worker_id,
                row_number() OVER (ORDER BY sum(assignments) DESC, worker_id) <= 30 AS shown,
                count(*) OVER () AS total
         FROM part GROUP BY 1),
     type AS (SELECT workload_type FROM part GROUP BY 1 ORDER BY sum(assignments) DESC, 1 LIMIT 9),
     bar AS (
         SELECT CASE WHEN w.shown THEN w.worker_id
                     ELSE format('(%s others, mean)', w.total - 30) END AS worker,
                coalesce(t.workload_type, 'other types') AS workload_type,
                sum(p.assignments) AS assignments, w.shown, w.total
         FROM part p JOIN worker w ON w.worker_id = p.worker_id
         LEFT JOIN type t ON t.workload_type = p.workload_type
         GROUP BY 1, 2, w.shown, w.total)
     SELECT worker, workload_type,
            CASE WHEN shown THEN assignments ELSE round(assignments / (total - 30)::numeric, 2) END
                AS assignments,
            CASE WHEN total > 30
                     THEN format('the 30 busiest of %s workers; the others, which have %s '
                                 'together, on average', total,
                                 (sum(assignments) FILTER (WHERE NOT shown) OVER ())::bigint) END
                                 AS note
     FROM bar
     ORDER BY shown DESC, sum(assignments) OVER (PARTITION BY worker) DESC, worker, workload_type
     $$,
     '[["worker", "worker", "nominal"], ["workload_type", "type of work", "nominal"],
       ["assignments", "assignments", "quantitative"]]',
     'workload_type',
     '["vision", "nlp", "audio", "multimodal", "training", "inference", "embedding",
       "conversational", "mixed"]',
     '{"height": {"step": 18}, "mark": {"type": "bar"},
       "encoding": {"y": {"field": "worker", "type": "nominal", "sort": null, "title": "worker"},
                    "x": {"field": "assignments", "type": "quantitative", "stack": "zero",
                          "title": "assignments (number)",
                          "axis": {"format": "d", "tickMinStep": 1}},
                    "color": {"field": "workload_type", "type": "nominal",
                              "title": "type of work"}}}'),
    (3, 'thermal_states', 'Temperature and thermal phases', 'thermal_history',
     'time, worker_id, device_no, temperature_ratio, temperature_ratio AS max_temperature_ratio, '
     'temperature_celsius, phase',
     'time, worker_id, device_no, temperature_ratio, max_temperature_ratio, '
     'max_temperature_celsius AS temperature_celsius, NULL AS phase',
     $$
     WITH device AS (
         SELECT worker_id, device_no,
                row_number() OVER (ORDER BY max(max_temperature_ratio) DESC, count(*) DESC,
                                            worker_id, device_no) AS no, count(*) OVER () AS total
         FROM history WHERE temperature_ratio IS NOT NULL GROUP BY 1, 2),
     sample AS (
         SELECT d.no, d.total, d.worker_id || coalesce(' #' || d.device_no, '') AS device,
                date_bin($4, h.time, 'epoch') AS time,
                max(h.max_temperature_ratio) AS temperature_ratio,
                max(h.temperature_celsius) AS temperature_celsius,
                coalesce(min(h.phase::text) FILTER (WHERE h.phase::text <> 'normal'),
                         min(h.phase::text)) AS phase
         FROM history h
         JOIN device d ON d.worker_id = h.worker_id AND d.device_no IS NOT DISTINCT FROM h.device_no
         WHERE d.no <= 6 AND h.temperature_ratio IS NOT NULL GROUP BY d.no, d.total, 3, 4),
     step AS (
         SELECT *, phase IS DISTINCT FROM lag(phase) OVER w AS is_new,
                lead(time) OVER w AS next_time
         FROM sample WINDOW w AS (PARTITION BY no ORDER BY time)),
     phased AS (SELECT *,
                       count(*)
                           FILTER (WHERE is_new) OVER (PARTITION BY no ORDER BY time) AS phase_no
                FROM step)
     SELECT device, time, round(temperature_ratio::numeric, 4) AS temperature_ratio,
            round(temperature_celsius::numeric, 2) AS temperature_celsius, phase,
            -- a band begins at its first sample and ends where the next phase begins
            CASE WHEN is_new AND phase <> 'normal'
                     THEN max(coalesce(next_time, time + $4)) OVER (PARTITION BY no, phase_no) END
                AS phase_until,
            concat_ws('; ', CASE WHEN total > 6 THEN format('the 6 hottest of %s', total) END,
                      'the highest of each step',
                      CASE WHEN bool_and(phase IS NULL) OVER ()
                               THEN 'by the hour, without phases' END) AS note
     FROM phased ORDER BY no, time
     $$,
     '[["device", "worker and device", "nominal"], ["time", "time (UTC)", "temporal"],
       ["temperature_ratio", "temperature (0 idle, 1 throttling)", "quantitative"],
       ["temperature_celsius", "temperature (degrees Celsius)", "quantitative"],
       ["phase", "thermal phase", "nominal"]]',
     NULL, NULL,
     '{"facet": {"row": {"field": "device", "type": "nominal", "sort": null,
                         "title": "temperature, 0 idle to 1 throttling",
                         "header": {"labelAngle": 0, "labelAlign": "left", "labelAnchor": "middle",
                                    "labelLimit": 180, "labelPadding": 6}}},
       "spec": {"height": 90, "width": 560,
                "encoding": {"x": {"field": "time", "type": "temporal", "title": "time (UTC)",
                                   "scale": {"type": "utc"}}},
                "layer": [{"transform": [{"filter": "isValid(datum.phase_until)"}],
                           "mark": {"type": "rect", "opacity": 0.3},
                           "encoding": {"x2": {"field": "phase_until"},
                                        "color": {"field": "phase", "type": "nominal",
                                                  "title": "thermal phase",
                                                  "scale": {"domain": ["warming", "cooling"],
                                                            "range": ["#E69F00", "#56B4E9"]}}}},
                          {"mark": {"type": "line", "color": "#D55E00",
                                    "point": {"size": 16, "color": "#D55E00"}},
                           "encoding": {"y": {"field": "temperature_ratio", "type": "quantitative",
                                              "title": "0 to 1", "scale": {"domain": [0, 1]},
                                              "axis": {"tickCount": 3}}}}]}}'),
    (4, 'resource_utilization', 'Utilization of resources', 'utilization_history',
     'worker_id, 1 AS samples, cpu_ratio, memory_ratio, gpu_ratio, io_ratio, network_ratio',
     'worker_id, samples, cpu_ratio, memory_ratio, gpu_ratio, io_ratio, network_ratio',
     $$
     WITH mean AS (
         SELECT h.worker_id, r.no, r.resource, r.ratio / r.samples AS ratio, r.samples
         FROM (SELECT worker_id, sum(cpu_ratio * samples) AS cpu,
                      sum(samples) FILTER (WHERE cpu_ratio IS NOT NULL) AS cpu_samples,
                      sum(memory_ratio * samples) AS memory,
                      sum(samples) FILTER (WHERE memory_ratio IS NOT NULL) AS memory_samples,
                      sum(gpu_ratio * samples) AS gpu,
                      sum(samples) FILTER (WHERE gpu_ratio IS NOT NULL) AS gpu_samples,
                      sum(io_ratio * samples) AS io,
                      sum(samples) FILTER (WHERE io_ratio IS NOT NULL) AS io_samples,
                      sum(network_ratio * samples) AS network,
                      sum(samples) FILTER (WHERE network_ratio IS NOT NULL) AS network_samples
               FROM history GROUP BY 1) h
         CROSS JOIN LATERAL (VALUES (1, 'CPU', h.cpu, h.cpu_samples),
                                 (2, 'memory', h.memory, h.memory_samples),
                                 (3, 'GPU', h.gpu, h.gpu_samples),
                                    (4, 'I/O', h.io, h.io_samples),
                                    (5, 'network', h.network, h.network_samples)) AS r (no,
                                        resource, ratio, samples)
         WHERE r.samples > 0),
     worker AS (
         SELECT worker_id, row_number() OVER (ORDER BY max(ratio) DESC, worker_id) AS place,
                count(*) OVER () AS total
         FROM mean GROUP BY 1)
     SELECT worker, resource,
            round((sum(ratio * samples) / sum(samples))::numeric, 4) AS utilization_ratio,
            sum(samples) AS samples,
            CASE WHEN max(total) > 30
                     THEN format('the 30 most utilized of %s workers; the others together',
                                 max(total)) END AS note
     FROM (SELECT m.*, w.total, least(w.place, 31) AS place,
                  CASE WHEN w.place <= 30 THEN w.worker_id
                       ELSE format('(%s others)', w.total - 30) END AS worker
           FROM mean m JOIN worker w ON w.worker_id = m.worker_id) m
     GROUP BY place, worker, no, resource
     ORDER BY place, no
     $$,
     '[["worker", "worker", "nominal"], ["resource", "resource", "nominal"],
       ["utilization_ratio", "mean utilization (0 to 1)", "quantitative"],
       ["samples", "reports", "quantitative"]]',
     NULL, NULL,
     '{"height": {"step": 20},
       "encoding": {"y": {"field": "worker", "type": "nominal", "sort": null, "title": "worker"},
                    "x": {"field": "resource", "type": "nominal",
                          "sort": ["CPU", "memory", "GPU", "I/O", "network"], "title": "resource",
                          "scale": {"domain": ["CPU", "memory", "GPU", "I/O", "network"]},
                          "axis": {"labelAngle": 0}}},
       "layer": [{"mark": {"type": "rect"},
                  "encoding": {"color": {"field": "utilization_ratio", "type": "quantitative",
                                         "title": "mean utilization (%)",
                                         "scale": {"scheme": "viridis", "domain": [0, 1]},
                                         "legend": {"format": ".0%"}}}},
                 {"mark": {"type": "text", "style": "cell"},
                  "encoding": {"text": {"field": "utilization_ratio", "type": "quantitative",
                                        "format": ".0%"},
                               "color": {"condition": {"test": "datum.utilization_ratio > 0.55",
                                                       "value": "black"}, "value": "white"}}}]}'),
    (5, 'execution_times', 'Estimated and actual time', 'execution_history',
     'workload_id, worker_id, workload_type, state, predicted_seconds, actual_seconds', NULL,
     $$
     WITH run AS (
         SELECT row_number() OVER () AS no, workload_id, worker_id,
                coalesce(workload_type, 'unknown') AS workload_type,
                actual_seconds / predicted_seconds AS ratio,
                -- a logarithmic axis has no 0
                greatest(predicted_seconds, 0.001) AS estimated,
                    greatest(actual_seconds, 0.001) AS actual
         FROM history
         WHERE state::text = 'completed' AND predicted_seconds > 0 AND actual_seconds >= 0),
     scale AS (
         -- both axes: from half the least to twice the greatest, widened to powers of ten
         SELECT count(*) AS total, floor(log(min(least(estimated, actual)) / 2)) AS low,
                ceil(log(2 * max(greatest(estimated, actual))))
                - floor(log(min(least(estimated, actual)) / 2)) AS width
         FROM run),
     type AS (SELECT workload_type FROM run GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 9),
     placed AS (
         SELECT r.*, abs(ln(actual / estimated)) AS off, (log(estimated) - low) / width AS x,
                (log(actual) - low) / width AS y, total,
                CASE WHEN total <= 500 THEN -no
                     ELSE floor(50 * (log(estimated) - low) / width) * 51
                         + floor(50 * (log(actual) - low) / width) END AS cell
         FROM run r CROSS JOIN scale),
     worst AS (SELECT cell, max(off) AS off, count(*) AS executions FROM placed GROUP BY 1),
     counted AS (
         SELECT c.*, row_number() OVER (ORDER BY c.off DESC, c.workload_id, c.no) AS place
         FROM (SELECT DISTINCT ON (p.cell) p.*, w.executions FROM placed p
               JOIN worst w ON w.cell = p.cell AND w.off = p.off
               ORDER BY p.cell, p.workload_id, p.no) c),
     outlier AS (
         SELECT * FROM counted WHERE place <= 20 AND hwsched.prediction_rating(ratio) = 'poor')
     SELECT c.workload_id, c.worker_id, coalesce(t.workload_type, 'other types') AS workload_type,
            round(c.estimated::numeric, 3) AS predicted_seconds,
            round(c.actual::numeric, 3) AS actual_seconds,
            round(c.ratio::numeric, CASE WHEN c.ratio < 0.1 THEN 6 ELSE 3 END) AS ratio,
            hwsched.prediction_rating(c.ratio) AS rating, c.executions,
            -- the name of an outlier, unless a worse one is named at the same height
            CASE WHEN o.place IS NOT NULL
                     AND NOT EXISTS (SELECT FROM outlier w
                                     WHERE w.place < o.place AND abs(w.y - o.y) < 0.045)
                     THEN c.workload_id END AS outlier,
            CASE WHEN c.x > CASE WHEN c.ratio > 1 THEN 0.35 ELSE 0.65 END THEN 'left'
                 ELSE 'right' END AS side,
            concat_ws('; ',
                      CASE WHEN c.total > 500
                               THEN format('%s executions, those that lie together as one point',
                                           c.total) END,
                      CASE WHEN count(o.place) OVER () > 0 THEN 'those furthest off are named' END)
                      AS note
     FROM counted c LEFT JOIN type t ON t.workload_type = c.workload_type
     LEFT JOIN outlier o ON o.place = c.place
     ORDER BY c.place
     $$,
     '[["workload_id", "workload", "nominal"], ["worker_id", "worker", "nominal"],
       ["workload_type", "type of work", "nominal"],
       ["predicted_seconds", "estimated (s)", "quantitative"],
       ["actual_seconds", "actual (s)", "quantitative"],
       ["ratio", "actual / estimated", "quantitative"],
       ["rating", "rating", "nominal"], ["executions", "executions", "quantitative"]]',
     'workload_type',
     '["vision", "nlp", "audio", "multimodal", "training", "inference", "embedding",
       "conversational", "mixed"]',
     '{"height": 360,
       "encoding": {"x": {"field": "predicted_seconds", "type": "quantitative",
                          "title": "estimated (seconds)", "scale": {"type": "log"},
                          "axis": {"format": "~g", "tickCount": 6}},
                    "y": {"field": "actual_seconds", "type": "quantitative",
                          "title": "actual (seconds)", "scale": {"type": "log"},
                          "axis": {"format": "~g", "tickCount": 6}}},
       "layer": [{"transform": [{"aggregate": [{"op": "min", "field": "predicted_seconds",
                                                "as": "e0"},
                                               {"op": "min", "field": "actual_seconds", "as": "a0"},
                                               {"op": "max", "field": "predicted_seconds",
                                                "as": "e1"},
                                               {"op": "max", "field": "actual_seconds",
                                                "as": "a1"}]},
                                {"calculate": "min(datum.e0, datum.a0) / 2", "as": "low"},
                                {"calculate": "max(datum.e1, datum.a1) * 2", "as": "high"}],
                  "mark": {"type": "rule", "strokeDash": [6, 4], "color": "#888888"},
                  "encoding": {"x": {"field": "low", "type": "quantitative"},
                               "x2": {"field": "high"},
                               "y": {"field": "low", "type": "quantitative"},
                               "y2": {"field": "high"},
                               "tooltip": {"value": "as estimated"}}},
                 {"mark": {"type": "point", "filled": true, "opacity": 0.8},
                  "encoding": {"color": {"field": "workload_type", "type": "nominal",
                                         "title": "type of work"},
                               "size": {"field": "executions", "type": "quantitative",
                                        "legend": null,
                                        "scale": {"type": "log", "domain": [1, 1000],
                                                  "range": [40, 300], "clamp": true}}}},
                 {"transform": [{"filter": "isValid(datum.outlier) && datum.side === ''right''"}],
                  "mark": {"type": "text", "align": "left", "dx": 8, "limit": 180},
                  "encoding": {"text": {"field": "outlier", "type": "nominal"}}},
                 {"transform": [{"filter": "isValid(datum.outlier) && datum.side === ''left''"}],
                  "mark": {"type": "text", "align": "right", "dx": -8, "limit": 180},
                  "encoding": {"text": {"field": "outlier", "type": "nominal"}}}]}'),
    (6, 'efficiency_history', 'Efficiency over time', 'efficiency_history',
     'time, workload_type, 1 AS assignments, efficiency_ratio',
     -- a score that was loaded without its assignment counts as one
     'time, workload_type, greatest(assignments, 1) AS assignments, efficiency_ratio',
     $$
     WITH type
         AS (SELECT workload_type FROM history GROUP BY 1 ORDER BY sum(assignments) DESC, 1 LIMIT 9)
     SELECT date_bin($4, h.time, 'epoch') AS time,
            CASE WHEN h.workload_type IS NULL THEN 'unknown'
                 ELSE coalesce(t.workload_type, 'other types') END AS workload_type,
            round((sum(h.efficiency_ratio * h.assignments) / sum(h.assignments))::numeric, 4)
                AS efficiency_ratio, sum(h.assignments) AS assignments, NULL AS note
     FROM history h LEFT JOIN type t ON t.workload_type = h.workload_type
     WHERE h.efficiency_ratio IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
     $$,
     '[["time", "time (UTC)", "temporal"], ["workload_type", "type of work", "nominal"],
       ["efficiency_ratio", "mean efficiency (0 to 1)", "quantitative"],
       ["assignments", "assignments", "quantitative"]]',
     'workload_type',
     '["vision", "nlp", "audio", "multimodal", "training", "inference", "embedding",
       "conversational", "mixed"]',
     '{"height": 200, "mark": {"type": "line", "point": {"size": 24}},
       "encoding": {"x": {"field": "time", "type": "temporal", "title": "time (UTC)",
                          "scale": {"type": "utc"}},
                    "y": {"field": "efficiency_ratio", "type": "quantitative",
                          "title": "mean efficiency (0 to 1)", "scale": {"domain": [0, 1]}},
                    "color": {"field": "workload_type", "type": "nominal",
                              "title": "type of work"}}}'),
    (7, 'assignment_history', 'Assignments over time', 'assignment_history',
     'time, workload_type, 1 AS assignments', 'time, workload_type, assignments',
     $$
     WITH type
         AS (SELECT workload_type FROM history GROUP BY 1 ORDER BY sum(assignments) DESC, 1 LIMIT 9)
     SELECT date_bin($4, h.time, 'epoch') AS time, date_bin($4, h.time, 'epoch') + $4 AS until,
            CASE WHEN h.workload_type IS NULL THEN 'unknown'
                 ELSE coalesce(t.workload_type, 'other types') END AS workload_type,
            sum(h.assignments) AS assignments, NULL AS note
     FROM history h LEFT JOIN type t ON t.workload_type = h.workload_type GROUP BY 1, 2, 3
     ORDER BY 1, 3
     $$,
     '[["time", "time (UTC)", "temporal"], ["workload_type", "type of work", "nominal"],
       ["assignments", "assignments", "quantitative"]]',
     'workload_type',
     '["vision", "nlp", "audio", "multimodal", "training", "inference", "embedding",
       "conversational", "mixed"]',
     '{"height": 200, "mark": {"type": "rect"},
       "transform": [{"stack": "assignments", "groupby": ["time"],
                      "sort": [{"field": "workload_type"}], "as": ["below", "above"]}],
       "encoding": {"x": {"field": "time", "type": "temporal", "title": "time (UTC)",
                          "scale": {"type": "utc"}}, "x2": {"field": "until"},
                    "y": {"field": "above", "type": "quantitative",
                          "title": "assignments (number in a step)",
                          "axis": {"format": "d", "tickMinStep": 1}}, "y2": {"field": "below"},
                    "color": {"field": "workload_type", "type": "nominal",
                              "title": "type of work"}}}'),
    (8, 'thermal_history', 'Temperature over time', 'thermal_history',
     'time, 1 AS samples, temperature_ratio, temperature_ratio AS max_temperature_ratio',
     'time, samples, temperature_ratio, max_temperature_ratio',
     $$
     SELECT h.time, s.series, round(s.ratio::numeric, 4) AS temperature_ratio, h.samples,
            NULL AS note
     FROM (SELECT date_bin($4, time, 'epoch') AS time, sum(samples) AS samples,
                  max(max_temperature_ratio) AS hottest,
                  sum(temperature_ratio * samples) / sum(samples) AS mean
           FROM history WHERE temperature_ratio IS NOT NULL GROUP BY 1) h
     CROSS JOIN LATERAL (VALUES ('mean', h.mean), ('hottest', h.hottest)) AS s (series, ratio)
     ORDER BY h.time, s.series
     $$,
     '[["time", "time (UTC)", "temporal"], ["series", "of all devices", "nominal"],
       ["temperature_ratio", "temperature (0 idle, 1 throttling)", "quantitative"],
       ["samples", "reports", "quantitative"]]',
     'series', '["mean", "hottest"]',
     '{"height": 200, "mark": {"type": "line", "point": {"size": 24}},
       "encoding": {"x": {"field": "time", "type": "temporal", "title": "time (UTC)",
                          "scale": {"type": "utc"}},
                    "y": {"field": "temperature_ratio", "type": "quantitative",
                          "title": "temperature (0 idle, 1 throttling)",
                          "scale": {"domain": [0, 1]}},
                    "color": {"field": "series", "type": "nominal", "title": "of all devices"}}}'),
    (9, 'utilization_history', 'Utilization over time', 'utilization_history',
     'time, 1 AS samples, cpu_ratio, memory_ratio, gpu_ratio, io_ratio, network_ratio',
     'time, samples, cpu_ratio, memory_ratio, gpu_ratio, io_ratio, network_ratio',
     $$
     SELECT h.time, r.resource, round((r.ratio / r.samples)::numeric, 4) AS utilization_ratio,
            r.samples, NULL AS note
     FROM (SELECT date_bin($4, time, 'epoch') AS time, sum(cpu_ratio * samples) AS cpu,
                  sum(samples) FILTER (WHERE cpu_ratio IS NOT NULL) AS cpu_samples,
                  sum(memory_ratio * samples) AS memory,
                  sum(samples) FILTER (WHERE memory_ratio IS NOT NULL) AS memory_samples,
                  sum(gpu_ratio * samples) AS gpu,
                  sum(samples) FILTER (WHERE gpu_ratio IS NOT NULL) AS gpu_samples,
                  sum(io_ratio * samples) AS io,
                  sum(samples) FILTER (WHERE io_ratio IS NOT NULL) AS io_samples,
                  sum(network_ratio * samples) AS network,
                  sum(samples) FILTER (WHERE network_ratio IS NOT NULL) AS network_samples
           FROM history GROUP BY 1) h
     CROSS JOIN LATERAL (VALUES (1, 'CPU', h.cpu, h.cpu_samples),
                             (2, 'memory', h.memory, h.memory_samples),
                             (3, 'GPU', h.gpu, h.gpu_samples),
                                (4, 'I/O', h.io, h.io_samples),
                                (5, 'network', h.network, h.network_samples)) AS r (no, resource,
                                    ratio, samples)
     WHERE r.samples > 0 ORDER BY h.time, r.no
     $$,
     '[["time", "time (UTC)", "temporal"], ["resource", "resource", "nominal"],
       ["utilization_ratio", "mean utilization (0 to 1)", "quantitative"],
       ["samples", "reports", "quantitative"]]',
     'resource', '["CPU", "memory", "GPU", "I/O", "network"]',
     '{"height": 200, "mark": {"type": "line", "point": {"size": 24}},
       "encoding": {"x": {"field": "time", "type": "temporal", "title": "time (UTC)",
                          "scale": {"type": "utc"}},
                    "y": {"field": "utilization_ratio", "type": "quantitative",
                          "title": "mean utilization (%)", "scale": {"domain": [0, 1]},
                          "axis": {"format": ".0%"}},
                    "color": {"field": "resource", "type": "nominal", "title": "resource"}}}'),
    (10, 'execution_history', 'Execution times over time', 'execution_history',
     $$time, (state::text = 'completed')::int AS completed,
     (state::text IN ('failed', 'expired'))::int AS failed,
       CASE WHEN state::text = 'completed' THEN predicted_seconds END AS predicted_seconds,
       CASE WHEN state::text = 'completed' THEN actual_seconds END AS actual_seconds$$,
     'time, completed, failed, predicted_seconds, actual_seconds',
     $$
     SELECT h.time, s.series, round(s.seconds::numeric, 3) AS mean_seconds, h.completed, h.failed,
            NULL AS note
     FROM (SELECT date_bin($4, time, 'epoch') AS time, sum(completed) AS completed,
                  sum(failed) AS failed,
                  sum(predicted_seconds * completed) / nullif(sum(completed), 0) AS estimated,
                  sum(actual_seconds * completed) / nullif(sum(completed), 0) AS actual
           FROM history GROUP BY 1) h
     CROSS JOIN LATERAL (VALUES ('estimated', h.estimated), ('actual', h.actual)) AS s (series,
         seconds)
     ORDER BY h.time, s.series DESC
     $$,
     '[["time", "time (UTC)", "temporal"], ["series", "duration", "nominal"],
       ["mean_seconds", "mean (s)", "quantitative"], ["completed", "completed", "quantitative"],
       ["failed", "failed", "quantitative"]]',
     'series', '["estimated", "actual"]',
     '{"height": 200, "mark": {"type": "line", "point": {"size": 24}},
       "encoding": {"x": {"field": "time", "type": "temporal", "title": "time (UTC)",
                          "scale": {"type": "utc"}},
                    "y": {"field": "mean_seconds", "type": "quantitative",
                          "title": "mean duration (seconds)"},
                    "color": {"field": "series", "type": "nominal", "title": "duration"}}}')
) AS c (position, chart, title, history, columns, hourly_columns, query, fields, colour,
        colour_order, specification);
COMMENT ON VIEW hwsched.chart IS 'The charts of vega_spec(): what each shows, and how.';
COMMENT ON COLUMN hwsched.chart.position IS 'Its place in the report.';
COMMENT ON COLUMN hwsched.chart.chart IS 'Name of the chart.';
COMMENT ON COLUMN hwsched.chart.title IS 'Its title.';
COMMENT ON COLUMN hwsched.chart.history IS 'The view that it shows, without _hourly.';
COMMENT ON COLUMN hwsched.chart.columns IS 'What of that view its query takes, as "history".';
COMMENT ON COLUMN hwsched.chart.hourly_columns IS
  'The same of the hourly roll-up, for long periods; NULL: that does not have what it shows.';
COMMENT ON COLUMN hwsched.chart.query IS
  'Makes its values of "history" and $4, the width of a step of time; note says what was left '
  'out.';
COMMENT ON COLUMN hwsched.chart.fields IS
  'The values that its tooltips and tables show: name, title and kind of each.';
COMMENT ON COLUMN hwsched.chart.colour IS 'The value that colours stand for.';
COMMENT ON COLUMN hwsched.chart.colour_order IS
  'The order of its usual values, each of which has the same colour in all charts.';
COMMENT ON COLUMN hwsched.chart.specification IS 'Marks and encodings in Vega-Lite.';

-- Colours that most people can tell apart, on white and on black.
CREATE FUNCTION hwsched_internal.chart_colours(rows jsonb, field text, usual jsonb) RETURNS jsonb
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
    WITH colour AS (
        SELECT *
        FROM unnest('{#0072B2,#E69F00,#009E73,#D55E00,#56B4E9,#CC79A7,#A6761D,#8C6BB1,'
                    '#A3A500}'::text[])
            WITH ORDINALITY AS c (colour, no)),
    value AS (
        SELECT v.name, u.no,
               row_number() OVER (PARTITION BY u.no IS NULL, v.name IN ('other types', 'unknown')
                                  ORDER BY v.name COLLATE "C") AS place,
               v.name IN ('other types', 'unknown') AS is_rest
        FROM (SELECT DISTINCT r ->> field AS name FROM jsonb_array_elements(rows) AS r) v
        LEFT JOIN jsonb_array_elements_text(usual) WITH ORDINALITY AS u (name, no)
            ON u.name = v.name
        WHERE v.name IS NOT NULL),
    -- unusual values get the colours that are left
    free AS (
        SELECT c.colour, row_number() OVER (ORDER BY c.no) AS place FROM colour c
        WHERE NOT EXISTS (SELECT FROM value v WHERE v.no = c.no))
    SELECT jsonb_build_object('domain',
                              coalesce(jsonb_agg(v.name
                                                 ORDER BY v.is_rest, v.no, v.name COLLATE "C"),
                                       '[]'),
                              'range',
                              coalesce(jsonb_agg(coalesce(c.colour,
                                                          CASE WHEN NOT v.is_rest THEN f.colour END,
                                                          '#999999')
                                                 ORDER BY v.is_rest, v.no, v.name COLLATE "C"),
                                                          '[]'))
    FROM value v
    LEFT JOIN colour c ON c.no = v.no
    LEFT JOIN free f ON v.no IS NULL AND f.place = v.place;
    END;
COMMENT ON FUNCTION hwsched_internal.chart_colours(jsonb, text, jsonb) IS
  'The colour scale of a chart: usual values have the same colour everywhere, others one that is '
  'left, and what is put together is grey.';

-- The values of a chart, and what there is to say about them. They are of the
-- history itself, or of its hourly roll-up if the period is long.
CREATE FUNCTION hwsched_internal.chart_values(definition hwsched.chart, since timestamptz,
    until timestamptz,
                                         pool text,
    OUT rows jsonb, OUT note text, OUT ticks jsonb)
    LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC' SET extra_float_digits = '1'
    AS $$
DECLARE
    bounds CONSTANT text :=
        'SELECT min(time) AS since, max(time) AS until FROM hwsched.%I WHERE pool = $1 AND time >= '
        '$2 AND time < $3 AND isfinite(time)';
    period record;
    step interval;
BEGIN
    IF definition.hourly_columns IS NOT NULL THEN
        EXECUTE format(bounds, definition.history || '_hourly') INTO period
            USING pool, date_trunc('hour', since), until;
        IF period.until - period.since > interval '2 days' THEN
            definition.history := definition.history || '_hourly';
            definition.columns := definition.hourly_columns;
            since := date_trunc('hour', since);
            period.until := period.until + interval '1 hour';
        END IF;
    END IF;
    IF definition.history !~ '_hourly$' THEN
        EXECUTE format(bounds, definition.history) INTO period USING pool, since, until;
    END IF;
    SELECT coalesce(min(width), '365 days') INTO step
    FROM unnest('{1 s,5 s,15 s,1 min,5 min,15 min,1 hour,3 hours,6 hours,12 hours,1 day,2 days,7 '
                'days,30 days}'::interval[]) AS width
    WHERE width >= (period.until - period.since) / 120
        AND (definition.history !~ '_hourly$' OR width >= '1 hour');
    EXECUTE format('WITH history AS (SELECT %s FROM hwsched.%I WHERE pool = $1 AND time >= $2 AND '
                   'time < $3 AND isfinite(time))'
                   ' SELECT coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(chart)) - ''note''), '
                   '''[]''), max(note) FROM (%s) chart',
                   definition.columns, definition.history, definition.query)
        INTO rows, note USING pool, since, until, step;
    SELECT jsonb_agg(jsonb_build_object('utc', true, 'year', date_part('year', t.tick), 'month',
                                        date_part('month', t.tick), 'date',
                                        date_part('day', t.tick),
                                        'hours', date_part('hour', t.tick), 'minutes',
                                            date_part('minute', t.tick), 'seconds',
                                            date_part('second', t.tick))
                                        ORDER BY t.tick) INTO ticks
    FROM (SELECT *
          FROM (VALUES (interval '1 second', 'minute'), ('5 seconds', 'minute'),
                    ('15 seconds', 'minute'), ('1 minute', 'hour'), ('5 minutes', 'hour'),
                       ('15 minutes', 'hour'), ('1 hour', 'day'), ('3 hours', 'day'),
                       ('6 hours', 'day'), ('12 hours', 'day'), ('1 day', 'month'),
                       ('2 days', 'month'), ('7 days', 'week'), ('1 month', 'year'),
                       ('3 months', 'year'), ('1 year', 'decade'),
                       ('10 years', 'century')) AS e (every, of)
          WHERE e.every >= (period.until - period.since) / 8 ORDER BY e.every LIMIT 1) e
    CROSS JOIN LATERAL generate_series(date_trunc(e.of, period.since), period.until, e.every)
        AS t (tick)
    WHERE t.tick >= date_bin(step, period.since, 'epoch')
        AND t.tick <= date_bin(step, period.until, 'epoch');
    note := concat_ws('; ',
                      format('%s to %s UTC', to_char(period.since, 'YYYY-MM-DD HH24:MI:SS'),
                             to_char(period.until, 'YYYY-MM-DD HH24:MI:SS')), note);
END;
$$;
COMMENT ON FUNCTION hwsched_internal.chart_values(hwsched.chart, timestamptz, timestamptz, text) IS
  'The values of a chart in a period, what there is to say about them, and ticks for a time '
  'axis; for vega_spec().';

CREATE FUNCTION hwsched.vega_spec(chart text, since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL, pool text DEFAULT 'default')
    RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    config CONSTANT jsonb := '{
        "font": "system-ui, sans-serif",
        "view": {"continuousWidth": 560, "discreteWidth": 560, "stroke": null},
        "title": {"anchor": "start", "subtitlePadding": 6, "offset": 14},
        "axis": {"labelLimit": 180, "titlePadding": 8},
        "axisXTemporal": {"labelExpr": "[utcFormat(datum.value, '
        'utcseconds(datum.value) ? ''%H:%M:%S'' : ''%H:%M''), '
        'datum.index === 0 || utcFormat(datum.value, ''%H:%M'') === ''00:00'' '
        '? utcFormat(datum.value, ''%Y-%m-%d'') : '''']",
                          "labelFlush": false},
        "legend": {"labelLimit": 160}}';
    definition hwsched.chart;
    specification jsonb;
    rows jsonb;
    note text;
    ticks jsonb;
    tooltip jsonb;
    inner_path text[];
BEGIN
    IF chart IS NULL OR pool IS NULL THEN
        RAISE null_value_not_allowed USING
            MESSAGE = format('"%s" of hwsched.vega_spec() must not be NULL',
                             CASE WHEN chart IS NULL THEN 'chart' ELSE 'pool' END);
    END IF;
    PERFORM hwsched_internal.check_period(since, until);
    SELECT * INTO definition FROM hwsched.chart c WHERE c.chart = vega_spec.chart;
    IF NOT FOUND THEN
        RAISE invalid_parameter_value USING MESSAGE = format('unknown chart: "%s"', chart),
            HINT = format('Known charts are: %s.',
                          (SELECT string_agg(c.chart, ', ' ORDER BY c.position)
                           FROM hwsched.chart c));
    END IF;
    -- which knows whether there is such a pool
    PERFORM FROM hwsched.pool_settings(pool);
    SELECT v.rows, v.note, v.ticks INTO rows, note, ticks
    FROM hwsched_internal.chart_values(definition, coalesce(since, '-infinity'),
                                       coalesce(until, 'infinity'),
                              pool) v;

    IF rows = '[]' THEN
        specification := '{"height": 60,
                           "layer": [{"data": {"values": [{}]},
                                      "mark": {"type": "text", "text": "no data",
                                               "fontSize": 16}}]}';
        note := NULL;
    ELSE
        specification := definition.specification;
        inner_path := CASE WHEN specification ? 'spec' THEN '{spec,encoding}'
                           ELSE '{encoding}' END::text[];
        SELECT jsonb_agg(jsonb_build_object('field', f.field ->> 0, 'title', f.field ->> 1, 'type',
                                            f.field ->> 2)
                         || CASE WHEN f.field ->> 2 = 'temporal'
                                     THEN '{"timeUnit": "utcyearmonthdatehoursminutesseconds"}'
                                 ELSE '{}'::jsonb END
                             ORDER BY f.no)
            INTO tooltip
            FROM jsonb_array_elements(definition.fields) WITH ORDINALITY AS f (field, no);
        specification := jsonb_set(specification, inner_path || '{tooltip}', tooltip);
        -- Vega's own ticks of time would be of parts of seconds
        IF specification #>> (inner_path || '{x,type}') = 'temporal' AND ticks IS NOT NULL THEN
            specification := jsonb_set(specification, inner_path || '{x,axis}',
                                       jsonb_build_object('values', ticks));
        END IF;
        IF definition.colour IS NOT NULL THEN
            -- the encoding of all layers, or of the one that has it
            specification := jsonb_set(specification,
                                       CASE WHEN specification #> '{encoding,color}' IS NULL
                                                THEN '{layer,1,encoding,color,scale}'
                                            ELSE '{encoding,color,scale}' END::text[],
                                       hwsched_internal.chart_colours(rows, definition.colour,
                                                             definition.colour_order));
        END IF;
    END IF;
    RETURN jsonb_build_object('$schema', 'https://vega.github.io/schema/vega-lite/v5.json',
                              'description', format('%s in pool %s', definition.title, pool),
                              'title',
                              jsonb_build_object('text', definition.title, 'subtitle',
                                                 jsonb_build_array(format('pool %s', pool))
                                                     || coalesce(to_jsonb(note), '[]')),
                              'config', config, 'data',
                              jsonb_build_object('values', rows)) || specification;
END;
$$;
COMMENT ON FUNCTION hwsched.vega_spec(text, timestamptz, timestamptz, text) IS
  'Returns a chart of a pool as a Vega-Lite specification with its data, from since up to until '
  '(NULL: all there is). The view chart lists the charts.';
