/**
 * Bundles a TypeScript entry point with esbuild into .cache/bundle/, and only when a source is newer.
 * One file starts several times faster than hundreds, and there is no build step that can be forgotten.
 */
const fs = require("node:fs");
const path = require("node:path");
const { cacheFolder, root } = require("./cacheFolder.js");

/** Where a bundle lies in a checkout that can be written to. */
const home = path.join(root, ".cache", "bundle");

/** True when every input that went into the bundle is older than it. */
function isFresh(bundle, inputsFile) {
  try {
    const built = fs.statSync(bundle).mtimeMs;
    const inputs = JSON.parse(fs.readFileSync(inputsFile, "utf8"));
    return inputs.every((file) => fs.statSync(path.join(root, file)).mtimeMs < built);
  } catch {
    return false;
  }
}

/**
 * @param {string} entry path of the entry point, relative to the project
 * @param {string[]} external packages that stay outside (native parts, or resolved from the program's tree)
 * @returns {string} path of the bundle
 */
function bundle(entry, external = []) {
  const name = entry.replace(/[/\\]/g, "-").replace(/\.ts$/, "");
  const dir = cacheFolder("bundle");
  const outfile = path.join(dir, `${name}.js`);
  const inputsFile = path.join(dir, `${name}.inputs.json`);
  if (isFresh(outfile, inputsFile)) return outfile;
  // The temporary name keeps a second process, started at the same moment, from reading half a file.
  const temporary = `${outfile}.${process.pid}`;
  const result = require("esbuild").buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: temporary,
    bundle: true,
    platform: "node",
    target: "node20",
    external,
    // Its main entry names its own files in a way that no bundler follows.
    alias: { "jsonc-parser": "jsonc-parser/lib/esm/main.js" },
    metafile: true,
    logLevel: "error",
    // The bundle may lie elsewhere; what it looks for is here.
    define: { __dirname: JSON.stringify(home) },
    banner: {
      js: `require = require("node:module").createRequire(${JSON.stringify(home + "/")});`,
    },
  });
  const inputs = [...Object.keys(result.metafile.inputs), "package-lock.json", "scripts/bundle.js"];
  const own = inputs.filter((file) => !file.startsWith("node_modules/"));
  fs.writeFileSync(`${inputsFile}.${process.pid}`, JSON.stringify(own));
  fs.renameSync(temporary, outfile);
  fs.renameSync(`${inputsFile}.${process.pid}`, inputsFile);
  return outfile;
}

module.exports = { bundle };

// `npm ci` runs this (script `prepare`), so that not even the first start has to wait.
if (require.main === module) {
  bundle("cli/main.ts", ["ssh2"]);
  bundle("lab/engine/launch/launcher.ts");
  bundle("lab/providers/command/main.ts", ["ssh2"]);
  bundle("lab/providers/cloudflare/main.ts");
  bundle("lab/cloudflare/main.ts");
  bundle("lab/providers/tailscale/main.ts");
}
