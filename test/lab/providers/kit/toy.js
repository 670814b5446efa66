#!/usr/bin/env node
require(require("../../../../scripts/bundle.js").bundle("test/lab/providers/kit/toyMain.ts"));
