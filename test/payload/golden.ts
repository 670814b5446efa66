import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Compares with a file under golden/; `UPDATE_GOLDEN=1 npx jest test/payload` writes them anew. */
export function expectGolden(name: string, content: string): void {
  const path = join(__dirname, "golden", name);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(path, content);
  expect(content).toBe(readFileSync(path, "utf8"));
}
