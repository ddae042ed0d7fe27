#!/usr/bin/env bash
# Names the base image of a build: the public slim Python image, or, where no registry can be reached, a Debian 12 made here.
#   containers/base-image.sh
# Prints the name. $BASE overrides it. The home-made one needs root and debootstrap, and takes the mirror apt is set to.
set -euo pipefail
public=python:3.11-slim-bookworm
made=strandwise/debian-python:bookworm
packages=ca-certificates,procps,python3,python3-venv

exists() { docker image inspect "$1" >/dev/null 2>&1; }

if [[ -n ${BASE:-} ]]; then echo "$BASE"; exit 0; fi
if exists "$public"; then echo "$public"; exit 0; fi
if exists "$made"; then echo "$made"; exit 0; fi
if timeout 60 docker pull --quiet "$public" >/dev/null 2>&1; then echo "$public"; exit 0; fi

echo "no registry offers $public: making $made with debootstrap" >&2
if ! command -v debootstrap >/dev/null || [[ $(id -u) != 0 ]]; then
  echo "error: this needs root and debootstrap (Debian: apt-get install debootstrap), or BASE=<an image with Python 3.11>" >&2
  exit 69
fi
mirror=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' 'Created-By: Packages' | awk '$1 == "bookworm" {print $2; exit}')
[[ -n $mirror ]] || { echo "error: apt has no index of Debian 12 (bookworm): run apt-get update, or give BASE=<an image with Python 3.11>" >&2; exit 69; }
work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
debootstrap --variant=minbase --include="$packages" bookworm "$work/root" "$mirror" >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
# The image keeps Debian's own files only: no caches, logs or documents, and neither the name nor the resolver of this machine.
(
  cd "$work/root"
  rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/* usr/share/doc/* usr/share/man/* usr/share/locale/*
  : >etc/hostname
  : >etc/resolv.conf
)
tar -C "$work/root" --numeric-owner --sort=name --one-file-system -c . |
  docker import --change 'ENV LANG=C.UTF-8' --change 'CMD ["/bin/bash"]' - "$made" >/dev/null
echo "$made"
