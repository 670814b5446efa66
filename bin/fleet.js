#!/usr/bin/env node
require(require("../scripts/bundle.js").bundle("cli/main.ts", ["ssh2"]));
