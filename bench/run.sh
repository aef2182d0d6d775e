#!/bin/bash
# Runs a bench program: bench/run.sh NAME args (README.md lists them); builds first when sources are
# newer than the classes. BENCH_JVM adds JVM options.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/.." && pwd)
name=${1:?usage: bench/run.sh NAME args}
shift
classpath=$here/target/classpath

. "$root/scripts/jdk.sh"

stale() {
  [ ! -f "$classpath" ] ||
    [ -n "$(find "$here/pom.xml" "$root"/{bench,testkit,proto,core,meta,blocks,buckets,link}/src/main \
      -newer "$classpath" -print -quit)" ]
}

if stale; then
  mkdir -p "$here/target"
  exec 9> "$here/target/.build.lock"
  flock 9
  if stale; then
    (cd "$root" && mvn -q -B -pl bench -am compile dependency:build-classpath \
      -Dspotless.check.skip=true -Dmdep.outputFile=target/classpath.new >&2)
    mv "$here/target/classpath.new" "$classpath"
  fi
  exec 9>&-
fi

# shellcheck disable=SC2086  # BENCH_JVM is a list of options
exec "$JAVA_HOME/bin/java" -Xmx512m -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED \
  --sun-misc-unsafe-memory-access=allow -Dslf4j.internal.verbosity=ERROR -Dmillrace.root="$root" ${BENCH_JVM:-} \
  -cp "$here/target/classes:$(cat "$classpath")" "io.millrace.bench.$name" "$@"
