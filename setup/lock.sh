#!/usr/bin/env bash
# Pins every package with its hashes: all of them in requirements.txt, each image's share at the same versions, and uv itself.
# `make lock` runs it; `make lock UPGRADE=--upgrade` takes the newest versions.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

pin() { # pin INPUT OUTPUT OPTION…
    echo "lock: $2"
    .venv/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header ${UPGRADE:-} "${@:3}" "$1" -o "$2"
}

pin requirements.in requirements.txt
for image in containers/*/requirements.in; do
    pin "$image" "${image%.in}.txt" --constraint requirements.txt
done
pin setup/uv.in setup/uv.txt
pin setup/nf-core.in setup/nf-core.txt
