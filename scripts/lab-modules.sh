#!/usr/bin/env bash
# Builds the layer that makes a host one on which somebody has installed the daemon's Python packages already.
#
# usage: lab-modules.sh TARGET ROOT WHEELS PACKAGE...
#   TARGET  directory to make: the files that lie over ROOT
#   ROOT    the base root; its own Python installs
#   WHEELS  directory of wheels
#
# The caller holds the lock, and runs this in a mount namespace of its own.
set -euo pipefail
target=$1 root=$2 wheels=$3
shift 3

if [ -d "$target" ]; then exit 0; fi
# Whoever holds the lock is alone: any other directory of this name is of a build that was killed.
rm -rf --one-file-system "$target".??????
work=$(mktemp -d "$target.XXXXXX")
trap 'umount "$root/mnt" "$root/media" 2> /dev/null; rm -rf --one-file-system "$work"' EXIT
chmod 755 "$work"

# Where Debian's Python looks for what an administrator installed.
packages=$(chroot "$root" python3 -c 'import sysconfig; print(sysconfig.get_path("purelib", "posix_local"))')
mkdir -p "$work$packages"
mount --bind "$wheels" "$root/mnt"
mount --bind "$work$packages" "$root/media"
pip=$(cd "$wheels" && ls pip-*-py3-none-any.whl)
env -u PIP_FIND_LINKS chroot "$root" python3 "/mnt/$pip/pip" install --quiet --no-cache-dir --root-user-action ignore --no-index --find-links /mnt --target /media "$@"
umount "$root/mnt" "$root/media"
mv -T "$work" "$target"
trap - EXIT
