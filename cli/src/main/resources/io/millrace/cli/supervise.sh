# Holds a mount while the process that serves it is replaced (docs/decisions/0005). Does nothing
# with what it holds: the descriptors it inherited stay open as long as it runs.
# $1: mount point; the rest: the command that serves it. MILLRACE_SUPERVISED: the descriptors.
point=$1
shift
ledger=/proc/$$/fd/${MILLRACE_SUPERVISED##*,}
export MILLRACE_SUPERVISOR=$$
child='' stop='' crashes=0 since=0
say() { echo "millrace: $*" >&2; }
phase() { dd if="$ledger" bs=1 count=1 2>/dev/null | tr -d '\0'; }
detach() { umount -l "$point" 2>/dev/null || fusermount3 -u -z "$point" 2>/dev/null; }
trap 'stop=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT
trap 'printf U | dd of="$ledger" bs=1 seek=1 conv=notrunc 2>/dev/null' HUP
while :; do
  "$@" <&0 &
  child=$!
  while :; do # a signal ends wait, too
    wait "$child"
    status=$?
    kill -0 "$child" 2>/dev/null || break
  done
  child=''
  case $(phase) in
    S) ;;
    U) printf S | dd of="$ledger" bs=1 conv=notrunc 2>/dev/null
       [ -z "$stop" ] && continue ;;
    X) say "the process that served $point ended ($status) and can't be followed: unmounted"
       detach
       exit 1 ;;
    *) exit "$status" ;;
  esac
  if [ -n "$stop" ]; then
    detach
    exit "$status"
  fi
  now=$(date +%s)
  if [ $((now - since)) -gt 60 ]; then
    since=$now crashes=0
  fi
  crashes=$((crashes + 1))
  if [ "$crashes" -gt 5 ]; then
    say "the process that serves $point ended 6 times in a minute, the last time with $status: unmounted"
    detach
    exit 1
  fi
  say "the process that served $point ended ($status); another one goes on"
  sleep $((crashes - 1))
done
