import { loadInventory } from "../../hosts/inventory";
import { type FleetPlan } from "../../hosts/plan/types";
import { type KnownNumbers, rememberLeft, reusedNumbers } from "../../paths/numbers";

const NOW = "2026-11-20T12:00:00.000Z";
const NOTHING: KnownNumbers = { numbers: {}, leftNumbers: [] };

function planOf(numbers: Record<string, number>, more = ""): FleetPlan {
  const hosts = Object.entries(numbers).map(
    ([name, number], index) =>
      `  ${name}: {ssh_host: 192.0.2.${index + 1}, p2p_enabled: true, ringrift_path: ~/r, p2p_number: ${number}${more}}`,
  );
  const { plan, findings } = loadInventory(`hosts:\n${hosts.join("\n")}\n`, "hosts.yaml");
  if (!plan) throw new Error(JSON.stringify(findings));
  return plan;
}
const left = (node: string, number: number, since: string) => ({ node, number, since });

describe("a number", () => {
  const plan = planOf({ h1: 1, h2: 2, h3: 3 });

  it("is not given to another node while the last run's is remembered", () => {
    expect(
      reusedNumbers(plan, { ...NOTHING, numbers: { h1: 1, h2: 2, gone: 3, h5: 5 } }, NOW),
    ).toEqual([
      "hosts.h3: number 3 was gone's in the last run, and daemons may still know gone by it; choose another p2p_number, or wait until nobody has had it for 14 days",
    ]);
    expect(reusedNumbers(plan, NOTHING, NOW)).toEqual([]);
  });

  it("rests for two weeks after its node has left", () => {
    const since = "2026-11-06T12:00:01.000Z";
    const known = { ...NOTHING, leftNumbers: [left("gone", 3, since), left("h2", 2, since)] };
    expect(reusedNumbers(plan, known, NOW)).toEqual([
      "hosts.h3: number 3 was gone's until 2026-11-06, and daemons may still know gone by it; choose another p2p_number, or wait until nobody has had it for 14 days",
    ]);
    expect(reusedNumbers(plan, known, "2026-11-20T12:00:01.000Z")).toEqual([]);
  });

  it("is free for a host that is not deployed", () => {
    const retired = planOf({ h1: 1 }, ", status: retired");
    expect(reusedNumbers(retired, { ...NOTHING, numbers: { gone: 1 } }, NOW)).toEqual([]);
  });
});

describe("rememberLeft", () => {
  const plan = planOf({ h1: 1, h2: 2 });
  const old = "2026-11-01T00:00:00.000Z";
  const recent = "2026-11-10T00:00:00.000Z";

  it("adds who left in this run, and forgets who left long ago", () => {
    const known = {
      numbers: { h1: 1, h2: 2, h3: 3 },
      leftNumbers: [left("h8", 8, old), left("h9", 9, recent)],
    };
    expect(rememberLeft(plan, known, NOW)).toEqual([left("h9", 9, recent), left("h3", 3, NOW)]);
  });

  it("keeps both numbers of a node that came back with another one and left again", () => {
    const known = { numbers: { h3: 4 }, leftNumbers: [left("h3", 3, recent)] };
    expect(rememberLeft(plan, known, NOW)).toEqual([left("h3", 3, recent), left("h3", 4, NOW)]);
  });

  it("forgets at once who is back with the number it had", () => {
    const known = {
      numbers: { h1: 1 },
      leftNumbers: [left("h2", 2, recent), left("h1", 7, recent)],
    };
    expect(rememberLeft(plan, known, NOW)).toEqual([left("h1", 7, recent)]);
  });

  it("says the same again where nothing changes", () => {
    const known = { numbers: { h1: 1, h2: 2 }, leftNumbers: [left("h9", 9, recent)] };
    expect(rememberLeft(plan, known, NOW)).toEqual(known.leftNumbers);
    expect(rememberLeft(plan, NOTHING, NOW)).toEqual([]);
  });
});
