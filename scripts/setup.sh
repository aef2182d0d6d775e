#!/bin/sh
# Installs the Debian packages that a step needs: setup.sh build|demo|test|bench. As root by apt,
# else it prints the line to run and ends with 2.
set -eu
build="maven"
demo="maven fuse3"
test="maven fuse3 git make gcc libc6-dev rsync sqlite3 python3 tar procps util-linux attr curl bc nginx-light radosgw ceph-mon ceph-osd fio dbench stress-ng postgresql"
bench="$demo rclone s3fs nginx-light redis-server python3 python3-venv"
case "${1:-}" in
  build) want=$build ;;
  demo) want=$demo ;;
  test) want=$test ;;
  bench) want=$bench ;;
  *) echo "usage: setup.sh build|demo|test|bench" >&2; exit 2 ;;
esac
missing=
for package in $want; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
# A Maven or Python that was not installed by apt serves as well.
case "$missing" in *maven*) command -v mvn >/dev/null && missing=$(echo "$missing" | sed 's/ maven\b//') ;; esac
case "$missing" in *python3*) command -v python3 >/dev/null && missing=$(echo "$missing" | sed 's/ python3\b//') ;; esac
# Python's own tests are a package of their own in Debian, named after the version.
case "${1:-}" in
  test)
    if ! python3 -c 'import test.libregrtest' 2>/dev/null; then
      suite=$(python3 -c 'import sys; print("libpython%d.%d-testsuite" % sys.version_info[:2])' 2>/dev/null || echo libpython3-testsuite)
      ! apt-cache show "$suite" >/dev/null 2>&1 || missing="$missing $suite"
    fi ;;
esac
[ -n "$missing" ] || exit 0
line="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ]; then
  echo "millrace: missing packages. Run: sudo $line" >&2
  exit 2
fi
echo "millrace: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=600 update -q >/dev/null 2>&1 || true
# A test wants PostgreSQL's programs, not a server of the machine's.
case "$missing" in
  *postgresql*)
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
      mkdir -p /etc/postgresql-common
      echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf
    fi ;;
esac
# shellcheck disable=SC2086
if ! apt-get -o DPkg::Lock::Timeout=600 install -q -y --no-install-recommends $missing >/tmp/millrace-apt.$$ 2>&1; then
  tail -n 20 /tmp/millrace-apt.$$ >&2
  rm -f /tmp/millrace-apt.$$
  echo "millrace: could not install. Run: $line" >&2
  exit 2
fi
rm -f /tmp/millrace-apt.$$
