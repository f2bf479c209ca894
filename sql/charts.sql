-- Charts and the report: what they show of a history that is known, that they
-- stay small whatever there is, and that names stay text.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;
SET timezone = 'UTC';

SELECT hwsched.create_pool('charts'), hwsched.create_pool('charts_empty'), hwsched.create_pool('charts_large'), hwsched.create_pool('charts_</script>"&');
SELECT hwsched.register_worker(name, hardware::jsonb, 'charts') FROM (VALUES ('cpu', '{"cpu_cores": 8, "available_memory": 32}'),
	('gpu', '{"available_memory": 32, "devices": [{"hardware_class": "gpu", "model_name": "A100"}]}'), ('npu', '{"available_memory": 8, "devices": [{"hardware_class": "npu"}]}')) AS w (name, hardware);
SELECT hwsched.register_worker('<b>"''&</script>', '{}', 'charts_</script>"&');

-- 12 placements in an hour, half as efficient on the CPU; executions as estimated but two; an hour of loads and heat
CREATE TEMP TABLE placed AS SELECT i, (ARRAY['cpu', 'gpu', 'npu'])[1 + i % 3] AS worker, (ARRAY['vision', 'nlp'])[1 + i % 2] AS type, timestamptz '2025-03-01 10:00+00' + i * interval '5 minutes' AS at
FROM generate_series(0, 11) AS i;
SELECT count(hwsched.record_assignment('w' || i, worker, CASE worker WHEN 'cpu' THEN 0.3 WHEN 'gpu' THEN 0.9 ELSE 0.6 END, type, at, 'charts')),
	count(hwsched.record_execution_time('w' || i, 10, CASE i WHEN 3 THEN 80 WHEN 7 THEN 2 ELSE 10 + i * 0.1 END, type, worker, at + interval '10 s', 'charts')),
	count(hwsched.record_resource_utilization(worker, jsonb_build_object('cpu_utilization', 9 * i, 'memory_utilization', 50, 'io_utilization', 1, 'network_utilization', 2), at, pool => 'charts')),
	count(hwsched.record_thermal_state(worker, i / 12.0, i < 4, i > 8, at, pool => 'charts'))
FROM placed;

-- What each chart says of it
CREATE FUNCTION pg_temp.spec(chart text, pool text DEFAULT 'charts') RETURNS jsonb LANGUAGE sql AS 'SELECT hwsched.vega_spec(chart, NULL, NULL, pool)';
SELECT c.chart, s.spec #>> '{title,text}' AS title, s.spec #>> '{title,subtitle,1}' AS subtitle, jsonb_array_length(s.spec #> '{data,values}') AS values,
	coalesce(s.spec #>> '{mark,type}', (SELECT string_agg(l #>> '{mark,type}', ' ') FROM jsonb_array_elements(coalesce(s.spec -> 'layer', s.spec #> '{spec,layer}')) AS l)) AS marks
FROM hwsched.chart AS c CROSS JOIN LATERAL pg_temp.spec(c.chart) AS s (spec) ORDER BY c.position;
SELECT v.value - 'rating' AS value, v.value ->> 'rating' AS rating FROM jsonb_array_elements(pg_temp.spec('hardware_efficiency') #> '{data,values}') AS v;
SELECT pg_temp.spec('hardware_efficiency') #> '{encoding,y,sort}' AS sorted, pg_temp.spec('hardware_efficiency') #> '{encoding,color,scale}' AS colours;
SELECT v.value FROM jsonb_array_elements(pg_temp.spec('workload_distribution') #> '{data,values}') AS v;
SELECT v.value - 'device' - 'time' AS value, v.value ->> 'device' AS device, v.value ->> 'time' AS time FROM jsonb_array_elements(pg_temp.spec('thermal_states') #> '{data,values}') AS v;
SELECT v.value ->> 'worker' AS worker, string_agg(format('%s %s', v.value ->> 'resource', v.value ->> 'utilization_ratio'), ', ' ORDER BY v.no) AS utilization
FROM jsonb_array_elements(pg_temp.spec('resource_utilization') #> '{data,values}') WITH ORDINALITY AS v (value, no) GROUP BY 1 ORDER BY min(v.no);
SELECT v.value ->> 'workload_id' AS workload, v.value ->> 'ratio' AS ratio, v.value ->> 'rating' AS rating, v.value ->> 'outlier' AS named FROM jsonb_array_elements(pg_temp.spec('execution_times') #> '{data,values}') AS v;
SELECT c.chart, v.value FROM unnest('{efficiency_history,assignment_history,thermal_history,utilization_history,execution_history}'::text[]) WITH ORDINALITY AS c (chart, no)
CROSS JOIN LATERAL jsonb_array_elements(pg_temp.spec(c.chart) #> '{data,values}') WITH ORDINALITY AS v (value, no) WHERE v.no <= 2 ORDER BY c.no, v.no;

-- Every field that is drawn or shown is there
SELECT c.chart, f.field FROM hwsched.chart AS c CROSS JOIN LATERAL pg_temp.spec(c.chart) AS s (spec)
CROSS JOIN LATERAL (SELECT DISTINCT f #>> '{}' AS field FROM jsonb_path_query(s.spec - 'data', '$.**.field') AS f) AS f
WHERE NOT EXISTS (SELECT FROM jsonb_array_elements(s.spec #> '{data,values}') AS v WHERE v.value ? f.field) AND f.field <> ALL ('{low,high,above,below,temperature_celsius}') ORDER BY 1, 2;
-- every axis has a title, every time axis is UTC, and every chart shows its values
SELECT c.chart, count(*) FILTER (WHERE e ->> 'title' IS NULL) AS without_title, count(*) FILTER (WHERE e ->> 'type' = 'temporal' AND e #>> '{scale,type}' IS DISTINCT FROM 'utc') AS not_utc,
	jsonb_array_length(jsonb_path_query_first(s.spec, '$.**.tooltip ? (@.type() == "array")')) = jsonb_array_length(c.fields) AS tooltip
FROM hwsched.chart AS c CROSS JOIN LATERAL pg_temp.spec(c.chart) AS s (spec)
CROSS JOIN LATERAL jsonb_path_query(s.spec - 'layer', '$.**.encoding.keyvalue() ? (@.key == "x" || @.key == "y").value') AS e GROUP BY c.position, c.chart, s.spec, c.fields
HAVING count(*) FILTER (WHERE e ->> 'title' IS NULL) > 0 OR count(*) FILTER (WHERE e ->> 'type' = 'temporal' AND e #>> '{scale,type}' IS DISTINCT FROM 'utc') > 0;

-- From since up to until; nothing in it, nothing in the pool
SELECT jsonb_array_length(hwsched.vega_spec('execution_times', '2025-03-01 10:00:10+00', '2025-03-01 10:10:10+00', 'charts') #> '{data,values}') AS two;
SELECT jsonb_array_length(hwsched.vega_spec('execution_times', '2025-03-01 12:00+00', '2025-03-01 10:00+00', 'charts') #> '{data,values}') AS none;
SELECT c.chart, s.spec #> '{data,values}' AS values, s.spec #>> '{layer,0,mark,text}' AS says FROM hwsched.chart AS c CROSS JOIN LATERAL pg_temp.spec(c.chart, 'charts_empty') AS s (spec) ORDER BY c.position;

-- A large pool: the most used, and the others together; nothing is lost
SELECT count(hwsched.register_worker('w' || i, '{"cpu_cores": 2}', 'charts_large')) FROM generate_series(1, 100) AS i;
SELECT count(hwsched.record_assignment('a' || i, 'w' || 1 + i % (1 + i % 100), (i % 11) / 10.0, (ARRAY['vision', 'nlp', 'audio', 'mixed'])[1 + i % 4], timestamptz '2025-03-01 00:00+00' + i * interval '2 minutes', 'charts_large')),
	count(hwsched.record_execution_time('a' || i, 1 + i % 100, (1 + i % 100) * CASE WHEN i % 501 = 0 THEN 20 ELSE 0.9 + (i % 20) / 100.0 END, 'nlp', 'w' || 1 + i % 100,
		timestamptz '2025-03-01 00:00+00' + i * interval '2 minutes', 'charts_large')),
	count(hwsched.record_thermal_state('w' || 1 + i % 100, (i % 97) / 100.0, false, false, timestamptz '2025-03-01 00:00+00' + i * interval '2 minutes', pool => 'charts_large')),
	count(hwsched.record_resource_utilization('w' || 1 + i % 100, '{"cpu_utilization": 50}', timestamptz '2025-03-01 00:00+00' + i * interval '2 minutes', pool => 'charts_large'))
FROM generate_series(1, 3000) AS i;
SELECT c.chart, s.spec #>> '{title,subtitle,1}' AS subtitle, jsonb_array_length(s.spec #> '{data,values}') < 1200 AS small,
	(SELECT sum((v.value ->> 'assignments')::numeric) FROM jsonb_array_elements(s.spec #> '{data,values}') AS v) AS assignments,
	(SELECT sum((v.value ->> 'executions')::int) FROM jsonb_array_elements(s.spec #> '{data,values}') AS v) AS executions
FROM hwsched.chart AS c CROSS JOIN LATERAL pg_temp.spec(c.chart, 'charts_large') AS s (spec) ORDER BY c.position;
SELECT v.value FROM jsonb_array_elements(pg_temp.spec('hardware_efficiency', 'charts_large') #> '{data,values}') AS v WHERE v.value ->> 'hardware' ~ 'others';
SELECT count(DISTINCT v.value ->> 'worker') AS bars FROM jsonb_array_elements(pg_temp.spec('workload_distribution', 'charts_large') #> '{data,values}') AS v;
-- each of the five that are far off is still there
SELECT count(*) AS far_off FROM jsonb_array_elements(pg_temp.spec('execution_times', 'charts_large') #> '{data,values}') AS v WHERE (v.value ->> 'ratio')::float8 > 10;

-- Names stay text, in JSON and in HTML
SELECT hwsched.record_execution_time('</script><script>boom()</script>', 10, 99, 'nlp', '<b>"''&</script>', '2025-03-01 10:00+00', 'charts_</script>"&');
SELECT pg_temp.spec('execution_times', 'charts_</script>"&') #>> '{data,values,0,workload_id}' AS workload;
CREATE TEMP TABLE page AS SELECT hwsched.summary_report(NULL, NULL, 'charts_</script>"&') AS html;
SELECT html ~ '<td>&lt;/script&gt;&lt;script&gt;boom\(\)&lt;/script&gt;</td>' AS in_table, html ~ '<td>&lt;b&gt;&quot;&#39;&amp;&lt;/script&gt;</td>' AS worker, html ~ '<title>Report on pool charts_&lt;/script&gt;&quot;&amp;</title>' AS pool,
	html ~ '<script>boom' AS run FROM page;
-- of two at the same height the worse one is named
SELECT hwsched.record_execution_time('near', 10, t, 'nlp', '<b>"''&</script>', '2025-03-01 10:00+00', 'charts_</script>"&') FROM unnest('{190,200}'::float8[]) AS t;
SELECT v.value ->> 'actual_seconds' AS actual, v.value ->> 'outlier' AS named FROM jsonb_array_elements(pg_temp.spec('execution_times', 'charts_</script>"&') #> '{data,values}') AS v;
SELECT hwsched_internal.html_text('<a href="x">''&amp;</a>');

-- The policy of the page allows its own style and scripts, and nothing else
BEGIN;
CREATE OR REPLACE FUNCTION hwsched_internal.vega_runtime() RETURNS text LANGUAGE sql AS 'SELECT ''/* Vega */''::text';
CREATE TEMP TABLE allowed AS SELECT hwsched.summary_report(NULL, NULL, 'charts') AS html;
SELECT regexp_replace((regexp_match(html, 'Policy" content="([^"]*)"'))[1], '''sha256-[^'']*''', '#', 'g') AS policy FROM allowed;
SELECT e.element, count(*), count(*) FILTER (WHERE strpos(html, format('''sha256-%s''', encode(sha256(convert_to(m.part[1], 'UTF8')), 'base64'))) > 0) AS allowed
FROM allowed, unnest('{style,script}'::text[]) AS e (element), regexp_matches(html, format('<%s>(.*?)</%1$s>', e.element), 'g') AS m (part) GROUP BY 1 ORDER BY 1;
-- the data that the scripts read is that of the charts
SELECT count(*) AS charts, count(*) FILTER (WHERE e.value = hwsched.vega_spec(e.key, pool => 'charts')) AS the_same FROM allowed,
	regexp_match(html, '<script type="application/json" id="specs">(.*?)</script>') AS m (part), jsonb_each(m.part[1]::jsonb) AS e;
ROLLBACK;
-- The figures: half of what completed is off by at most 1.08, two of twelve are not within 1.25
SELECT regexp_matches(html, '<dt>([^<]*)</dt><dd>([^<]*)</dd>', 'g') AS figure FROM (SELECT hwsched.summary_report(NULL, NULL, 'charts') AS html) AS r;
SELECT html ~ '<span class="good">&#10003; good</span> half' AS rated, html ~ '83% were within 1.25' AS near FROM (SELECT hwsched.summary_report(NULL, NULL, 'charts') AS html) AS r;
SELECT count(*) AS without_data FROM regexp_matches(hwsched.summary_report(NULL, NULL, 'charts_empty'), '<p>No data.</p>', 'g');

-- What runs, is held, reserved and limited now, as text; without any of it nothing is said
SELECT hwsched.create_pool('charts_now', '{"max_concurrent": 1, "limits": {"<key>": {"concurrent": 2}}, "tenants": {"t&t": {"quota": {"workloads": 3}}}}'), hwsched.register_worker('w', '{"cpu_cores": 8}', 'charts_now');
SELECT hwsched.submit_many('[{"test_id": "runs", "tenant": "t&t", "concurrency_key": "<key>", "expected_duration": 100}, {"test_id": "waits", "tenant": "t&t"}]', 'charts_now'), hwsched.assign_pending(pool => 'charts_now');
SELECT hwsched.progress(assignment_id, 0.25, '"<script>"', 'charts_now') FROM hwsched.claim('w', pool => 'charts_now');
SELECT hwsched.assign_pending(pool => 'charts_now');
SELECT regexp_replace(regexp_replace(regexp_replace(line, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d', 'T', 'g'), '</td><td[^>]*>', ' | ', 'g'), 'T \| \d+', 'T | N') AS line
FROM regexp_split_to_table(split_part(hwsched.summary_report(pool => 'charts_now'), '<h2>Efficiency by type', 1), E'\n') AS line WHERE line ~ '^(<h2>|<tr><td>)';
SELECT hwsched.summary_report(pool => 'charts_empty') ~ '<h2>(Running work|Tenants|Reserved places|Limits)</h2>' AS said;
SELECT hwsched.drop_pool('charts_now');

-- Where Vega is loaded from has to be a URL that cannot end the policy
CREATE FUNCTION pg_temp.sqlstate_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(hint, ''));
END;
$$;
SELECT url, pg_temp.sqlstate_of(format('SELECT hwsched.alter_pool(''charts'', %L)', jsonb_build_object('vega_url', url)))
FROM unnest('{http://a.example,https://,ftp://a,javascript:boom(),https://a.example/;script-src *,https://a.example/ *,"https://\"onerror",https://a.example/npm}'::text[]) AS url;
-- What is asked wrongly
SELECT pg_temp.sqlstate_of('SELECT hwsched.vega_spec(''pie'')');
SELECT pg_temp.sqlstate_of('SELECT hwsched.vega_spec(NULL)');
SELECT pg_temp.sqlstate_of('SELECT hwsched.vega_spec(''execution_times'', pool => NULL)');
SELECT pg_temp.sqlstate_of('SELECT hwsched.vega_spec(''execution_times'', pool => ''nowhere'')');
SELECT pg_temp.sqlstate_of('SELECT hwsched.summary_report(pool => ''nowhere'')');
SELECT pg_temp.sqlstate_of('SELECT hwsched.summary_report(pool => NULL)');

-- A viewer sees them, in a transaction that may not write
BEGIN READ ONLY;
SET LOCAL ROLE hwsched_viewer;
SELECT count(hwsched.vega_spec(chart, pool => 'charts')) AS charts FROM hwsched.chart;
SELECT hwsched.summary_report(pool => 'charts') ~ '^<!DOCTYPE html>' AS report;
COMMIT;
