/**
 * Two modules that the Pulumi SDK loads at every start, and uses only for what this program has not: the TypeScript
 * compiler and npm's tree of packages, with which functions are packed for the cloud. They take as long to load as
 * everything else together, so they are loaded when somebody first asks them for something.
 */
const { Module, createRequire } = require("node:module");

/** @param from a file from which the module is found @param name of the module, as it would be required */
function loadLate(from, name) {
  const near = createRequire(from);
  let file;
  try {
    file = near.resolve(name);
  } catch {
    return; // This version of the SDK does without it.
  }
  if (require.cache[file]) return;
  let loaded;
  const load = () => {
    if (loaded === undefined) {
      delete require.cache[file];
      loaded = near(file);
    }
    return loaded;
  };
  const stand = new Module(file);
  Object.assign(stand, { filename: file, loaded: true });
  stand.exports = new Proxy(
    {},
    {
      // What compiled imports ask first; `true` keeps them from copying every property at once.
      get: (_, key) => (key === "__esModule" ? true : Reflect.get(load(), key)),
      has: (_, key) => Reflect.has(load(), key),
    },
  );
  require.cache[file] = stand;
}

/** @param from a file beside which the SDK is installed */
exports.loadSdkLate = (from) => {
  loadLate(from, "@pulumi/pulumi/typescript-shim.js");
  loadLate(from, "@npmcli/arborist");
};
