/**
 * Lets node load the program's TypeScript: types are stripped by esbuild, once for each content of a file. A run that
 * changes nothing spends its time on the hosts then, and not on starting a compiler. Types are `npm run types`' task.
 */
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { cacheFolder } = require("./cacheFolder.js");
const { loadSdkLate } = require("./lateModules.js");

const folder = cacheFolder("program");
// Another compiler may write something else.
const compiler = require("esbuild/package.json").version;

const OPTIONS = {
  loader: "ts",
  format: "cjs",
  target: "node20",
  // Becomes require, which finds a source without its ending; node's own import would not.
  supported: { "dynamic-import": false },
};

function compile(source, file) {
  const { transformSync } = require("esbuild");
  const options = { ...OPTIONS, sourcefile: file };
  return transformSync(source, { ...options, sourcemap: "inline", sourcesContent: false }).code;
}

/** Compiled text of a source, from the cache where it is. */
function compiled(file) {
  const source = fs.readFileSync(file, "utf8");
  const digest = createHash("sha256")
    .update(`${compiler}\0${JSON.stringify(OPTIONS)}\0${file}\0${source}`)
    .digest("hex");
  const kept = path.join(folder, `${digest.slice(0, 32)}.js`);
  try {
    return fs.readFileSync(kept, "utf8");
  } catch {
    const code = compile(source, file);
    // Written aside: another run may be starting at the same moment.
    fs.writeFileSync(`${kept}.${process.pid}`, code);
    fs.renameSync(`${kept}.${process.pid}`, kept);
    return code;
  }
}

require.extensions[".ts"] = (module, file) => {
  // Not before: the maps of all modules that are loaded from now on are read.
  process.setSourceMapsEnabled(true);
  module._compile(compiled(file), file);
};

loadSdkLate(__filename);
