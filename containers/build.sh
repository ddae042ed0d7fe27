#!/usr/bin/env bash
# Builds the images of the pipeline, starting a private Docker engine where none answers.
#   containers/build.sh [NAME…]     calling, models, models_gpu, phasing, report; all but models_gpu by default
# $REGISTRY is the first part of their names (as in --container_registry), $BASE another base image with Python 3.11.
# $PIP_INDEX_URL, $PIP_EXTRA_INDEX_URL, $PIP_TRUSTED_HOST and the certificates of $PIP_CERT reach the build and stay out of the images.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
registry=${REGISTRY:-localhost/strandwise}
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' bin/strandwise/__init__.py)
engine=$(containers/engine.sh start)
eval "$engine"
# A newer Docker client without its buildx plug-in cannot build; the one of Debian's docker.io can.
docker=docker
if ! docker buildx version >/dev/null 2>&1 && [[ -x /usr/bin/docker ]]; then docker=/usr/bin/docker; fi
base=$(containers/base-image.sh)

options=(--network host --progress plain --build-arg "BASE=$base" --build-arg "VERSION=$version")
certificates=${PIP_CERT:-${SSL_CERT_FILE:-}}
if [[ -n $certificates ]]; then options+=(--secret "id=ca,src=$certificates"); fi
for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST http_proxy https_proxy no_proxy; do
  if [[ -n ${!name:-} ]]; then options+=(--build-arg "$name"); fi
done

if (($# == 0)); then set -- calling models phasing report; fi
for name; do
  image=$registry/$name:$version
  log=.tools/build-$name.log
  mkdir -p .tools
  start=$SECONDS
  if ! DOCKER_BUILDKIT=1 "$docker" build "${options[@]}" --build-arg "IMAGE=$name" --tag "$image" --file containers/Dockerfile . >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    if grep -q 'No space left on device' "$log"; then
      echo "error: the disk of Docker's folder $(docker info --format '{{.DockerRootDir}}') is full; the images and what their building leaves there take 10 GB (models_gpu: 20 GB). \`docker builder prune\` frees what earlier builds left" >&2
    fi
    echo "error: $image was not built; the whole output: $log" >&2
    exit 1
  fi
  # Whoever runs it: the programs are there, and nothing that builds programs is.
  docker run --rm --network none --user 12345:12345 "$image" bash -c \
    'ps >/dev/null && aws --version >/dev/null && python3 -c "import pysam, typer" && ! command -v cc gcc pip' ||
    { echo "error: $image lacks a program that every task needs, or ships a compiler" >&2; exit 1; }
  size=$(docker image inspect --format '{{.Size}}' "$image")
  echo "$image: $((size / 1000000)) MB, built in $((SECONDS - start)) s from $base"
done
