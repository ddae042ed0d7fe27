#!/usr/bin/env bash
# Runs the demo, phased, with the images and with .venv and compares the results. `make demo-docker` calls it; the images are built by then.
# The steps have no network in the images; where the kernel allows it, the other run, Nextflow included, has none at all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$PWD/.tools/docker-results
rm -rf "$out"
mkdir -p "$out"
engine=$(containers/engine.sh start)
eval "$engine"

demo() { # demo PLACE WORDS COMMAND…: the command runs Nextflow, for example without network
  local place=$1 words=$2 began=$SECONDS
  shift 2
  (cd "$out" && "$@" ../../.venv/bin/nextflow -log "$place.log" run ../.. -ansi-log false -profile "demo,$place" --phase --outdir "$out/$place" -work-dir "$out/work-$place")
  echo "demo with -profile $place$words: $((SECONDS - began)) s"
}

demo docker '' env
if unshare --net --map-root-user true 2>/dev/null; then
  demo local ' and no network' unshare --net --map-root-user
else
  demo local '' env
fi
.venv/bin/python tests/places/compare_results.py "$out/local" "$out/docker"
