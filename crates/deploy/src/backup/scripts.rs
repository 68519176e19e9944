//! What runs in the database's own image. Each ends with a line of JSON that says what it did.
//!
//! The password is read from a file into the environment of the client, never into an argument.

/// Counts the rows of every table, in one snapshot, as one JSON object.
macro_rules! count_rows {
    () => {
        r#"select coalesce(json_object_agg(name, rows), '{}') from (
select format('%s.%s', schemaname, tablename) as name,
       (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I.%I', schemaname, tablename), false, true, '')))[1]::text::bigint as rows
  from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1) counted;"#
    };
}

/// Logs in over TCP, as the service does.
macro_rules! login {
    () => {
        r#"
export PGHOST="$DATABASE_HOST" PGUSER="$DATABASE_USER" PGDATABASE="$DATABASE" PGCONNECT_TIMEOUT=10
PGPASSWORD="$(cat "$PASSWORD_FILE")"; export PGPASSWORD
"#
    };
}

/// Says each file with its size and checksum, as a JSON array.
macro_rules! list_files {
    () => {
        r#"
list_files() {
  first=1; printf '['
  for file in "/backups/$BACKUP".*; do
    [ "$first" = 1 ] || printf ','
    first=0
    printf '{"name":"%s","bytes":%s,"sha256":"%s"}' "${file##*/}" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
  done
  printf ']'
}
"#
    };
}

/// Dumps the database and counts its rows in the same snapshot; packs the volumes beside it.
pub(super) const DUMP: &str = concat!(
    login!(),
    list_files!(),
    r#"
umask 077
find /backups -maxdepth 1 -name '*.partial' -delete
dump="/backups/$BACKUP.dump"
psql -XAtq -v ON_ERROR_STOP=1 >/tmp/rows <<'SQL'
begin isolation level repeatable read read only;
select pg_export_snapshot() as snapshot \gset
\setenv SNAPSHOT :snapshot
\! pg_dump -Fc --snapshot="$SNAPSHOT" -f "/backups/$BACKUP.dump.partial" && touch /tmp/dumped
"#,
    count_rows!(),
    r#"
commit;
SQL
[ -e /tmp/dumped ]
pg_restore --list "$dump.partial" >/dev/null
for volume in /volumes/*; do
  [ -d "$volume" ] || continue
  archive="/backups/$BACKUP.${volume##*/}.tar"
  packed=0
  for attempt in 1 2 3; do
    # tar says 1 where a file changed while it was read.
    if tar -cf "$archive.partial" -C "$volume" .; then packed=1; break; fi
    sleep 1
  done
  [ "$packed" = 1 ]
  sync "$archive.partial"; mv "$archive.partial" "$archive"
done
sync "$dump.partial"; mv "$dump.partial" "$dump"; sync /backups
printf '{"server_version":"%s","tool_version":"%s","rows":%s,"files":' \
  "$(psql -XAtqc 'show server_version')" "$(pg_dump --version | sed 's/.* (PostgreSQL) //')" "$(tr -d '\n' </tmp/rows)"
list_files
printf '}\n'
"#
);

/// Restores into a server of its own that hears no network, and counts.
pub(super) const PROVE: &str = concat!(
    list_files!(),
    r#"
umask 077
unset PGHOST PGPASSWORD
scratch="$(mktemp -d)"; chown postgres "$scratch"
# The image has the programs of its server on the path or in Debian's place.
PATH="$PATH:$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -n 1)"; export PATH
as_postgres() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@" 2>/dev/null || su -s /bin/sh postgres -c 'exec "$0" "$@"' -- "$@"; }
as_postgres initdb -D "$scratch/data" -U "$DATABASE_USER" --auth=trust --no-sync >/dev/null
as_postgres pg_ctl -D "$scratch/data" -w -t 60 -l "$scratch/log" -o "-c listen_addresses='' -c fsync=off -k $scratch" start >/dev/null || { cat "$scratch/log" >&2; exit 1; }
export PGHOST="$scratch" PGUSER="$DATABASE_USER"
createdb -T template0 "$DATABASE"
pg_restore --exit-on-error --no-owner --no-privileges -d "$DATABASE" "/backups/$BACKUP.dump"
rows="$(psql -XAtq -v ON_ERROR_STOP=1 -d "$DATABASE" <<'SQL'
"#,
    count_rows!(),
    r#"
SQL
)"
for archive in "/backups/$BACKUP".*.tar; do
  [ ! -e "$archive" ] || tar -tf "$archive" >/dev/null
done
printf '{"rows":%s,"files":' "$(printf %s "$rows" | tr -d '\n')"
list_files
printf '}\n'
as_postgres pg_ctl -D "$scratch/data" -m immediate stop >/dev/null || true
"#
);

/// Restores beside the live database and then takes its name, in one transaction.
pub(super) const RESTORE: &str = concat!(
    login!(),
    r#"
export PGDATABASE=postgres
psql -XAtq -v ON_ERROR_STOP=1 -v fresh="${DATABASE}_restoring" <<'SQL'
drop database if exists :"fresh" with (force);
create database :"fresh" template template0;
SQL
pg_restore --exit-on-error -d "${DATABASE}_restoring" "/backups/$BACKUP.dump"
psql -XAtq -v ON_ERROR_STOP=1 -v live="$DATABASE" -v fresh="${DATABASE}_restoring" -v before="${DATABASE}_before_restore" <<'SQL'
drop database if exists :"before" with (force);
alter database :"live" with allow_connections false;
select pg_terminate_backend(pid) from pg_stat_activity where datname = :'live' \g /dev/null
begin;
alter database :"live" rename to :"before";
alter database :"fresh" rename to :"live";
commit;
alter database :"before" with allow_connections true;
SQL
printf '{"rows":%s}\n' "$(psql -XAtq -v ON_ERROR_STOP=1 -d "$DATABASE" <<'SQL' | tr -d '\n'
"#,
    count_rows!(),
    r#"
SQL
)"
"#
);

/// Counts the rows of the live database.
pub(super) const COUNT: &str = concat!(
    login!(),
    r#"
printf '{"rows":%s}\n' "$(psql -XAtq -v ON_ERROR_STOP=1 <<'SQL' | tr -d '\n'
"#,
    count_rows!(),
    r#"
SQL
)"
"#
);

/// Removes every file that belongs to none of the backups in `KEEP`.
pub(super) const PRUNE: &str = r#"
for file in /backups/*; do
  name="${file##*/}"
  case " $KEEP " in
    *" ${name%%.*} "*) ;;
    *) rm -f "$file" ;;
  esac
done
"#;
