# Sourced by launch.sh for servers: sizes the heap by the memory limit, that of MILLRACE_MEMORY (as 512m or 2g) or
# of the control group (v2 or v1, the least of all levels), whichever is less. Sets heap, young, direct and memory.
mib_of() { # 512m, 2g, 1048576k or bytes, in MiB
  case "$1" in
    *[!0-9kKmMgG]*|'') echo 0 ;;
    *[kK]) echo $((${1%?} / 1024)) ;;
    *[mM]) echo "${1%?}" ;;
    *[gG]) echo $((${1%?} * 1024)) ;;
    *) echo $(($1 / 1048576)) ;;
  esac
}
memory=0 # MiB; 0: no limit
at_most() { [ "$1" -le 0 ] || { [ "$memory" != 0 ] && [ "$memory" -le "$1" ]; } || memory=$1; }
if [ -n "${MILLRACE_MEMORY:-}" ]; then
  at_most "$(mib_of "$MILLRACE_MEMORY")"
  [ "$memory" != 0 ] || { echo "millrace: MILLRACE_MEMORY=$MILLRACE_MEMORY is no size; write 512m or 2g" >&2; exit 2; }
fi
while IFS=: read -r _ kinds group; do
  case ",$kinds," in
    ,,) base=/sys/fs/cgroup file=memory.max ;;
    *,memory,*) base=/sys/fs/cgroup/memory file=memory.limit_in_bytes ;;
    *) continue ;;
  esac
  group=${group%/}
  while :; do
    if read -r bytes 2>/dev/null <"$base$group/$file" && [ "$bytes" != max ] && [ ${#bytes} -lt 16 ]; then
      at_most $((bytes / 1048576))
    fi
    [ -n "$group" ] || break
    group=${group%/*}
  done
done 2>/dev/null </proc/self/cgroup
heap=256 direct=128
if [ "$memory" != 0 ] && [ "$memory" -lt 1024 ]; then
  heap=$((memory * 28 / 100)) direct=$((memory / 8))
  [ "$heap" -ge 64 ] || heap=64
  [ "$heap" -le 256 ] || heap=256
  [ "$direct" -ge 32 ] || direct=32
fi
heap=$(mib_of "${MILLRACE_HEAP:-${heap}m}")
direct=${MILLRACE_DIRECT:-${direct}m}
young=$((heap / 4))m
start=128
[ "$heap" -ge 128 ] || start=$heap
