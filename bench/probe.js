const { bundle } = require("../scripts/bundle.js");
process.argv.splice(2, 0, bundle("bench/sshServers.ts", ["ssh2"]));
require(bundle("bench/probe.ts", ["ssh2"]));
