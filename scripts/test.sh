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

# Two at a time: the machine has two cores, and what is measured in a test is never a second. A file that boots hosts
# waits for them half of its time, so three of those at a time are what keeps two cores busy.
if [ "$part" != e2e ]; then
  say "unit and component tests"
  npx jest --selectProjects unit --maxWorkers=2 --json --outputFile=.cache/results-unit.json || status=1
fi
if [ "$part" != unit ]; then
  # Built before its tests, so that none of them waits for a compiler; on a machine without a lab they are skipped.
  say "the lab's tailnet: Go, and what is built with it (minutes, once)"
  node bin/fleet.js lab setup --with tailnet || say "not built here, so the tests of the tailnet are skipped by name"
  say "end-to-end tests: the engine's conformance and the lab (three at a time, each with a lab of its own)"
  npx jest --selectProjects e2e --maxWorkers=3 --testTimeout=900000 --json --outputFile=.cache/results-e2e.json || status=1
  say "what measures itself"
  npx jest --selectProjects alone --runInBand --testTimeout=600000 --json --outputFile=.cache/results-alone.json || status=1
fi
node scripts/count.js .cache/results-*.json || status=1
exit "$status"
