import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Finds this folder's files also from a bundle, which lies elsewhere in the project. */
function payloadDir(): string {
  if (existsSync(join(__dirname, "host", "main.py"))) return __dirname;
  for (let dir = __dirname; dir !== dirname(dir); dir = dirname(dir)) {
    const candidate = join(dir, "payload");
    if (existsSync(join(candidate, "host", "main.py"))) return candidate;
  }
  throw new Error(`payload/host/main.py was not found above ${__dirname}`);
}

/** Text of a file under payload/, such as `templates/unit.service`. */
export function readSource(path: string): string {
  return readFileSync(join(payloadDir(), path), "utf8");
}
