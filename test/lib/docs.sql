-- What docs.pl asks the catalog: what the documentation has to name, and the
-- Markdown that stands between its <!-- catalog ... --> markers.  Run in a
-- database with the extension; all of it is temporary.
SET client_min_messages = warning;

CREATE TEMP VIEW routine AS
SELECT p.oid, p.proname AS name, p.prokind, a.*
FROM pg_proc p CROSS JOIN LATERAL (
  SELECT
    array_agg(a.name ORDER BY a.number) FILTER (WHERE a.mode IN ('i', 'b', 'v')) AS arguments,
    array_agg(a.name ORDER BY a.number) FILTER (WHERE a.mode IN ('o', 't')) AS columns,
    string_agg(a.name || ' ' || a.type || coalesce(' DEFAULT ' || a.standard, ''), ', ' ORDER BY a.number)
      FILTER (WHERE a.mode IN ('i', 'b', 'v')) AS signature,
    string_agg(format('`%s` %s', a.name, a.type), ', ' ORDER BY a.number) FILTER (WHERE a.mode IN ('o', 't')) AS row
  FROM (
    SELECT t.number, coalesce(p.proargmodes[t.number], 'i') AS mode, coalesce(p.proargnames[t.number], '') AS name,
      format_type(t.type, NULL) AS type,
      -- 'default'::text reads better without its type
      regexp_replace(pg_get_function_arg_default(p.oid, t.number::int), '::[a-z ]+$', '') AS standard
    FROM unnest(coalesce(p.proallargtypes, p.proargtypes)) WITH ORDINALITY t(type, number)) a) a
WHERE p.pronamespace = 'hwsched'::regnamespace;

CREATE TEMP VIEW relation AS
SELECT c.oid, c.relname AS name
FROM pg_class c
WHERE c.relnamespace = 'hwsched'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition;

CREATE TEMP VIEW kind_of_value AS
SELECT t.oid, t.typname AS name
FROM pg_type t
WHERE t.typnamespace = 'hwsched'::regnamespace
  AND (t.typtype IN ('e', 'd') OR t.typtype = 'b' AND t.typcategory <> 'A' OR t.typtype = 'c' AND (SELECT relkind = 'c' FROM pg_class WHERE oid = t.typrelid));

-- Each thing to be documented: its kind, its name, and the names that whoever
-- describes it has to mention.
CREATE TEMP VIEW item AS
SELECT 'function' AS kind, r.name::text, array_remove(array_agg(DISTINCT n.name) FILTER (WHERE n.name <> 'pool'), NULL) AS parts
FROM routine r LEFT JOIN LATERAL unnest(r.arguments || r.columns) n(name) ON true GROUP BY r.name
UNION ALL SELECT 'relation', name, NULL FROM relation
UNION ALL SELECT 'type', name, NULL FROM kind_of_value
UNION ALL SELECT 'settings', '', NULL;

-- A cell of a table.
CREATE FUNCTION pg_temp.cell(value text) RETURNS text LANGUAGE sql AS $$
  SELECT replace(replace(coalesce(value, ''), '|', '\|'), E'\n', ' ')
$$;

CREATE FUNCTION pg_temp.markdown(kind text, name text) RETURNS text LANGUAGE sql AS $$
SELECT CASE markdown.kind
  WHEN 'function' THEN (
    SELECT string_agg(format(E'**`%s(%s)%s`**\n\n%s\n%s\nCalled by %s.', r.name, r.signature,
        CASE r.prokind WHEN 'p' THEN '' ELSE ' → ' || pg_get_function_result(r.oid) END,
        coalesce(obj_description(r.oid, 'pg_proc'), 'No comment.'),
        coalesce(E'\nColumns: ' || r.row || E'.\n', ''),
        coalesce((SELECT string_agg(format('`%s`', a.grantee::regrole), ', ' ORDER BY a.grantee)
                  FROM aclexplode((SELECT proacl FROM pg_proc WHERE oid = r.oid)) a
                  WHERE a.grantee <> a.grantor), 'its owner')), E'\n\n' ORDER BY r.signature)
    FROM routine r WHERE r.name = markdown.name)
  WHEN 'relation' THEN (
    SELECT format(E'%s\n\n| column | type | meaning |\n|---|---|---|\n%s', coalesce(obj_description(r.oid, 'pg_class'), 'No comment.'),
      string_agg(format('| `%s` | %s | %s |', a.attname, format_type(a.atttypid, a.atttypmod),
        pg_temp.cell(coalesce(col_description(r.oid, a.attnum), 'No comment.'))), E'\n' ORDER BY a.attnum))
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE r.name = markdown.name GROUP BY r.oid)
  WHEN 'type' THEN (
    SELECT format(E'%s\n\n%s', coalesce(obj_description(k.oid, 'pg_type'), 'No comment.'),
      (SELECT string_agg(format('`%s`', e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = k.oid))
    FROM kind_of_value k WHERE k.name = markdown.name)
  WHEN 'settings' THEN (
    SELECT format(E'| setting | default | meaning |\n|---|---|---|\n%s',
      string_agg(format('| `%s` | `%s` | %s |', s.name, s.default_value, pg_temp.cell(s.description)), E'\n' ORDER BY s.number))
    FROM (SELECT *, row_number() OVER () AS number FROM hwsched_internal.setting) s)
END
$$;

-- The first part of a function's comment.
CREATE FUNCTION pg_temp.summary(name text) RETURNS text LANGUAGE sql AS $$
  SELECT pg_temp.cell(substring(regexp_replace(obj_description(r.oid, 'pg_proc'), ' \([^)]*\)', '', 'g')
                                FROM '^(.*?)[.;:](?:\s|$)'))
  FROM routine r WHERE r.name = summary.name ORDER BY r.signature LIMIT 1
$$;
