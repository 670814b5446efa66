import { clientWarnings, madeAtApi, NO_MEMORY, whyNoKey } from "../../tailnet/plannedKeys";
import { type Survey } from "../../tailnet/survey";

const OWNED = '{"tagOwners": {"tag:vast-nodes": ["autogroup:admin"]}}';
const SEEN: Survey = {
  policy: { value: OWNED },
  devices: { value: [] },
  keys: { value: true },
  goneKeys: { value: [] },
  dns: null,
};
const TAGS = ["tag:vast-nodes"];

describe("whyNoKey", () => {
  it("is nothing where the tags have owners and keys can be made", () => {
    expect(whyNoKey(TAGS, SEEN, null, true)).toBeUndefined();
  });

  it("tells what keeps keys from being made before anything else", () => {
    const keys = { why: "the Tailscale API does not allow it (403)" };
    expect(whyNoKey(TAGS, { ...SEEN, keys }, null, true)).toBe(keys.why);
  });

  it("lets a key be tried where only the policy cannot be seen, and is not ours", () => {
    const policy = { why: "no scope" };
    expect(whyNoKey(TAGS, { ...SEEN, policy }, null, false)).toBeUndefined();
    expect(whyNoKey(TAGS, { ...SEEN, policy }, null, true)).toBe("no scope");
  });

  it("names tags without an owner, or why the policy was not written", () => {
    const text = "the tailnet's policy names no owner for tag:x";
    expect(whyNoKey(["tag:x"], SEEN, null, true)).toBe(text);
    expect(whyNoKey(["tag:x"], SEEN, { kind: "held", why: "held" }, true)).toBe("held");
  });
});

describe("clientWarnings", () => {
  it("names tags that no OAuth client could give", () => {
    const text =
      "tailnet: no tag owns tag:vast-nodes, and an OAuth client gives only tags that its own tag owns (or is): add that one to p2p:tailnet.policy.owners";
    expect(clientWarnings([...TAGS, ...TAGS], OWNED)).toEqual([text]);
    const owned = '{"tagOwners": {"tag:vast-nodes": ["autogroup:admin", "tag:fleet"]}}';
    expect(clientWarnings(TAGS, owned)).toEqual([]);
    expect([clientWarnings([], OWNED), clientWarnings(TAGS, null)]).toEqual([[], []]);
  });
});

describe("madeAtApi", () => {
  it("counts what a stack has there", () => {
    expect(madeAtApi(NO_MEMORY)).toEqual([]);
    const classKeys = [{ class: "vast-nodes", generation: "2026-11-22", id: null, expires: null }];
    const policy = { foreign: "f", base: null };
    expect(madeAtApi({ ...NO_MEMORY, policy, joinKeys: ["a"], classKeys })).toEqual([
      "the policy",
      "2 auth keys",
    ]);
    expect(
      madeAtApi({ ...NO_MEMORY, dns: { generation: "", wish: null }, joinKeys: ["a"] }),
    ).toEqual(["the DNS settings", "1 auth key"]);
  });
});
