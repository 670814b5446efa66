import { readFileSync } from "node:fs";
import { join } from "node:path";
import { loadInventory } from "../../hosts/inventory";

const TEXT = readFileSync(join(__dirname, "rules", "number-collision.yaml"), "utf8");
const collisions = (text: string) =>
  loadInventory(text, "hosts.yaml").findings.filter(({ code }) => code === "number-collision");

describe("the advice on a collision of numbers", () => {
  it("settles it at the place that it names", () => {
    let text = TEXT;
    // One of each pair; the lower ones first, so that lines above stay where they are.
    const [first, , third] = collisions(text);
    for (const finding of [third, first]) {
      const number = /p2p_number: (\d+)/.exec(finding?.hint ?? "")?.[1] ?? "";
      const lines = text.split("\n");
      const index = (finding?.line ?? 0) - 1;
      if (finding?.path.endsWith(".p2p_number")) {
        const before = (lines[index] ?? "").slice(0, finding.column - 1);
        lines[index] = before + number;
      } else lines.splice(index + 1, 0, `    p2p_number: ${number}`);
      text = lines.join("\n");
    }
    expect(collisions(text)).toEqual([]);
    const refused = [...(loadInventory(text, "hosts.yaml").plan?.hosts.values() ?? [])].filter(
      ({ action }) => action === "refused",
    );
    expect(refused).toEqual([]);
  });
});
