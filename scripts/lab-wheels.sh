#!/usr/bin/env bash
# Collects the Python packages that hosts can install without a network, as wheels for Debian 12's own Python.
#
# usage: lab-wheels.sh TARGET PACKAGE...
#
# The caller holds the lock. TARGET appears by one rename, so a killed build leaves nothing that looks finished.
set -euo pipefail
target=$1
shift

if [ -d "$target" ]; then exit 0; fi
# Whoever holds the lock is alone: any other directory of this name is of a build that was killed.
rm -rf --one-file-system "$target".??????
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"

# `pip wheel` also builds those that are published as source only.
/usr/bin/python3 -m pip wheel --no-cache-dir --progress-bar off --wheel-dir "$work" "$@"
mv -T "$work" "$target"
trap - EXIT
