/** One fixture per finding code: its header states every finding in full, and what becomes of every host. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CODES, type Code } from "../../hosts/codes";
import { loadInventory } from "../../hosts/inventory";
import { MAX_BYTES } from "../../hosts/limits";
import { type PlanOptions } from "../../hosts/plan/planFleet";
import { describeInventory, expectedOf } from "./support/describe";

const DIRECTORY = join(__dirname, "rules");
const FILES = readdirSync(DIRECTORY).sort();
/** Too large to keep; made below. */
const GENERATED: readonly Code[] = ["file-too-large"];

/** Rules about tunnels and devices speak only where there are some. */
const optionsOf = (file: string): PlanOptions => {
  if (file.startsWith("device-")) return { tailnet: true };
  return file.startsWith("tunnel-")
    ? { tunnels: { zone: "example.com", hostname: "{node}.{zone}", entry: "p2p" } }
    : {};
};

const read = (file: string): string => readFileSync(join(DIRECTORY, file), "utf8");

describe("rules", () => {
  it("have a fixture each, and every fixture but the clean one a rule", () => {
    const shown = FILES.map((file) => file.replace(/\.yaml$/, "")).filter(
      (name) => name !== "clean",
    );
    expect([...shown, ...GENERATED].sort()).toEqual(Object.keys(CODES).sort());
  });

  it.each(FILES)("%s gives what its header states", (file) => {
    const text = read(file);
    expect(describeInventory(loadInventory(text, file, optionsOf(file)))).toBe(expectedOf(text));
  });

  it.each(FILES.filter((file) => file !== "clean.yaml"))("%s shows its own rule", (file) => {
    const codes = loadInventory(read(file), file, optionsOf(file)).findings.map(({ code }) => code);
    expect(codes).toContain(file.replace(/\.yaml$/, ""));
  });

  it("leave a clean file alone", () => {
    expect(loadInventory(read("clean.yaml"), "clean.yaml").findings).toEqual([]);
  });

  it("refuse a file over 1 MB without reading it", () => {
    const text = `${read("clean.yaml")}# ${"x".repeat(5_000_000)}\n`;
    expect(loadInventory(text, "hosts.yaml")).toEqual({
      plan: undefined,
      fleet: undefined,
      findings: [
        {
          severity: "error",
          code: "file-too-large",
          path: "",
          file: "hosts.yaml",
          line: 1,
          column: 1,
          message: "the file has more than 1000000 bytes",
          hint: null,
        },
      ],
    });
  });

  it("take a file of exactly 1 MB", () => {
    const text = read("clean.yaml");
    const full = `${text}#${"x".repeat(MAX_BYTES - text.length - 2)}\n`;
    expect(Buffer.byteLength(full)).toBe(MAX_BYTES);
    expect(loadInventory(full, "hosts.yaml").findings).toEqual([]);
  });
});
