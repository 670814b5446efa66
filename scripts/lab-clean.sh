#!/usr/bin/env bash
# Removes what outlives a lab's processes: its control groups and its run directory. May run twice, or twice at once.
#
# usage: lab-clean.sh RUN ID
set -u
run=$1 id=$2

# Whoever is still in the lab's network (a command of `fleet lab exec`) keeps it alive; only such processes are in it.
if net=$(cat "$run/netns" 2> /dev/null) && [ -n "$net" ]; then
  for link in /proc/[0-9]*/ns/net; do
    if [ "$(readlink "$link" 2> /dev/null)" = "$net" ]; then
      pid=${link#/proc/}
      kill -KILL "${pid%%/*}" 2> /dev/null
    fi
  done
fi

# A group can be removed once the kernel has let go of its last process, a moment after that process died.
while read -r _ mount type _; do
  case $type in cgroup | cgroup2) ;; *) continue ;; esac
  group=$mount/fleet-lab-$id
  for _ in $(seq 200); do
    [ -d "$group" ] || break
    find "$group" -depth -type d -exec rmdir {} + 2> /dev/null
    [ -d "$group" ] || break
    sleep 0.05
  done
done < /proc/mounts

rm -rf --one-file-system "$run"
rmdir "$(dirname "$run")" 2> /dev/null
exit 0
