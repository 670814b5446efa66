/** The generated pages are current, and say what the code says. */

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CODES } from "../../hosts/codes";
import { FOREIGN_FLEET_KEYS, FOREIGN_HOST_KEYS, HOST_SCHEMA } from "../../hosts/schema";
import { INACTIVE_WORDS } from "../../hosts/status";

const ROOT = join(__dirname, "..", "..");
const page = (name: string): string => readFileSync(join(ROOT, "docs", name), "utf8");
const generate = (...options: string[]) => {
  const { status, stderr } = spawnSync("node", ["docs/generate.js", ...options], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return { status, stderr };
};

describe("docs", () => {
  it("are current", () => {
    expect(generate("--check")).toEqual({ status: 0, stderr: "" });
  });

  it("know no other option", () => {
    expect(generate("--chekc")).toEqual({
      status: 2,
      stderr: "usage: node docs/generate.js [--check]\n",
    });
  });

  it("list every key and every code in a row of its own", () => {
    const rows = (text: string): string[] =>
      [...text.matchAll(/^\| `([\w-]+)` /gm)].map((m) => m[1] ?? "");
    expect(rows(page("findings.md")).sort()).toEqual(Object.keys(CODES).sort());
    expect(rows(page("inventory.md"))).toEqual(expect.arrayContaining(Object.keys(HOST_SCHEMA)));
  });

  it("name every key of other readers, and every status word", () => {
    const text = page("inventory.md");
    const missing = [...FOREIGN_FLEET_KEYS, ...FOREIGN_HOST_KEYS, ...INACTIVE_WORDS].filter(
      (word) => !text.includes(`\`${word}\``),
    );
    expect(missing).toEqual([]);
  });
});
