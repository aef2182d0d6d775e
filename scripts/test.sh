#!/bin/sh
# ./millrace test [--group G[,G…]] [--long]: runs the tests of all modules and counts them.
# Groups: fast mount s3 ceph cluster crash programs model long. Without options: all but long.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/jdk.sh"
cd "$root"
all=mount,s3,ceph,cluster,crash,programs,model,long
groups= excluded=long
while [ $# -gt 0 ]; do
  case "$1" in
    --long) groups= excluded= ;;
    --group) shift; groups=$1; excluded=; [ "$1" != fast ] || { groups= excluded=$all; } ;;
    *) echo "usage: ./millrace test [--group fast|mount|s3|ceph|cluster|crash|programs|model|long] [--long]" >&2; exit 2 ;;
  esac
  shift
done
case "$groups,$excluded" in ,"$all") scripts/setup.sh build ;; *) scripts/setup.sh test ;; esac
# Tests that run the product as processes use the laid-out build.
scripts/build.sh
find . -path '*/target/surefire-reports' -prune -exec rm -rf {} +
log=$root/target/test.log
mkdir -p target
started=$(date +%s)
echo "millrace: running tests (groups: ${groups:-all}, without: ${excluded:-none}); log: $log"
built=0
mvn -B -Dmaven.test.failure.ignore=true "-Dmillrace.groups=$groups" "-Dmillrace.excludedGroups=$excluded" \
  -Dsurefire.failIfNoSpecifiedTests=false verify >"$log" 2>&1 || built=$?
grep -E '^\[(ERROR|INFO)\] +Tests run:.* in |^\[ERROR\] .*(Test|IT)\.' "$log" | sed 's/^\[[A-Z]*\] //' || true
[ "$built" = 0 ] || grep -E '^\[ERROR\]' "$log" | head -n 40
echo "millrace: $(($(date +%s) - started)) s"
exec "$JAVA_HOME/bin/java" -XX:TieredStopAtLevel=1 scripts/TestCount.java "$built" .
