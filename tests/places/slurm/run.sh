#!/usr/bin/env bash
# Runs the test profile on a real SLURM cluster of two nodes and on this machine, and compares the results. `make test-slurm` calls it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
for program in slurmctld slurmd sbatch munged; do
  command -v "$program" >/dev/null || { echo "error: $program is missing (Debian, as root: apt-get install --no-install-recommends slurm-wlm munge)" >&2; exit 69; }
done
state=$PWD/.tools/slurm
out=$PWD/.tools/slurm-results
rm -rf "$out"
mkdir -p "$out"
cluster=$(tests/places/slurm/cluster.sh start "$state")
eval "$cluster"
trap 'tests/places/slurm/cluster.sh stop "$state"' EXIT

run() { # where, then further options
  (cd "$out" && ../../.venv/bin/nextflow -log "$1.log" -q run ../.. -profile "test,$1" --outdir "$out/$1" -work-dir "$out/work-$1" "${@:2}")
}
: >"$state/finished-jobs.txt"
run slurm --slurm_queue debug --max_cpus 1 --max_memory 8.GB -c ../../tests/places/slurm/test.config
jobs=$(grep -c 'JobState=COMPLETED' "$state/finished-jobs.txt" || true)
nodes=$(grep -o 'NodeList=[^ ]*' "$state/finished-jobs.txt" | sort -u | tr '\n' ' ')
echo "SLURM ran $jobs jobs ($nodes)"
((jobs > 0)) || { echo "error: no job went through SLURM" >&2; exit 1; }
[[ $nodes == *node1*node2* ]] || { echo "error: only one of the two nodes was used" >&2; exit 1; }
run local
.venv/bin/python tests/places/compare_results.py "$out/local" "$out/slurm"
