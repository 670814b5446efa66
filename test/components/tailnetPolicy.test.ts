import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { policyDecision } from "../../components/tailnetPolicy";
import { type FleetPlan, type HostPlan } from "../../hosts/plan/types";
import { type TailnetSettings } from "../../settings/tailnet";
import { type Survey } from "../../tailnet/survey";
import { NO_MEMORY } from "../../tailnet/plannedKeys";
import { fleetOf, OPTIONS } from "../tailnet/plan";

const LIVE = `{"grants": []}`;
const SURVEY: Survey = {
  policy: { value: LIVE },
  devices: { value: [] },
  keys: { value: true },
  goneKeys: { value: [] },
  dns: null,
};

/** h1 of one provider; g1 of another, about which the inventory is wrong. */
function fleet(isWrong: boolean): FleetPlan {
  const plan = fleetOf({ h1: { provider: "hetzner" }, g1: { provider: "vast" } });
  if (!isWrong) return plan;
  const refused: HostPlan = {
    name: "g1",
    action: "refused",
    leaving: false,
    reason: "",
    provider: "vast",
    number: null,
    connection: null,
  };
  return { ...plan, hosts: new Map([...plan.hosts, ["g1", refused]]) };
}

async function decided(
  isWrong: boolean,
  tags: readonly string[],
  hasRun = true,
  base: string | null = null,
) {
  const { manage, existing } = { manage: true, existing: "adopt" } as const;
  const settings = { policy: { ...OPTIONS, manage, base, existing }, classes: {} };
  const decision = await policyDecision(
    {
      settings: settings as unknown as TailnetSettings,
      plan: fleet(isWrong),
      previous: { ...NO_MEMORY, policy: hasRun ? { foreign: "f", base: null } : null },
      deviceTags: { g1: tags },
    },
    SURVEY,
    null,
  );
  return decision?.kind === "held" ? decision.why : decision?.kind;
}

describe("the policy of a fleet with a refused host", () => {
  it("stays where its device would lose a tag that nobody else has", async () => {
    expect(await decided(true, ["tag:vast-nodes"])).toBe(
      "nobody else has a tag of g1, which the inventory is wrong about: the tailnet's policy is left as it is until the file is mended",
    );
  });

  it.each([
    ["nobody is refused", false, ["tag:vast-nodes"], true],
    ["others have its tags", true, ["tag:hetzner-nodes"], true],
    ["it has not joined", true, [], true],
    ["nothing of ours is there", true, ["tag:vast-nodes"], false],
  ])("is written where %s", async (_, isWrong, tags, hasRun) => {
    expect(await decided(isWrong, tags, hasRun)).toBe("write");
  });
});

describe("a base policy of the team's own", () => {
  const folder = mkdtempSync(join(tmpdir(), "policy-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const given = (name: string, bytes: Buffer): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };

  it("is read as UTF-8, with a byte order mark or without, and no byte of it is replaced", async () => {
    const text = `{"grants": [], // für alle\n}`;
    const [plain, mark] = [Buffer.from(text), Buffer.from(`\uFEFF${text}`)];
    expect(await decided(false, [], false, given("plain", plain))).toBe("write");
    expect(await decided(false, [], false, given("mark", mark))).toBe("write");
    for (const bytes of [Buffer.from(text, "latin1"), Buffer.from(`\uFEFF${text}`, "utf16le")]) {
      const path = given("other", bytes);
      expect(await decided(false, [], false, path)).toBe(
        `${path} is not UTF-8 text; the tailnet's policy is left as it is`,
      );
    }
  });
});
