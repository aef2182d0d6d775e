#!/bin/sh
# train.sh DIST: makes the ahead-of-time cache (JDK 25) of the servers (up, node, mount) in DIST by
# a short load on a real one, mounted where that is possible: classes are loaded and linked before
# the start, and the compiler begins with the profiles of the training instead of none.
# Ends with 0 and a line on standard error where it can't; servers then warm up as they run.
set -eu
dist=$1
log=$dist/train.log
if timeout -k 60 90 sh "$dist/launch.sh" train "$dist/launch.sh" "$dist/server.aot.new" >"$log" 2>&1 &&
  [ -s "$dist/server.aot.new" ]; then
  mv "$dist/server.aot.new" "$dist/server.aot"
else
  rm -f "$dist/server.aot.new"
  echo "millrace: no trained cache for servers made, they warm up slower; see $log" >&2
fi
