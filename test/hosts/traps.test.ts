/** The twenty traps of real inventories, one or more fixtures each: every finding in full, and what becomes of every host. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadInventory } from "../../hosts/inventory";
import { describeInventory, expectedOf } from "./support/describe";

const DIRECTORY = join(__dirname, "traps");
const FILES = readdirSync(DIRECTORY).sort();

describe("traps", () => {
  it("are all shown", () => {
    const numbers = new Set(FILES.map((file) => Number(file.slice(0, 2))));
    expect([...numbers]).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it.each(FILES)("%s gives what its header states", (file) => {
    const text = readFileSync(join(DIRECTORY, file), "utf8");
    expect(describeInventory(loadInventory(text, file))).toBe(expectedOf(text));
  });
});
