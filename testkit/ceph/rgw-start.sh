#!/bin/bash
# Runs a one-node Ceph with an S3 endpoint (RGW) on 127.0.0.1 in the foreground, as root, without
# systemd, until TERM or INT; then kills its daemons. Keys test/testtest.
# usage: rgw-start.sh DIR PORT MON_PORT [memstore|bluestore]
# DIR must not exist; it holds all state and stays. Debian packages: radosgw ceph-mon ceph-osd.
set -euo pipefail
dir=$1 port=$2 mon_port=$3 store=${4:-memstore}
mkdir "$dir"
dir=$(cd "$dir" && pwd)
mkdir "$dir"/{mon,osd,rgw,log,run}
conf=$dir/ceph.conf
fsid=$(cat /proc/sys/kernel/random/uuid)
daemons=()

stop() {
  trap - EXIT TERM INT
  [ ${#daemons[@]} = 0 ] || kill -KILL "${daemons[@]}" 2>/dev/null || true
  wait 2> /dev/null
}
trap stop EXIT
trap 'exit 143' TERM INT

# A daemon in the foreground that dies with this script even if the script is killed.
daemon() {
  local log=$1
  shift
  setpriv --pdeathsig KILL "$@" > "$dir/log/$log.out" 2>&1 < /dev/null &
  daemons+=($!)
}

# Without cephx the messengers must be told to use crc mode: radosgw asks for secure mode only and
# would retry until it gives up. tcp_nodelay: else small answers take 40 ms (Nagle).
cat > "$conf" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$mon_port/0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon service mode = crc
ms mon cluster mode = crc
ms client mode = crc
ms service mode = crc
ms cluster mode = crc
keyring = $dir/keyring
run dir = $dir/run
admin socket = $dir/run/\$name.asok
pid file = $dir/run/\$name.pid
log file = $dir/log/\$name.log
log to stderr = false
err to stderr = true
crash dir = $dir/log
debug ms = 0/0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd class load list = *
osd class default list = *
mon allow pool size one = true
mon allow pool delete = true
mon max pg per osd = 2000
[mon]
mon data = $dir/mon
mon warn on pool no redundancy = false
mon data avail crit = 1
mon data avail warn = 2
auth allow insecure global id reclaim = false
[osd]
osd data = $dir/osd
osd journal = $dir/osd/journal
osd objectstore = $store
bluestore block create = true
bluestore block size = 21474836480
bluestore fsck on mount = false
osd memory target = 939524096
memstore device bytes = 4294967296
osd op num shards = 2
osd max pg per osd hard ratio = 10
osd max object name len = 2048
[client.rgw]
rgw data = $dir/rgw
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw thread pool size = 128
rgw dns name = localhost
rgw enable usage log = false
rgw enable ops log = false
CONF
export CEPH_CONF=$conf
touch "$dir/keyring"

monmaptool --create --clobber --addv a "[v2:127.0.0.1:$mon_port/0]" --fsid "$fsid" "$dir/monmap" > /dev/null
ceph-mon -c "$conf" -i a --mkfs --monmap "$dir/monmap"
daemon mon ceph-mon -c "$conf" -i a -f
osd=$(cat /proc/sys/kernel/random/uuid)
ceph -c "$conf" --connect-timeout 60 osd new "$osd" > /dev/null
ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid "$osd" > "$dir/log/mkfs.out" 2>&1
daemon osd ceph-osd -c "$conf" -i 0 -f
setpriv --pdeathsig KILL timeout 120 radosgw-admin -c "$conf" user create --uid=test --display-name=test \
  --access-key=test --secret=testtest > "$dir/log/user.out" 2>&1
daemon rgw radosgw -c "$conf" -n client.rgw -f
# The first daemon to end takes the rest with it.
wait -n "${daemons[@]}" || true
echo "a Ceph daemon ended; see $dir/log" >&2
tail -n 20 "$dir"/log/*.out >&2
exit 1
