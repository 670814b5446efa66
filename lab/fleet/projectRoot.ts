import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The project's directory, from the sources as well as from the bundle under .cache. */
export function projectRoot(): string {
  let dir = __dirname;
  while (!existsSync(join(dir, "package.json"))) {
    const parent = dirname(dir);
    if (parent === dir) throw new Error(`no package.json above ${__dirname}`);
    dir = parent;
  }
  return dir;
}
