# Sourced: sets JAVA_HOME to a JDK of version 25 or newer (22 to 24 with a warning), or ends with what is missing.
jdk_version() { # prints the feature version of the JDK at $1, nothing if it is none
  [ -x "$1/bin/javac" ] && sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$1/release" 2>/dev/null
}
find_jdk() {
  best= best_version=0
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/java/* /opt/jdk*; do
    [ -n "$home" ] && [ ! -L "${home%/}" ] || continue
    version=$(jdk_version "$home" || true)
    [ -n "$version" ] || continue
    if [ "$version" -eq 25 ]; then JAVA_HOME=$home; return 0; fi
    if [ "$version" -gt "$best_version" ]; then best=$home best_version=$version; fi
  done
  JAVA_HOME=$best
  if [ "$best_version" -lt 22 ]; then
    echo "millrace: no JDK 25 found in JAVA_HOME, /usr/lib/jvm or /opt." >&2
    echo "Install Temurin 25 (package temurin-25-jdk) or set JAVA_HOME to a JDK 25." >&2
    exit 2
  fi
  [ "$best_version" -ge 25 ] || echo "millrace: no JDK 25 here, using $best_version at $best" >&2
}
find_jdk
export JAVA_HOME
