#!/usr/bin/env bash
# A SLURM cluster of two nodes on this machine, started by hand as root (Debian packages slurm-wlm and munge).
#   eval "$(tests/places/slurm/cluster.sh start FOLDER)"    prints `export SLURM_CONF=…`
#   tests/places/slurm/cluster.sh stop FOLDER               ends the daemons of that folder
# Everything is kept in FOLDER. $SLURM_TEST_PORT is the first of the three ports that are used.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
action=${1:?start or stop}
mkdir -p "${2:?folder}"
state=$(cd "$2" && pwd)
export SLURM_CONF=$state/slurm.conf

ready() { [[ $(sinfo -h -N -t idle,mixed,allocated -o %N 2>/dev/null | sort -u | wc -l) == 2 ]]; }

start() {
  # munge refuses a key or socket folder that others could write to.
  mkdir -p "$state/munge" "$state/ctld" "$state/spool.node1" "$state/spool.node2"
  chmod 0755 "$state/munge"
  if [[ ! -s $state/munge/munge.key ]]; then (umask 077 && head -c 1024 /dev/urandom >"$state/munge/munge.key"); fi
  if ! munge -S "$state/munge/munge.sock" -n >/dev/null 2>&1; then
    munged --force --key-file="$state/munge/munge.key" --socket="$state/munge/munge.sock" --log-file="$state/munge/munged.log" \
      --pid-file="$state/munge/munged.pid" --seed-file="$state/munge/munged.seed" >&2
  fi
  local port=${SLURM_TEST_PORT:-16817} node
  sed -e "s|@HOST@|$(hostname -s)|g" -e "s|@STATE@|$state|g" \
    -e "s|@PORT0@|$port|" -e "s|@PORT1@|$((port + 1))|" -e "s|@PORT2@|$((port + 2))|" "$here/slurm.conf.in" >"$SLURM_CONF"
  if ! timeout 10 scontrol ping 2>/dev/null | grep -q 'is UP'; then slurmctld -f "$SLURM_CONF" -i >&2; fi
  for node in node1 node2; do
    if [[ ! -s $state/slurmd.$node.pid ]] || ! kill -0 "$(<"$state/slurmd.$node.pid")" 2>/dev/null; then slurmd -f "$SLURM_CONF" -N "$node" >&2; fi
  done
  for _ in $(seq 60); do
    if ready; then break; fi
    sleep 0.5
  done
  ready || { echo "error: the two SLURM nodes did not come up; see $state/*.log" >&2; exit 69; }
  echo "export SLURM_CONF=$SLURM_CONF"
}

stop() {
  local file
  for file in "$state"/slurmd.node1.pid "$state"/slurmd.node2.pid "$state"/slurmctld.pid "$state"/munge/munged.pid; do
    if [[ -s $file ]]; then kill "$(<"$file")" 2>/dev/null || true; fi
  done
}

case $action in
  start | stop) "$action" ;;
  *) echo "usage: cluster.sh start|stop FOLDER" >&2; exit 64 ;;
esac
