/** Writes the pages that are made from the schema; with --check it only says whether they are current. */
require(require("../scripts/bundle.js").bundle("docs/generate.ts", ["prettier"]));
