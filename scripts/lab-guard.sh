#!/usr/bin/env bash
# Keeps one lab: starts its first process, ends it when its owner dies, and cleans up behind it.
# Standard input is a pipe from the owner: its end is the owner's death, the line "keep" lets the lab outlive it.
#
# usage: lab-guard.sh RUN ID ADDRESS < PIPE
set -u

# In braces, so that all of it is read before it runs: it runs for as long as the lab, and the file may change.
{
  run=$1 id=$2 address=$3
  here=$(cd "$(dirname "$0")" && pwd)
  cd /
  exec 3<&0 < /dev/null

  # A second process waits for the end of this pipe, which comes even when this one is killed.
  exec 4> >(exec 3<&-; trap '' HUP INT TERM; cat > /dev/null; exec bash "$here/lab-clean.sh" "$run" "$id")
  cleaner=$!

  # Field 22 of stat is the start time: with it a process ID cannot be mistaken for a later process of the same ID.
  identify() { echo "$1 $(cut -d' ' -f22 "/proc/$1/stat")"; }
  { identify $$; identify "$cleaner"; } > "$run/guards"

  # Killed with this script (setpriv), the lab's first process dies with unshare (--kill-child).
  setpriv --pdeathsig KILL unshare --pid --mount --net --fork --kill-child=KILL --mount-proc \
    bash "$here/lab-init.sh" "$run" "$id" "$address" 3<&- &
  unshare=$!

  for _ in $(seq 6000); do
    [ -e "$run/ready" ] && break
    kill -0 "$unshare" 2> /dev/null || exit 1
    sleep 0.02
  done
  read -r init < "/proc/$unshare/task/$unshare/children"
  identify "$init" > "$run/init.new"
  readlink "/proc/$init/ns/net" > "$run/netns"
  mv "$run/init.new" "$run/init"

  # shellcheck disable=SC2016 # expanded by the inner shell
  setpriv --pdeathsig KILL bash -c '
    while read -r word; do if [ "$word" = keep ]; then exit 0; fi; done
    kill -KILL "$1"' owner "$unshare" <&3 4>&- &
  owner=$!
  exec 3<&-

  wait "$unshare"
  kill "$owner" 2> /dev/null
  exec 4>&-
  bash "$here/lab-clean.sh" "$run" "$id"
  exit 0
}
