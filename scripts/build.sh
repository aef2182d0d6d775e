#!/bin/sh
# Builds everything and lays out cli/target/dist: jars, launch.sh with the exact command, and two
# ahead-of-time caches (JDK 25): one brings the start of a command under a second, one lets servers
# begin with the classes and profiles of a short training (train.sh).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/jdk.sh"
"$root/scripts/setup.sh" build
cd "$root"
dist=$root/cli/target/dist
echo "millrace: building (first time: some minutes)" >&2
mkdir -p cli/target
log=$root/cli/target/build.log
if ! mvn -B -q -T2 -Dmaven.test.skip=true -Dspotless.check.skip=true package -pl cli,bench -am >"$log" 2>&1; then
  grep -E 'ERROR|error:' "$log" >&2 || tail -n 40 "$log" >&2
  echo "millrace: the build failed; the whole log is $log" >&2
  exit 2
fi
rm -rf "$dist.new" && mkdir -p "$dist.new"
cp cli/target/lib/*.jar "$dist.new/"
cp cli/target/millrace-cli-*.jar "$dist.new/"
cp scripts/memory.sh "$dist.new/"
rm -rf "$dist" && mv "$dist.new" "$dist"
cp=$(printf '%s:' "$dist"/*.jar)
cp=${cp%:}
base="--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
"$JAVA_HOME/bin/java" -XX:AOTCacheOutput="$dist/millrace.aot" -cp "$cp" $base io.millrace.cli.Main status --server 127.0.0.1:9 >/dev/null 2>&1 || true
[ -e "$dist/millrace.aot" ] || echo "millrace: no class cache made (needs JDK 25); commands start slower" >&2
cat >"$dist/launch.sh" <<L
# Written by scripts/build.sh. Servers get a real compiler and heap; each kind has its own cache.
# Less inlining than usual: the optimising compiler then costs a server a third of its CPU time in the
# first minutes, and what it makes is as fast (docs/BENCHMARKS.md).
cp='$cp'
common='--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -XX:+ExitOnOutOfMemoryError -Dmillrace.root=$root -Dmillrace.launcher=$dist/launch.sh'
aot='$dist/millrace.aot'
serves="\${1:-}"
case "\$serves" in
  up|mount) # at first it only becomes the supervisor (docs/decisions): as light as a command
    case "\${MILLRACE_SUPERVISED:-none} \$* " in none*) case " \$* " in *' --supervisor '*) serves=supervisor ;; esac ;; esac ;;
esac
case "\$serves" in
  up|node|mount|demo)
    . '$dist/memory.sh'
    jvm="-Xms\${start}m -Xmx\${heap}m -Xmn\${MILLRACE_YOUNG:-\$young} -XX:+UseSerialGC -XX:FreqInlineSize=60 -XX:InlineSmallCode=800 -XX:MaxDirectMemorySize=\$direct -Dmillrace.memory=\$((memory * 1048576))"
    [ ! -e '$dist/server.aot' ] || aot='$dist/server.aot' ;;
  *) jvm="-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1" ;;
esac
case "\${MILLRACE_JVM:-}" in *-XX:AOT*) aot= ;; esac
[ -z "\$aot" ] || [ ! -e "\$aot" ] || jvm="\$jvm -XX:AOTCache=\$aot -Xlog:aot=off -Xlog:cds=off -Xlog:aot+heap=off"
exec "\$JAVA_HOME/bin/java" \$common \$jvm \${MILLRACE_JVM:-} -cp "\$cp" io.millrace.cli.Main "\$@"
L
touch "$dist/built"
"$root/scripts/train.sh" "$dist"
