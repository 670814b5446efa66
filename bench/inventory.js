require(require("../scripts/bundle.js").bundle("bench/inventory.ts"));
