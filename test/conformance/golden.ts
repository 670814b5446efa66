import * as fs from "node:fs";
import * as path from "node:path";

import { formatJson } from "./format";
import { type Observation } from "./observe";

/** A recording of what the real CLI does with a program. */
export interface Golden {
  readonly recorded: string;
  readonly about: string;
  readonly observations: Observation[];
}

const folder = path.join(__dirname, "golden");

/** Reads a program's recording. */
export function readGolden(name: string): Golden {
  const file = path.join(folder, `${name}.json`);
  return JSON.parse(fs.readFileSync(file, "utf8")) as Golden;
}

/** Writes a program's recording. */
export function writeGolden(name: string, golden: Golden): void {
  fs.writeFileSync(path.join(folder, `${name}.json`), `${formatJson(golden)}\n`);
}

/** Names of all recordings. */
export function goldenNames(): string[] {
  const files = fs.readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files.map((file) => file.slice(0, -".json".length)).sort();
}
