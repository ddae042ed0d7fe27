#!/usr/bin/env bash
# The main job on the data of assets/demo, on this machine; ends with what came out. Further options go to Nextflow.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
began=$SECONDS
.venv/bin/nextflow run . -profile demo,local "$@"
echo
cat results/demo/summary.txt
echo
echo "Run time: $((SECONDS - began)) s"
echo "Report:   $PWD/results/demo/multiqc_report.html"
