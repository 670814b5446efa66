#!/usr/bin/env bash
# Builds the root that every lab host stands on, and the packages that hosts can install without a network.
#
# usage: lab-base.sh TARGET PACKAGES DEBS
#   TARGET    directory to make: TARGET/root (the file system) and TARGET/debs (a flat apt repository)
#   PACKAGES  comma-separated packages of the root
#   DEBS      comma-separated packages that only the repository carries, with what they need beyond the root
#
# The caller holds the lock. TARGET appears by one rename, so a killed build leaves nothing that looks finished.
set -euo pipefail
target=$1 packages=$2 debs=$3

if [ -d "$target" ]; then exit 0; fi
# Whoever holds the lock is alone: any other directory of this name is of a build that was killed.
rm -rf --one-file-system "$target".??????
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
chmod 755 "$work"
mkdir "$work/debs"

# A machine behind a mirror says so in its own apt sources; without any, mmdebstrap's default is used.
mirrors=()
for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
  if grep -qsE '(^Suites:|^deb ).*\bbookworm\b' "$file"; then
    mirrors=("$file")
    break
  fi
done

customize=$work/customize
cat > "$customize" <<HOOK
#!/bin/sh
set -eu
root=\$1
rm -f "\$root"/var/cache/apt/archives/*.deb
APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG apt-get -qq -y --no-install-recommends --download-only install $(echo "$debs" | tr , ' ')
mv "\$root"/var/cache/apt/archives/*.deb "$work/debs/"

chroot "\$root" systemctl --quiet disable supervisor.service apt-daily.timer apt-daily-upgrade.timer \\
  e2scrub_all.timer e2scrub_reap.service dpkg-db-backup.timer fstrim.timer nftables.service
chroot "\$root" systemctl --quiet mask console-getty.service getty.target systemd-firstboot.service \\
  systemd-networkd-wait-online.service
chroot "\$root" systemctl --quiet enable systemd-networkd.service ssh.service
# Each host gets keys and an identity of its own when the lab is made.
rm -f "\$root"/etc/ssh/ssh_host_* "\$root"/etc/machine-id "\$root"/var/lib/dbus/machine-id
rm -f "\$root"/etc/apt/sources.list.d/* "\$root"/etc/motd
: > "\$root"/etc/machine-id
: > "\$root"/etc/resolv.conf
HOOK
chmod 755 "$customize"

mmdebstrap --variant=minbase --mode=root --format=directory --include="$packages" \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook="$customize" \
  bookworm "$work/root" "${mirrors[@]}"
rm "$customize"

# apt reads a flat repository from one index; the control file of each package is all that it needs.
(
  cd "$work/debs"
  for file in *.deb; do
    # An epoch's colon is escaped in the file name, and the escape would have to be escaped in a URL.
    plain=${file//%3a/.}
    if [ "$plain" != "$file" ]; then mv "$file" "$plain"; file=$plain; fi
    dpkg-deb --field "$file"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
      "$file" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d' ' -f1)"
  done > Packages
)
mv -T "$work" "$target"
trap - EXIT
