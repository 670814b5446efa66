#!/usr/bin/env bash
# The whole test suite, from a fresh machine: installs what it needs, says so, and counts at the end.
#   scripts/test.sh           everything that this machine can run
#   scripts/test.sh unit      only what needs no lab
#   scripts/test.sh e2e       only what boots hosts or drives an engine for minutes
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
. scripts/common.sh

part=${1:-all}
ensure_node_modules
ensure_debian_packages
mkdir -p .cache
rm -f .cache/results-*.json
status=0
results=()

# One project of jest.config.js: its name, how many files at a time, further options. Where at most three files fail,
# they are run once more, alone: what fails only beside others is named as flaky and does not count as failed
# (docs/decisions/0025-once-more-alone.md).
run() {
  local project=$1 workers=$2 result=.cache/results-$1.json more=.cache/results-$1.once-more.json failed
  local options=(--selectProjects="$project" --json "${@:3}")
  results+=("$result")
  npx jest "${options[@]}" --maxWorkers="$workers" --outputFile="$result" && return
  mapfile -t failed < <(node scripts/count.js --failed-files "$result")
  if [ "${#failed[@]}" = 0 ] || [ "${#failed[@]}" -gt 3 ]; then
    status=1
    return
  fi
  say "once more, alone: ${failed[*]#"$PWD/"}"
  results+=("$more")
  npx jest "${options[@]}" --runInBand --outputFile="$more" --runTestsByPath "${failed[@]}" || status=1
}

# Two at a time: the machine has two cores, and what is measured in a test is never a second. A file that boots hosts
# waits for them half of its time, so three of those at a time are what keeps two cores busy.
if [ "$part" != e2e ]; then
  say "unit and component tests"
  run unit 2
fi
if [ "$part" != unit ]; then
  # Built before its tests, so that none of them waits for a compiler; on a machine without a lab they are skipped.
  say "the lab's tailnet: Go, and what is built with it (minutes, once)"
  node bin/fleet.js lab setup --with tailnet || say "not built here, so the tests of the tailnet are skipped by name"
  say "end-to-end tests: the engine's conformance and the lab (three at a time, each with a lab of its own)"
  run e2e 3 --testTimeout=900000
  say "what measures itself"
  run alone 1 --testTimeout=600000
fi
node scripts/count.js "${results[@]}" || status=1
exit "$status"
