#!/bin/sh
# train.sh DIST: makes the ahead-of-time cache (JDK 25) of the servers (up, node, mount) in DIST by
# a short load on a real one, mounted where that is possible: classes are loaded and linked before
# the start, and the compiler begins with the profiles of the training instead of none.
# Ends with 0 and a line on standard error where it can't; servers then warm up as they run. Some 35 s
# of CPU time, most of it the JVM writing the cache; MILLRACE_TRAIN=0 leaves it out.
set -eu
dist=$1
[ "${MILLRACE_TRAIN:-1}" != 0 ] || exit 0
log=$dist/train.log
if timeout -k 150 240 sh "$dist/launch.sh" train "$dist/launch.sh" "$dist/server.aot.new" >"$log" 2>&1 &&
  [ -s "$dist/server.aot.new" ]; then
  mv "$dist/server.aot.new" "$dist/server.aot"
else
  rm -f "$dist/server.aot.new"
  echo "millrace: no trained cache for servers made, they warm up slower; see $log" >&2
fi
