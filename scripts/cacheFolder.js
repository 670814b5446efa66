const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const root = path.join(__dirname, "..");

/** A folder below the project's own cache, or below the user's where the checkout belongs to somebody else. */
function cacheFolder(name) {
  const own = path.join(root, ".cache", name);
  try {
    fs.mkdirSync(own, { recursive: true });
    fs.accessSync(own, fs.constants.W_OK);
    return own;
  } catch {
    const cache = process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache");
    const folder = path.join(cache, "p2p-fleet", `${name}${root.replace(/[^A-Za-z0-9]+/g, "-")}`);
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  }
}

module.exports = { cacheFolder, root };
