-- Keeps the story's pool alive: workers that run, work that comes, for as long as it is asked
-- for. psql -v seconds=3600 -f examples/demo/crew.sql
\set pool demo_story
SET client_min_messages = warning;
\ir crew.psql
CALL pg_temp.crew(:'pool', :seconds, 6);
