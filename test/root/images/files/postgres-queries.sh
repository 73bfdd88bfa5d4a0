#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts the server, asks it by psql, stops it.
set -eu
pg_ctl -D "$PGDATA" -l /tmp/server.log -w start >&2 || {
	cat /tmp/server.log >&2
	exit 1
}
psql -qAt -v ON_ERROR_STOP=1 <<'SQL'
CREATE TABLE number (n int PRIMARY KEY, name text NOT NULL);
INSERT INTO number SELECT n, 'one of ' || n % 1001 FROM generate_series(1, 10000) n;
SELECT count(*), sum(n) FROM number;
BEGIN;
DELETE FROM number WHERE n > 5;
ROLLBACK;
SELECT 'rolled back to ' || count(*) FROM number;
SELECT count(*), name FROM number GROUP BY name ORDER BY count(*), length(name) DESC, name LIMIT 1;
ANALYZE number;
DO $$
DECLARE line text;
BEGIN
  FOR line IN EXPLAIN SELECT * FROM number WHERE n = 77 LOOP
    IF line LIKE '%Index Scan%' THEN CREATE TEMP TABLE used AS SELECT 'index' AS what; END IF;
  END LOOP;
END $$;
SELECT what FROM used;
SELECT tablename FROM pg_tables WHERE tablename LIKE 'made%';
SELECT 'utf8 ' || chr(252) || ' ' || length(chr(252));
SQL
pg_ctl -D "$PGDATA" -m fast -w stop >&2
