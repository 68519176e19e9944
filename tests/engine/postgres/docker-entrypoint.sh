#!/bin/sh
# As the official one: makes the cluster when there is none, reachable over the socket only until
# it is whole, and becomes the user postgres.
set -eu
if [ "$1" != postgres ]; then
  exec "$@"
fi
as() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
install -d -o postgres -g postgres -m 700 "$PGDATA"
install -d -o postgres -g postgres /var/run/postgresql
user="${POSTGRES_USER:-postgres}"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password="$(mktemp)"
  if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
    cat "$POSTGRES_PASSWORD_FILE" >"$password"
  else
    printf '%s\n' "${POSTGRES_PASSWORD:?a password is needed}" >"$password"
  fi
  chown postgres "$password"
  as initdb -D "$PGDATA" -U "$user" --pwfile="$password" --auth=trust >/dev/null
  rm "$password"
  printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
  as pg_ctl -D "$PGDATA" -w -o "-c listen_addresses=''" start >/dev/null
  [ "${POSTGRES_DB:-$user}" = postgres ] || as createdb -U "$user" "${POSTGRES_DB:-$user}"
  as pg_ctl -D "$PGDATA" -w stop >/dev/null
fi
shift
exec setpriv --reuid=postgres --regid=postgres --clear-groups postgres -D "$PGDATA" -c listen_addresses='*' "$@"
