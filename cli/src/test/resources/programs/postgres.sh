#!/bin/bash
# postgres.sh DIRECTORY PORT: initdb, pgbench, kill -9 of all of its processes, recovery, amcheck,
# and pgbench's own sums. Runs the server as the user postgres, on a Unix socket beside its data.
set -eu
top=$1 port=$2
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
data=$top/data sockets=$(mktemp -d /tmp/millrace-pg-XXXXXX)
as_postgres() { su postgres -s /bin/sh -c "cd / && $*"; }
pids() { pgrep -f "^postgres|$bin/postgres" -u postgres | while read -r p; do
  [ "$(readlink "/proc/$p/cwd")" = "$data" ] && echo "$p"; done; true; }
end() { pids | xargs -r kill -9 2>/dev/null || true; rm -rf "$sockets"; }
trap end EXIT
start() {
  as_postgres "$bin/pg_ctl -D $data -w -t 60 -l $sockets/log -o '-k $sockets -p $port -c listen_addresses= -c shared_buffers=16MB' start" \
    >/dev/null || { cat "$sockets/log"; exit 1; }
}
client() { local program=$1; shift; as_postgres "$bin/$program -h $sockets -p $port $*"; }
chown postgres "$sockets" && chmod 755 "$sockets"
mkdir -m 700 "$data" && chown postgres "$data"
as_postgres "$bin/initdb -D $data -k -A trust --no-locale -E UTF8" >/dev/null
start
client createdb bench
client pgbench -q -i -s 1 bench >/dev/null 2>&1
client pgbench -n -c 4 -j 2 -t 100 bench >/dev/null 2>&1
client pgbench -n -c 4 -j 2 -T 60 bench >/dev/null 2>&1 &
until [ "$(client psql -Atc "'select count(*) from pgbench_history'" bench)" -gt 600 ]; do :; done
kill -9 "$(head -n 1 "$data/postmaster.pid")"
pids | xargs -r kill -9 2>/dev/null || true
wait || true
while [ -n "$(pids)" ]; do :; done
rm -f "$data/postmaster.pid" "$sockets"/.s.*
start
grep -q 'automatic recovery in progress' "$sockets/log" || { echo "no recovery was needed"; exit 1; }
client psql -qc "'create extension amcheck'" bench
client pg_amcheck --heapallindexed -d bench
client psql -Atc "'select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history) and (select sum(tbalance) from pgbench_tellers) = (select sum(bbalance) from pgbench_branches) and (select count(*) >= 600 from pgbench_history)'" bench | tee "$sockets/sums"
grep -qx t "$sockets/sums"
as_postgres "$bin/pg_ctl -D $data -m fast -w stop" >/dev/null
as_postgres "$bin/pg_checksums --check -D $data" | grep -E 'Bad checksums: +0$'
