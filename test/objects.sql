-- All that the extension consists of, one object a row, with what it is made of: two databases
-- with the same rows have the same extension.
WITH extension AS (
    SELECT oid, extconfig, extcondition FROM pg_extension WHERE extname = 'hwsched'
), member AS (
    SELECT d.classid, d.objid
    FROM pg_depend AS d, extension AS e
    WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
), described AS (
    SELECT m.classid, m.objid,
           coalesce(obj_description(m.objid, m.classid::regclass::name), '') AS comment,
           (SELECT coalesce(string_agg(a.item::text, ',' ORDER BY a.item::text), '')
            FROM unnest(CASE m.classid
                        WHEN 'pg_proc'::regclass THEN (SELECT proacl FROM pg_proc WHERE oid = m.objid)
                        WHEN 'pg_class'::regclass THEN (SELECT relacl FROM pg_class WHERE oid = m.objid)
                        WHEN 'pg_type'::regclass THEN (SELECT typacl FROM pg_type WHERE oid = m.objid)
                        WHEN 'pg_namespace'::regclass
                        THEN (SELECT nspacl FROM pg_namespace WHERE oid = m.objid) END) AS a (item)) AS access,
           CASE m.classid
           WHEN 'pg_proc'::regclass
           THEN (SELECT CASE WHEN prokind = 'a' THEN '' ELSE pg_get_functiondef(oid) END
                 FROM pg_proc WHERE oid = m.objid)
           WHEN 'pg_class'::regclass
           THEN (SELECT concat_ws(' ', relkind, relpersistence, relrowsecurity, reloptions,
                                  CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) END)
                 FROM pg_class WHERE oid = m.objid)
           WHEN 'pg_type'::regclass
           THEN (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder)
                 FROM pg_enum WHERE enumtypid = m.objid)
           END AS definition
    FROM member AS m
), relation AS (
    SELECT objid FROM member WHERE classid = 'pg_class'::regclass
)
SELECT concat_ws(' | ', pg_describe_object(classid, objid, 0), access, comment, definition) FROM described
UNION ALL
SELECT concat_ws(' | ', 'column', r.objid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                 attidentity, attgenerated, attacl, pg_get_expr(adbin, adrelid), col_description(r.objid, attnum))
FROM relation AS r
JOIN pg_attribute AS a ON a.attrelid = r.objid AND attnum > 0 AND NOT attisdropped
LEFT JOIN pg_attrdef ON adrelid = r.objid AND adnum = attnum
UNION ALL
SELECT concat_ws(' | ', 'constraint', r.objid::regclass, conname, convalidated, pg_get_constraintdef(c.oid),
                 obj_description(c.oid, 'pg_constraint'))
FROM relation AS r JOIN pg_constraint AS c ON conrelid = r.objid
UNION ALL
SELECT concat_ws(' | ', 'index', indisvalid, pg_get_indexdef(indexrelid))
FROM relation AS r JOIN pg_index ON indrelid = r.objid
UNION ALL
SELECT concat_ws(' | ', 'trigger', tgenabled, pg_get_triggerdef(t.oid))
FROM relation AS r JOIN pg_trigger AS t ON tgrelid = r.objid AND NOT tgisinternal
UNION ALL
SELECT concat_ws(' | ', 'policy', r.objid::regclass, polname, polcmd, pg_get_expr(polqual, polrelid),
                 pg_get_expr(polwithcheck, polrelid))
FROM relation AS r JOIN pg_policy ON polrelid = r.objid
UNION ALL
SELECT concat_ws(' | ', 'dumped', c.relation::regclass, c.condition)
FROM extension, unnest(extconfig, extcondition) AS c (relation, condition)
UNION ALL
SELECT concat_ws(' | ', 'builtin', t.*) FROM hwsched.taxonomy AS t WHERE builtin
UNION ALL
SELECT concat_ws(' | ', 'builtin', t.*) FROM hwsched.type_word AS t WHERE builtin
UNION ALL
SELECT concat_ws(' | ', 'builtin', t.*) FROM hwsched.class_similarity AS t WHERE builtin
UNION ALL
SELECT concat_ws(' | ', 'builtin', t.*) FROM hwsched.implied_device AS t WHERE builtin
ORDER BY 1;
