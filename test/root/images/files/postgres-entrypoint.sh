#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# As PostgreSQL's usual container images do it: as root the folder gets its owner, as postgres the cluster is made once.
set -eu
if [ "$(id -u)" = 0 ]; then
	mkdir -p "$PGDATA" /run/postgresql
	chown -R postgres:postgres "$PGDATA" /run/postgresql
	chmod 700 "$PGDATA"
	exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	initdb -D "$PGDATA" --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-instructions >&2
	pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -l /tmp/init.log -w start >&2
	for file in /docker-entrypoint-initdb.d/*.sql; do psql -q -v ON_ERROR_STOP=1 -f "$file" >&2; done
	pg_ctl -D "$PGDATA" -m fast -w stop >&2
fi
exec "$@"
