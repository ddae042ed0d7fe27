#!/usr/bin/env bash
# Packs code, models, demo data, Nextflow and the images into one file for a machine without network. `make archive` calls it.
# Needs the images (make images). What is not committed is left out. docs/offline.md says what to do with the file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' bin/strandwise/__init__.py)
name=strandwise-$version
registry=${REGISTRY:-localhost/strandwise}
archive=${1:-$PWD/$name-offline.tar}
[[ -d .venv/nextflow/lib ]] || { echo "error: the Nextflow of this .venv cannot be carried; have it from Maven: NEXTFLOW=maven make setup" >&2; exit 66; }
engine=$(containers/engine.sh start)
eval "$engine"
images=()
for image in calling models phasing report; do
  images+=("$registry/$image:$version")
  docker image inspect "${images[-1]}" >/dev/null 2>&1 || { echo "error: ${images[-1]} is not built: make images" >&2; exit 66; }
done
work=$(mktemp -d -p "$(dirname "$archive")")
trap 'rm -rf "$work"' EXIT
git archive --prefix="$name/" --output="$work/code.tar" HEAD
tar -C "$work" -xf "$work/code.tar"
cp -r .venv/nextflow "$work/$name/nextflow"
docker save "${images[@]}" | gzip -1 >"$work/$name/images.tar.gz"
tar -C "$work" -cf "$archive.part" "$name"
mv "$archive.part" "$archive"
echo "$archive: $(($(stat -c %s "$archive") / 1000000)) MB"
