#!/usr/bin/env bash
# Builds what the lab's tailnet is made of: the lab's own server, and the real tailscale and tailscaled, packed as
# their vendor packs them.
#
# usage: lab-tailnet.sh TARGET GO SOURCE VERSION
#   TARGET   directory to make: TARGET/labtailnet and TARGET/stable/tailscale_VERSION_ARCH.tgz with its .sha256
#   GO       a Go command, new enough for SOURCE's go.mod
#   SOURCE   the server's module, which also pins the version of tailscale
#   VERSION  what the binaries call themselves
#
# The caller holds the lock. TARGET appears by one rename, so a killed build leaves nothing that looks finished; what
# Go has compiled until then stays in Go's own cache, and the next build goes on from there.
set -euo pipefail
target=$1 go=$2 source=$3 version=$4

if [ -d "$target" ]; then exit 0; fi
# Whoever holds the lock is alone: any other directory of this name is of a build that was killed.
rm -rf "$target".??????
work=$(mktemp -d "$target.XXXXXX")
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
cd "$source"

# The toolchain is the one that was given, the versions are those of go.sum, and nothing needs a C compiler.
export GOTOOLCHAIN=local GOFLAGS='-mod=readonly -trimpath' CGO_ENABLED=0 GOWORK=off
arch=$("$go" env GOARCH)
# Left out: what a server has no use for, and what compiles for long (cloud vendors' libraries, desktops, file sharing).
omit="acme aws bird captiveportal capture clientupdate cloud completion desktop_sessions doctor drive flashappliance
  identityfederation kube portmapper qrcodes relayserver synology systray taildrop tap tpm wakeonlan webbrowser webclient"
# shellcheck disable=SC2086 # words
tags=$(printf 'ts_omit_%s,' $omit)
stamp="-X tailscale.com/version.shortStamp=$version -X tailscale.com/version.longStamp=$version-lab"
"$go" mod download -x tailscale.com 2>&1 | sed -n 's/^# get //p'
folder=tailscale_${version}_$arch
mkdir -p "$work/$folder" "$work/stable"
packages=". tailscale.com/cmd/tailscale tailscale.com/cmd/tailscaled"
# shellcheck disable=SC2086 # words
total=$("$go" list -deps -tags "$tags" $packages | wc -l)
# What was compiled before is not named, so the count ends early when there was something.
# shellcheck disable=SC2086
"$go" build -v -ldflags "-s -w $stamp" -tags "$tags" -o "$work/$folder/" $packages 2>&1 |
  awk -v total="$total" '{ printf "compiled %d of %d packages: %s\n", NR, total, $0; fflush() }'
mv "$work/$folder/labtailnet" "$work/"

# Always the same bytes for the same binaries: hosts are told the archive's checksum.
archive=$work/stable/$folder.tgz
tar --create --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --directory "$work" "$folder" | gzip -n -1 > "$archive"
sha256sum "$archive" | cut -d' ' -f1 > "$archive.sha256"
rm -rf "${work:?}/$folder"
mv -T "$work" "$target"
trap - EXIT
