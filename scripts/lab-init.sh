#!/usr/bin/env bash
# The first process of a lab: PID 1 of its process namespace, in mount and network namespaces of its own.
# When it ends, the kernel ends everything in the lab, unmounts what it mounted and removes its network.
#
# usage: lab-init.sh RUN ID ADDRESS
set -euo pipefail

# In braces, so that all of it is read before it runs: it runs for as long as the lab, and the file may change.
{
  run=$1 id=$2 address=$3

  # systemd-nspawn keeps locks and sockets under /run; the machine's own stays untouched, this lab's directory visible.
  # Bound through an open descriptor, because its path leads into the new, empty /run by then.
  exec 9< "$run"
  mount -t tmpfs -o mode=755 "fleet-lab-$id" /run
  mkdir -p "$run"
  mount --no-canonicalize --bind /proc/self/fd/9 "$run"
  exec 9<&-
  mkdir -p "$run/hosts"
  mount -t tmpfs -o mode=755 "fleet-lab-$id" "$run/hosts"

  ip link set lo up
  ip link add br0 type bridge forward_delay 0
  ip address add "$address" dev br0
  ip link set br0 up

  trap : CHLD
  trap 'exit 0' TERM
  touch "$run/ready"
  # Orphans of the whole lab end up here; bash reaps them whenever it waits.
  while :; do
    sleep 3600 &
    wait $! || true
  done
}
