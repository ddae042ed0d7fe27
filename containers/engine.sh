#!/usr/bin/env bash
# A private Docker engine for machines without a running one: no init system, no bridge, no firewall rules, everything in one folder.
#   eval "$(containers/engine.sh start)"    prints `export DOCKER_HOST=…`; does nothing when an engine answers already
#   containers/engine.sh stop               ends the engine that `start` began, and no other
# Needs root and the Debian packages docker.io and iptables. The folder is .tools/docker, or $STRANDWISE_DOCKER_STATE.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state=${STRANDWISE_DOCKER_STATE:-$root/.tools/docker}
socket=unix://$state/docker.sock

answers() { docker "$@" info >/dev/null 2>&1; }

start() {
  if answers; then return; fi # DOCKER_HOST or the usual socket
  if ! answers -H "$socket"; then
    if ! command -v dockerd >/dev/null || [[ $(id -u) != 0 ]]; then
      echo "error: no Docker engine answers, and one can be started only by root with dockerd installed (Debian: apt-get install docker.io iptables)" >&2
      exit 69
    fi
    mkdir -p "$state"
    rm -f "$state/dockerd.pid"
    # Builds and steps use the host's network or none at all, so the engine needs neither a bridge nor NAT rules.
    setsid nohup dockerd --data-root "$state/data" --exec-root "$state/exec" --pidfile "$state/dockerd.pid" \
      --host "$socket" --storage-driver "${STRANDWISE_DOCKER_DRIVER:-overlay2}" \
      --bridge=none --iptables=false --ip6tables=false >"$state/dockerd.log" 2>&1 </dev/null &
    for _ in $(seq 120); do
      if answers -H "$socket"; then break; fi
      sleep 0.5
    done
    answers -H "$socket" || { echo "error: the Docker engine did not start; the end of $state/dockerd.log:" >&2; tail -n 20 "$state/dockerd.log" >&2; exit 69; }
    echo "started a private Docker engine in $state" >&2
  fi
  echo "export DOCKER_HOST=$socket"
}

stop() {
  [[ -s $state/dockerd.pid ]] || return 0
  local pid
  pid=$(<"$state/dockerd.pid")
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 60); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.5
  done
  echo "error: the Docker engine (process $pid) did not stop" >&2
  exit 69
}

case ${1:-} in
  start | stop) "$1" ;;
  *) echo "usage: containers/engine.sh start|stop" >&2; exit 64 ;;
esac
