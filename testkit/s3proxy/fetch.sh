#!/bin/bash
# Brings the jars of S3Proxy (pom.xml beside this file) into target/lib beside it, once.
# Prints that directory. Safe to call at any time and from several processes: the directory appears
# whole, under a lock, and a stamp of the pom's checksum says whether it is current.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=$here/target
lib=$target/lib
want=$(sha256sum < "$here/pom.xml")

current() { [ -f "$lib/.stamp" ] && [ "$(cat "$lib/.stamp")" = "$want" ]; }

if ! current; then
  mkdir -p "$target"
  exec 9> "$target/.lock"
  flock 9
  if ! current; then
    rm -rf "$target/lib.new" "$lib"
    mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$target/lib.new" >&2
    echo "$want" > "$target/lib.new/.stamp"
    mv "$target/lib.new" "$lib"
  fi
fi
echo "$lib"
