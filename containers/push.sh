#!/usr/bin/env bash
# Publishes the images: gives them the registry's name and pushes them.
#   REGISTRY=ghcr.io/my-lab/strandwise containers/push.sh [--dry-run]
# --dry-run prints the commands. Sign in first (docker login). The pipeline then finds them with --container_registry $REGISTRY.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
built=localhost/strandwise
registry=${REGISTRY:?error: say where to: make push REGISTRY=ghcr.io/my-lab/strandwise}
registry=${registry%/}
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' bin/strandwise/__init__.py)
run=()
if [[ ${1:-} == --dry-run ]]; then
  run=(echo)
else
  engine=$(containers/engine.sh start)
  eval "$engine"
  for name in calling models phasing report; do
    docker image inspect "$built/$name:$version" >/dev/null 2>&1 || { echo "error: $built/$name:$version is not built: make images" >&2; exit 66; }
  done
fi
for name in calling models phasing report; do
  "${run[@]}" docker tag "$built/$name:$version" "$registry/$name:$version"
  "${run[@]}" docker push "$registry/$name:$version"
done
