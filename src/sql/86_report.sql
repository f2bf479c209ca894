-- The report: one HTML page that needs nothing else, with the figures, charts and
-- tables of a pool. Whatever comes from data is text in it, and it may run
-- nothing but the scripts it has been made with.

CREATE FUNCTION hwsched_internal.vega_runtime() RETURNS text
    LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
    -- reads this one file, which its callers have no right to
    SELECT nullif(pg_read_file(setting || '/extension/hwsched_vega.js', 0, 100000000, true), '')
    FROM pg_config() WHERE name = 'SHAREDIR';
    END;
COMMENT ON FUNCTION hwsched_internal.vega_runtime() IS
  'The script that draws charts in a browser, Vega with its licences, as installed with the '
  'extension; NULL if it is not.';

CREATE FUNCTION hwsched_internal.html_text(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN replace(replace(replace(replace(replace(value, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'),
                           '"', '&quot;'), '''', '&#39;');
COMMENT ON FUNCTION hwsched_internal.html_text(text) IS
  'Text as HTML shows it, in elements and in attributes.';

CREATE FUNCTION hwsched_internal.html_source(script text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN format('''sha256-%s''', encode(sha256(convert_to(script, 'UTF8')), 'base64'));
COMMENT ON FUNCTION hwsched_internal.html_source(text) IS
  'What a content security policy calls a script or a style that stands in the page.';

CREATE FUNCTION hwsched_internal.html_rating(rating text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    RETURN format('<span class="%s">%s %1$s</span>', rating,
                  CASE rating WHEN 'good' THEN '&#10003;' WHEN 'warning' THEN '&#9650;'
                       ELSE '&#10007;' END);
COMMENT ON FUNCTION hwsched_internal.html_rating(text) IS
  'A rating (good, warning, poor) in HTML: a sign, a word and a colour.';

CREATE FUNCTION hwsched_internal.html_table(rows jsonb, fields jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
    SELECT format(E'<div class="table" tabindex="0"><table>\n<thead><tr>%s</tr></thead>\n'
                  '<tbody>\n%s\n</tbody></table></div>',
                  (SELECT string_agg(format('<th scope="col"%s>%s</th>',
                                            CASE WHEN f.field ->> 2 = 'quantitative'
                                                     THEN ' class="number"' END,
                                            hwsched_internal.html_text(f.field ->> 1)), ''
                                            ORDER BY f.no)
                   FROM jsonb_array_elements(fields) WITH ORDINALITY AS f (field, no)),
                  (SELECT string_agg(format('<tr>%s</tr>', cells.html), E'\n' ORDER BY r.no)
                   FROM jsonb_array_elements(rows) WITH ORDINALITY AS r (value, no)
                   CROSS JOIN LATERAL (
                       SELECT string_agg(
                           CASE WHEN f.field ->> 0 = 'rating'
                                THEN format('<td class="rating">%s</td>',
                                            hwsched_internal.html_rating(r.value ->> 'rating'))
                                WHEN f.field ->> 2 = 'quantitative'
                                THEN format('<td class="number">%s</td>',
                                            hwsched_internal.html_text(r.value ->> (f.field ->> 0)))
                                WHEN f.field ->> 2 = 'temporal'
                                THEN format('<td class="time">%s</td>',
                                            replace(left(r.value ->> (f.field ->> 0), 19),
                                                    'T', ' '))
                                ELSE format('<td>%s</td>',
                                            hwsched_internal.html_text(r.value ->> (f.field ->> 0)))
                                                END, ''
                           ORDER BY f.no) AS html
                       FROM jsonb_array_elements(fields) WITH ORDINALITY AS f (field, no)) cells));
    END;
COMMENT ON FUNCTION hwsched_internal.html_table(jsonb, jsonb) IS
  'A table of the values of a chart, for summary_report().';

-- The figures at the top, and the table by type of work. They are asked for as
-- those of charts are, so of the roll-ups if the period is long.
CREATE FUNCTION hwsched_internal.report_figures(since timestamptz, until timestamptz, pool text,
    OUT figures text, OUT types text)
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
DECLARE
    placed jsonb;
    suited jsonb;
    done jsonb;
    kinds jsonb;
    summary hwsched.pool_summary;
    question hwsched.chart;
BEGIN
    question.history := 'assignment_history';
    question.columns := 'worker_id, workload_type, 1 AS assignments';
    question.hourly_columns := 'worker_id, workload_type, assignments';
    question.query :=
        'SELECT sum(assignments) AS assignments, count(DISTINCT worker_id) AS workers, '
        'count(DISTINCT workload_type) AS types, NULL AS note FROM history';
    placed := (hwsched_internal.chart_values(question, since, until, pool)).rows -> 0;

    question.history := 'efficiency_history';
    question.columns := 'workload_type, 1 AS assignments, efficiency_ratio';
    -- a score that was loaded without its assignment counts as one
    question.hourly_columns :=
        'workload_type, greatest(assignments, 1) AS assignments, efficiency_ratio';
    question.query :=
        'SELECT m.*, hwsched.efficiency_rating(efficiency_ratio) AS rating, NULL AS note'
        ' FROM (SELECT coalesce(workload_type, ''unknown'') AS workload_type, '
        'grouping(workload_type) AS is_all, sum(assignments) AS assignments,'
        '              round((sum(efficiency_ratio * assignments)'
        '   / sum(assignments) FILTER (WHERE efficiency_ratio IS NOT NULL))::numeric, 4) '
        'AS efficiency_ratio'
        '       FROM history GROUP BY ROLLUP (workload_type)) m ORDER BY is_all DESC, assignments '
        'DESC, workload_type';
    kinds := (hwsched_internal.chart_values(question, since, until, pool)).rows;
    suited := kinds -> 0;

    question.history := 'execution_history';
    question.columns :=
        'state::text AS state, CASE WHEN predicted_seconds > 0 THEN greatest(actual_seconds, '
        '0.001) / greatest(predicted_seconds, 0.001) END AS ratio';
    question.hourly_columns := NULL;
    question.query :=
        'SELECT count(*) FILTER (WHERE state = ''completed'') AS completed, count(*) FILTER (WHERE '
        'state IN (''failed'', ''expired'')) AS failed,'
        ' round((percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(ratio, 1 / ratio)) FILTER '
        '(WHERE state = ''completed''))::numeric, 2) AS factor,'
        ' round(100 * avg((hwsched.prediction_rating(ratio) = ''good'')::int) FILTER '
        '(WHERE state = ''completed'')) AS near, NULL AS note FROM history';
    done := (hwsched_internal.chart_values(question, since, until, pool)).rows -> 0;

    SELECT * INTO summary FROM hwsched.pool_summary s WHERE s.pool = report_figures.pool;
    SELECT string_agg(format(E'<div><dt>%s</dt><dd>%s</dd><dd class="note">%s</dd></div>', f.name,
                             f.value, f.note), E'\n'
                      ORDER BY f.no)
    INTO figures
    FROM (VALUES
        (1, 'Assignments', coalesce(placed ->> 'assignments', '0'),
         format('%s wait now', summary.pending)),
        (2, 'Workers', coalesce(placed ->> 'workers', '0'),
         format('that got work; %s are registered now', summary.workers)),
        (3, 'Types of work', coalesce(placed ->> 'types', '0'), ''),
        (4, 'Completed', coalesce(done ->> 'completed', '0'),
         format('%s failed', coalesce(done ->> 'failed', '0'))),
        (5, 'Mean efficiency', coalesce(suited ->> 'efficiency_ratio', '-'),
            concat_ws(' ', hwsched_internal.html_rating(suited ->> 'rating'),
                      '0 to 1, of all assignments; good from 0.7, poor below 0.4')),
        (6, 'Typical error of prediction', coalesce('x ' || (done ->> 'factor'), '-'),
            CASE WHEN done ? 'factor'
                 THEN concat_ws(' ',
                                hwsched_internal.html_rating(
                                    hwsched.prediction_rating((done ->> 'factor')::float8)),
                                'half of what completed was off by no more than this factor, '
                                'longer or shorter: good to 1.25, poor above 2.',
                                (done ->> 'near') || '% were within 1.25.') END)
    ) AS f (no, name, value, note);
    types := hwsched_internal.html_table(nullif(kinds - 0, '[]'),
                                '[["workload_type", "type of work", "nominal"],
                                  ["assignments", "assignments", "quantitative"],
                                            ["efficiency_ratio", "mean efficiency (0 to 1)",
                                             "quantitative"], ["rating", "rating", "nominal"]]');
END;
$$;
COMMENT ON FUNCTION hwsched_internal.report_figures(timestamptz, timestamptz, text) IS
  'The figures at the top of a report, and its table by type of work; for summary_report().';

-- What runs, is held, kept free and limited; a view without rows is left out.
CREATE FUNCTION hwsched_internal.report_now(pool text) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    AS $$
    SELECT string_agg(
               format(E'<section>\n<h2>%s</h2>\n<p class="note">%s</p>\n%s\n</section>', s.title,
                      s.note, hwsched_internal.html_table(s.rows, s.fields)), E'\n' ORDER BY s.no)
    FROM (VALUES
        (1, 'Running work', 'What runs now, the longest first; 200 runs at most.',
         (SELECT jsonb_agg(to_jsonb(r) ORDER BY r.started_at, r.assignment_id)
          FROM (SELECT w.assignment_id, w.workload_id, w.worker_id, w.started_at, w.lease_until,
                       round(w.running_seconds) AS running, round(w.predicted_seconds) AS predicted,
                       round(100 * w.progress_ratio) AS percent, left(w.note::text, 200) AS note
                FROM hwsched.running_work w WHERE w.pool = report_now.pool
                ORDER BY w.started_at, w.assignment_id LIMIT 200) r),
         '[["workload_id", "workload", "nominal"], ["worker_id", "worker", "nominal"],
           ["started_at", "started", "temporal"], ["running", "runs for s", "quantitative"],
           ["predicted", "predicted s", "quantitative"], ["percent", "done %", "quantitative"],
           ["note", "note", "nominal"], ["lease_until", "leased until", "temporal"]]'::jsonb),
        (2, 'Tenants', 'What tenants hold now, and their quotas; who uses least for its weight is '
            'served next, where the setting fair_share says so.',
         (SELECT jsonb_agg(to_jsonb(t) || jsonb_build_object('usage', round(t.usage::numeric, 4))
                           ORDER BY t.tenant)
          FROM hwsched.tenant_usage t WHERE t.pool = report_now.pool),
         '[["tenant", "tenant", "nominal"], ["weight", "weight", "quantitative"],
           ["workloads", "workloads", "quantitative"], ["workloads_quota", "quota", "quantitative"],
           ["accelerators", "accelerators", "quantitative"],
           ["accelerators_quota", "quota", "quantitative"], ["cores", "cores", "quantitative"],
           ["cores_quota", "quota", "quantitative"], ["usage", "usage", "quantitative"]]'),
        (3, 'Reserved places', 'Kept free for the first work that has to wait; what is over before '
            'may use them.',
         (SELECT jsonb_agg(to_jsonb(r) ORDER BY r.workload_id, r.shard_no)
          FROM hwsched.reservation r WHERE r.pool = report_now.pool),
         '[["workload_id", "workload", "nominal"], ["worker_id", "worker", "nominal"],
           ["device_nos", "devices", "nominal"], ["starts_at", "starts", "temporal"],
           ["backfill_until", "used until", "temporal"]]'),
        (4, 'Limits', 'What concurrency keys allow, and what is in use now.',
         (SELECT jsonb_agg(to_jsonb(l) ORDER BY l.key)
          FROM hwsched.limit_usage l WHERE l.pool = report_now.pool),
         '[["key", "key", "nominal"], ["in_use", "in use", "quantitative"],
           ["concurrent_limit", "of", "quantitative"],
           ["used_last_minute", "placed in the last minute", "quantitative"],
           ["per_minute_limit", "of", "quantitative"], ["waiting", "wait", "quantitative"],
           ["held_by", "held by", "nominal"]]')
    ) AS s (no, title, note, rows, fields)
    WHERE s.rows IS NOT NULL
$$;
COMMENT ON FUNCTION hwsched_internal.report_now(text) IS
  'What runs in a pool, what tenants hold, what is reserved and limited, as sections of a report; '
  'for summary_report().';

CREATE FUNCTION hwsched.summary_report(since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL, pool text DEFAULT 'default')
    RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC' SET extra_float_digits = '1'
    AS $report$
DECLARE
    -- Charts are recoloured by their style, so that they follow dark and print.
    style CONSTANT text := $css$
:root { color-scheme: light dark; --ink: #1b1f24; --quiet: #59636e; --line: #d1d9e0;
  --paper: #ffffff; --panel: #f6f8fa; --good: #1a7f37; --warning: #8a5a00; --poor: #c1121f; }
@media screen and (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --quiet: #9da7b1; --line: #3d444d; --paper: #14181d; --panel: #1d2228;
    --good: #4cc76a; --warning: #e0a83e; --poor: #ff7b72; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem;
  font: 1rem/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 0; }
.note { color: var(--quiet); font-size: .85rem; margin: .2rem 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(17rem, 1fr)); gap: .8rem; }
dl > div { border: 1px solid var(--line); border-radius: 6px; background: var(--panel);
  padding: .7rem .9rem; break-inside: avoid; }
dt { color: var(--quiet); font-size: .85rem; }
dd { margin: 0; }
dd:not(.note) { font-size: 1.6rem; font-variant-numeric: tabular-nums; }
.good, .warning, .poor { font-weight: 600; white-space: nowrap; }
.good { color: var(--good); } .warning { color: var(--warning); } .poor { color: var(--poor); }
.chart { margin: .8rem 0; }
.chart:empty { display: none; }
.chart svg { max-width: 100%; height: auto; }
.chart g:not(.role-mark) > text, #execution_times .role-mark > text { fill: var(--ink); }
#execution_times .role-mark > text { paint-order: stroke; stroke: var(--paper); stroke-width: 3px;
  stroke-linejoin: round; }
.chart .role-axis-grid line { stroke: var(--line); }
.chart .role-axis-domain line, .chart .role-axis-tick line { stroke: var(--quiet); }
.table { max-height: 24rem; overflow: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .85rem; }
th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line);
  vertical-align: top; unicode-bidi: isolate; overflow-wrap: anywhere; min-width: 7.7rem; }
th { position: sticky; top: 0; background: var(--panel); font-weight: 600; overflow-wrap: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; min-width: 5.5rem; width: 1%; }
td.number { white-space: nowrap; }
.rating { min-width: 0; width: 1%; }
.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
.tip { position: fixed; z-index: 1; pointer-events: none; max-width: 26rem; padding: .4rem .6rem;
  border: 1px solid var(--line); border-radius: 6px; background: var(--panel);
  font-size: .85rem; overflow-wrap: anywhere; }
.tip b { font-weight: 600; color: var(--quiet); }
@media print {
  body { max-width: none; padding: 0; font-size: .85rem; }
  h2 { break-after: avoid; } .chart { break-inside: avoid; }
  .table { max-height: none; overflow: visible; } tr { break-inside: avoid; }
  th { position: static; }
  tr:nth-child(n+41) { display: none; }
}
$css$;
    script CONSTANT text := $js$
"use strict";
(() => {
  const tip = document.body.appendChild(document.createElement("div"));
  tip.className = "tip";
  tip.hidden = true;
  const showTip = (handler, event, item, value) => {
    tip.hidden = value === undefined || value === null || value === "";
    if (tip.hidden) return;
    const entries = typeof value === "object" ? Object.entries(value) : [["", value]];
    tip.replaceChildren(...entries.map(([name, text]) => {
      const line = document.createElement("div");
      const label = line.appendChild(document.createElement("b"));
      label.textContent = name ? name + ": " : "";
      line.append(String(text));
      return line;
    }));
    const place = (pointer, room, size) => Math.max(0, Math.min(pointer + 12, room - size - 4));
    tip.style.left = place(event.clientX, window.innerWidth, tip.offsetWidth) + "px";
    tip.style.top = place(event.clientY, window.innerHeight, tip.offsetHeight) + "px";
  };
  if (typeof vega === "undefined" || typeof vegaLite === "undefined") return;
  const specs = JSON.parse(document.getElementById("specs").textContent);
  for (const container of document.querySelectorAll(".chart")) {
    const spec = specs[container.id];
    // what the page says beside it
    delete spec.title;
    spec.background = "transparent";
    new vega.View(vega.parse(vegaLite.compile(spec).spec, null, { ast: true }),
      { renderer: "svg", container, hover: true, expr: vega.expressionInterpreter,
        tooltip: showTip }).runAsync();
  }
})();
$js$;
    runtime text := hwsched_internal.vega_runtime();
    vega_url text;
    sources text;
    scripts text;
    charts record;
    head record;
    period CONSTANT text := format('From %s to %s',
                                   coalesce(to_char(since, 'YYYY-MM-DD HH24:MI'), 'the beginning'),
                                   coalesce(to_char(until, 'YYYY-MM-DD HH24:MI'), 'now'));
BEGIN
    IF pool IS NULL THEN
        RAISE null_value_not_allowed USING
            MESSAGE = '"pool" of hwsched.summary_report() must not be NULL';
    END IF;
    PERFORM hwsched_internal.check_period(since, until);
    SELECT s.value #>> '{}' INTO vega_url FROM hwsched.pool_settings(pool) s
    WHERE s.name = 'vega_url';
    SELECT f.figures, f.types INTO head
    FROM hwsched_internal.report_figures(coalesce(since, '-infinity'), coalesce(until, 'infinity'),
                                         pool) f;

    SELECT jsonb_object_agg(c.chart, s.spec)
           FILTER (WHERE s.spec #> '{data,values}' <> '[]') AS specs,
           string_agg(format(E'<section>\n<h2>%s</h2>\n<p class="note">%s</p>\n%s\n</section>',
                             hwsched_internal.html_text(c.title),
                             hwsched_internal.html_text(coalesce(s.spec #>> '{title,subtitle,1}',
                                 '')),
                                 drawn.html), E'\n'
                             ORDER BY c.position) AS html
        INTO charts
    FROM hwsched.chart c
    CROSS JOIN LATERAL (SELECT hwsched.vega_spec(c.chart, since, until, pool) AS spec) s
    CROSS JOIN LATERAL (SELECT CASE WHEN s.spec #> '{data,values}' = '[]' THEN '<p>No data.</p>'
                                    ELSE format(E'<div class="chart" id="%s"></div>\n%s', c.chart,
                                                hwsched_internal.html_table(s.spec #>
                                                    '{data,values}',
                                                    c.fields)) END AS html) drawn;

    IF runtime IS NOT NULL THEN
        scripts := E'<script>' || runtime || E'</script>\n';
        sources := hwsched_internal.html_source(runtime);
    ELSIF vega_url IS NOT NULL THEN
        SELECT string_agg(format(E'<script src="%s" integrity="%s" '
                                 'crossorigin="anonymous"></script>\n',
                                     hwsched_internal.html_text(u.url),
                                 v.integrity), ''
                          ORDER BY v.no),
               string_agg(hwsched_internal.html_text(u.url), ' ' ORDER BY v.no)
            INTO scripts, sources
        -- the versions in src/report/package.json
        FROM (VALUES
            (1, 'vega@5.33.1/build/vega.min.js',
             'sha384-NMXhl2TbCXxcN7o4ROC56Funm78m4AylL8gMg/7Kn4YU+wrm23K9l7cY8lDRXQ9d'),
            (2, 'vega-lite@5.23.0/build/vega-lite.min.js',
             'sha384-D9LYH0esGjcxQJsBuxOuXtCDJGXRWW1+KhluzWPqi0rLJmiR/ygPChefaD+rFFDQ'),
            (3, 'vega-interpreter@1.2.1/build/vega-interpreter.min.js',
             'sha384-4378an+z4dV5Q/Q5N11pn5Ciqbz3pQNJgStRyHWBwVQEIkV3q4vQEyda7OkUJoMQ')
        ) AS v (no, path, integrity)
        CROSS JOIN LATERAL (SELECT rtrim(vega_url, '/') || '/' || v.path AS url) u;
    END IF;

    RETURN concat(
        E'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<meta name="viewport" '
        'content="width=device-width, initial-scale=1">\n',
        '<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ',
        hwsched_internal.html_source(style), '; script-src ',
        CASE WHEN scripts IS NULL THEN '''none'''
             ELSE sources || ' ' || hwsched_internal.html_source(script) END,
        E'; base-uri ''none''; form-action ''none''">\n<title>Report on pool ',
        hwsched_internal.html_text(pool), E'</title>\n<style>', style,
        E'</style>\n</head>\n<body>\n',
        '<h1>Report on pool <bdi>', hwsched_internal.html_text(pool),
        E'</bdi></h1>\n<p class="note">',
        period,
        '. Made ', to_char(now(), 'YYYY-MM-DD HH24:MI'), E'. All times are UTC.</p>\n<dl>\n',
        head.figures, E'\n</dl>\n', hwsched_internal.report_now(pool), E'\n',
        CASE WHEN scripts IS NULL
             THEN E'<p class="note">Tables without charts: Vega is not installed, and the '
                  'setting vega_url does not say where to load it from.</p>\n' END,
        E'<section>\n<h2>Efficiency by type of work</h2>\n',
        coalesce(head.types, '<p>No data.</p>'), E'\n</section>\n', charts.html,
        CASE WHEN scripts IS NOT NULL THEN
            concat(E'\n<script type="application/json" id="specs">',
                   replace(coalesce(charts.specs, '{}')::text, '<', E'\\u003c'), E'</script>\n',
                   scripts,
                   '<script>', script, '</script>') END,
        E'\n</body>\n</html>\n');
END;
$report$;
COMMENT ON FUNCTION hwsched.summary_report(timestamptz, timestamptz, text) IS
  'Returns the report of a pool from since up to until (NULL: all there is): one HTML page with '
  'figures, charts and tables that needs no network.';
