/**
 * Generates docs/inventory.md and docs/findings.md from the schema, the rules and the status words.
 *
 * usage: node docs/generate.js [--check]
 * Exit codes: 0 written or current, 1 not current (--check), 2 wrong usage.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { findingsPage } from "./pages/findings";
import { inventoryPage } from "./pages/inventory";

/** The bundle runs in .cache/bundle; npm and the tests start it in the project. */
const DOCS = join(process.cwd(), "docs");

const PAGES = [
  { file: "inventory.md", render: inventoryPage },
  { file: "findings.md", render: findingsPage },
] as const;

function readPage(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

async function main(options: readonly string[]): Promise<number> {
  if (options.some((option) => option !== "--check")) {
    process.stderr.write("usage: node docs/generate.js [--check]\n");
    return 2;
  }
  let stale = 0;
  for (const { file, render } of PAGES) {
    const path = join(DOCS, file);
    const text = await format(render(), { parser: "markdown", printWidth: 100 });
    if (readPage(path) === text) continue;
    stale += 1;
    if (options.includes("--check")) {
      process.stderr.write(`docs/${file} is not current: run npm run docs\n`);
    } else {
      writeFileSync(path, text);
      process.stdout.write(`wrote docs/${file}\n`);
    }
  }
  return options.includes("--check") && stale > 0 ? 1 : 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  },
);
