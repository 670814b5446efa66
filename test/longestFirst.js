/**
 * Order of the test files: those that take minutes come first, the longest one at the head. In jest's own order, by
 * size where nothing is known yet, a long one is begun last, and a core has nothing to do until it ends.
 */
const Sequencer = require("@jest/test-sequencer").default;

/** By the time that they take on two cores; a file that is not named here takes less than a minute. */
const LONG = [
  "e2e/converge",
  "e2e/faults",
  "e2e/paths",
  "conformance/conformance",
  "e2e/tailnet",
  "e2e/quorum",
  "e2e/tunnels",
  "e2e/tailnetLife",
  "e2e/tunnelResources",
  "e2e/firewall",
  "e2e/support",
  "e2e/source",
  "e2e/stalls",
  "e2e/volume",
  "payload/agent",
  "e2e/pathsMesh",
  "lab/hosts/lab",
  "conformance/crash",
  "e2e/forwarderFaults",
  "lab/providers/command/hang",
  "paths/failover",
  "paths/settings",
  "probe/probe",
];

/** @param {string} path */
function rankOf(path) {
  const rank = LONG.findIndex((name) => path.endsWith(`/test/${name}.test.ts`));
  return rank === -1 ? LONG.length : rank;
}

module.exports = class LongestFirst extends Sequencer {
  /** @param tests what is to run @returns the same tests, in the order in which they are begun */
  sort(tests) {
    return super.sort(tests).sort((a, b) => rankOf(a.path) - rankOf(b.path));
  }
};
