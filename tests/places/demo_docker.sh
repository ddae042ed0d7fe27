#!/usr/bin/env bash
# Runs the demo with the images and with .venv and compares the results. `make demo-docker` calls it; the images are built by then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$PWD/.tools/docker-results
rm -rf "$out"
mkdir -p "$out"
engine=$(containers/engine.sh start)
eval "$engine"
for place in docker local; do
  began=$SECONDS
  (cd "$out" && ../../.venv/bin/nextflow -log "$place.log" run ../.. -ansi-log false -profile "demo,$place" --outdir "$out/$place" -work-dir "$out/work-$place")
  echo "demo with -profile $place: $((SECONDS - began)) s"
done
.venv/bin/python tests/places/compare_results.py "$out/local" "$out/docker"
