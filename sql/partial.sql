-- Each chart and the report survive each kind of partial history: one section alone, values at
-- the ends of their ranges, one instant or months, drawn of single rows or by the hour.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hwsched;
SET timezone = 'UTC';

-- What is loaded, with the times of a first and a last entry.
CREATE FUNCTION pg_temp.documents(a text, b text) RETURNS TABLE (name text, document jsonb) LANGUAGE sql AS $$
VALUES
	('nothing', '{}'::jsonb),
	('scores alone', jsonb_build_object('efficiency_scores', jsonb_build_object('w', jsonb_build_array(jsonb_build_array(a, 0), jsonb_build_array(b, 1))))),
	('assignments alone', jsonb_build_object('assignments', jsonb_build_array(
		jsonb_build_object('timestamp', a, 'workload_id', 't1', 'worker_id', 'w', 'workload_type', 'x', 'efficiency_score', 0),
		jsonb_build_object('timestamp', b, 'workload_id', 't2', 'worker_id', 'v', 'workload_type', 'y', 'efficiency_score', 1)))),
	('thermal states without a temperature', jsonb_build_object('thermal_states', jsonb_build_object('w', jsonb_build_array(
		jsonb_build_array(a, '{"warming_state": true}'::jsonb), jsonb_build_array(b, '{}'::jsonb))))),
	('temperatures at both ends', jsonb_build_object('thermal_states', jsonb_build_object('w', jsonb_build_array(
		jsonb_build_array(a, '{"temperature": 0}'::jsonb), jsonb_build_array(b, '{"temperature": 1}'::jsonb))))),
	('utilization of nothing', jsonb_build_object('resource_utilization', jsonb_build_object('w', jsonb_build_array(
		jsonb_build_array(a, '{}'::jsonb), jsonb_build_array(b, '{}'::jsonb))))),
	('utilization of one resource', jsonb_build_object('resource_utilization', jsonb_build_object('w', jsonb_build_array(
		jsonb_build_array(a, '{"io_utilization": 0}'::jsonb), jsonb_build_array(b, '{"network_utilization": 100}'::jsonb))))),
	('executions of no time', jsonb_build_object('execution_times', jsonb_build_object(
		't1', jsonb_build_object('timestamp', a, 'estimated_time', 0, 'actual_time', 0, 'workload_type', 'x', 'worker_id', 'w'),
		't2', jsonb_build_object('timestamp', b, 'estimated_time', 1, 'actual_time', 0, 'workload_type', 'x', 'worker_id', 'w')))),
	('executions of extreme times', jsonb_build_object('execution_times', jsonb_build_object(
		't1', jsonb_build_object('timestamp', a, 'estimated_time', 1e-9, 'actual_time', 1e9, 'workload_type', 'x', 'worker_id', 'w'),
		't2', jsonb_build_object('timestamp', b, 'estimated_time', 1e9, 'actual_time', 1e-9, 'workload_type', 'y', 'worker_id', 'w')))),
	('failed executions alone', jsonb_build_object('execution_times', jsonb_build_object(
		't1', jsonb_build_array(jsonb_build_object('timestamp', a, 'estimated_time', 5, 'actual_time', 5, 'workload_type', 'x', 'worker_id', 'w', 'state', 'failed')))))
$$;

-- Draws everything; returns what raised an error.
CREATE FUNCTION pg_temp.draw(since timestamptz, until timestamptz) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	chart text;
BEGIN
	FOR chart IN SELECT c.chart FROM hwsched.chart c LOOP
		BEGIN
			IF hwsched.vega_spec(chart, since, until, 'partial') ->> '$schema' IS NULL THEN
				RETURN NEXT format('chart %s: no specification', chart);
			END IF;
		EXCEPTION WHEN OTHERS THEN
			RETURN NEXT format('chart %s: %s', chart, SQLERRM);
		END;
	END LOOP;
	IF hwsched.summary_report(since, until, 'partial') NOT LIKE '<!DOCTYPE html>%</html>%' THEN
		RETURN NEXT 'report: cut off';
	END IF;
EXCEPTION WHEN OTHERS THEN
	RETURN NEXT format('report: %s', SQLERRM);
END $$;

CREATE TEMP TABLE tried (document text, span text, rolled_up boolean, faults text[]);
DO $$
DECLARE
	d record;
	span record;
BEGIN
	FOR span IN VALUES ('one instant', '2026-01-05 12:00', '2026-01-05 12:00'), ('months', '2026-01-05 12:00', '2026-06-05 12:30') LOOP
		FOR d IN SELECT * FROM pg_temp.documents(span.column2, span.column3) LOOP
			PERFORM hwsched.create_pool('partial', '{"retention": {"history": "20000 days", "hourly": "20000 days"}}');
			PERFORM hwsched.load_history(d.document, 'partial');
			INSERT INTO tried SELECT d.name, span.column1, false, array(SELECT pg_temp.draw(NULL, NULL) UNION ALL SELECT pg_temp.draw('2026-01-01', '2026-07-01'));
			PERFORM hwsched.maintain('partial');
			INSERT INTO tried SELECT d.name, span.column1, true, array(SELECT pg_temp.draw(NULL, NULL));
			PERFORM hwsched.drop_pool('partial');
		END LOOP;
	END LOOP;
END $$;
SELECT count(*) AS tried, count(*) FILTER (WHERE faults <> '{}') AS at_fault FROM tried;
SELECT document, span, rolled_up, faults FROM tried WHERE faults <> '{}' ORDER BY 1, 2, 3;

-- what has no assignment counts in the mean as what it is
SELECT hwsched.create_pool('partial');
SELECT hwsched.load_history('{"efficiency_scores": {"w": [["2026-01-05 12:00", 0.5], ["2026-03-05 12:00", 0.7]]}}', 'partial');
SELECT v ->> 'time' AS time, v ->> 'efficiency_ratio' AS efficiency_ratio
FROM jsonb_path_query(hwsched.vega_spec('efficiency_history', '2026-01-01', '2026-04-01', 'partial'), '$.**.values[*]') AS v
WHERE v ? 'efficiency_ratio' ORDER BY 1;
SELECT hwsched.drop_pool('partial');
