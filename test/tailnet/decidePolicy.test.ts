import { BASE_POLICY } from "../../tailnet/basePolicy";
import { decidePolicy, type PolicyQuestion } from "../../tailnet/decidePolicy";
import { mergePolicy } from "../../tailnet/mergePolicy";
import { policyPart } from "../../tailnet/policy";
import { fleetOf, OPTIONS } from "./plan";

const PART = policyPart(
  fleetOf({ v1: { provider: "vast" }, h1: { provider: "aws", voter: true } }),
  OPTIONS,
);
const SMALLER = policyPart(fleetOf({ h1: { provider: "aws", voter: true } }), OPTIONS);
const UNTOUCHED = `{
  // Allow all connections.
  "grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}],
  "ssh": [{"action": "check", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["root"]}],
}`;
const SOMEBODYS = '{"grants": [{"src": ["group:ops"], "dst": ["tag:db"], "ip": ["tcp:5432"]}]}';
const HAND = '{"src": ["group:ops"], "dst": ["tag:web"], "ip": ["tcp:443"]}';
const base = {
  text: '{"grants": [\n  // ops\n  {"src": ["group:ops"], "dst": ["*"], "ip": ["*"]},\n]}',
  path: "base.hujson",
};

const ask = (changes: Partial<PolicyQuestion>) =>
  decidePolicy({
    live: UNTOUCHED,
    base: null,
    part: PART,
    existing: "refuse",
    last: null,
    ...changes,
  });
/** The decision after a first write, with something changed since. */
const afterWrite = (
  first: Partial<PolicyQuestion>,
  then: (live: string) => Partial<PolicyQuestion>,
) => {
  const decision = ask(first);
  if (decision.kind !== "write") throw new Error(decision.kind);
  return ask({ ...first, live: decision.text, last: decision.memory, ...then(decision.text) });
};
const byHand = (live: string) => live.replace('"grants": [', `"grants": [${HAND},`);

describe("decidePolicy", () => {
  it("gives a tailnet that never had a policy the built-in base with our part, and lets the API confirm that", () => {
    expect(ask({})).toMatchObject({
      kind: "write",
      overwrite: false,
      text: mergePolicy(BASE_POLICY, PART, "x"),
      notes: [],
    });
    expect(ask({ base })).toMatchObject({
      kind: "write",
      overwrite: false,
      text: mergePolicy(base.text, PART, "x"),
    });
  });

  it("writes nothing over somebody's policy without being told", () => {
    expect(ask({ live: SOMEBODYS })).toEqual({
      kind: "held",
      why: "the tailnet has a policy that somebody else wrote; nothing was written: set p2p:tailnet policy.existing to adopt (ours is merged into it) or overwrite (policy.base replaces it)",
    });
    expect(ask({ live: SOMEBODYS, base }).kind).toBe("held");
    expect(ask({ live: SOMEBODYS, existing: "adopt" })).toMatchObject({
      kind: "write",
      overwrite: true,
      text: mergePolicy(SOMEBODYS, PART, "x"),
    });
    expect(ask({ live: SOMEBODYS, base, existing: "overwrite" })).toMatchObject({
      kind: "write",
      overwrite: true,
      text: mergePolicy(base.text, PART, "x"),
    });
  });

  it("tells who else may give our tags, and that rules end a policy without any", () => {
    const owned = '{"grants": [],\n"tagOwners": {"tag:vast-nodes": ["group:ops"]}}';
    const note = (line: number) =>
      `the tailnet's policy:${line}:15: group:ops may give tag:vast-nodes to any device, which the policy then takes for a node of the fleet; that is kept: name them in p2p:tailnet.policy.owners, or take them out there`;
    expect(ask({ live: owned, existing: "adopt" })).toMatchObject({
      kind: "write",
      notes: [note(2)],
    });
    expect(afterWrite({ live: owned, existing: "adopt" }, () => ({}))).toMatchObject({
      kind: "in-order",
      notes: [note(5)],
    });
    expect(ask({ live: "{}", existing: "adopt" })).toMatchObject({
      kind: "write",
      notes: [
        "the tailnet's policy has neither grants nor acls, which lets everybody reach everything: with the fleet's grants in it only what it names is open",
      ],
    });
  });

  it("runs the fleet's own tests, and leaves others' to the API, which knows addresses", () => {
    const live =
      '{"hosts": {"db": "192.0.2.7"}, "grants": [{"src": ["tag:web"], "dst": ["db"], "ip": ["*"]}], "tests": [{"src": "tag:web", "accept": ["tag:db:5432"]}]}';
    expect(ask({ live, existing: "adopt" })).toMatchObject({ kind: "write", notes: [] });
  });

  it("holds a policy that would fail the fleet's tests, and names the rule", () => {
    const live =
      '{"groups": {"group:a": []},\n"grants": [{"src": ["*"], "dst": ["*"], "ip": ["*"]}]}';
    expect(ask({ live, existing: "adopt" })).toEqual({
      kind: "held",
      why: expect.stringMatching(
        /^the tailnet's policy would fail the fleet's tests: tag:aws-nodes reaches tag:aws-nodes:22 by grants\[0\] \(line 2\); .*, and \d+ more; narrow those rules, nothing was written$/,
      ) as string,
    });
  });

  describe.each([
    ["no base", {}],
    ["a base", { base }],
  ])("with %s", (_, first) => {
    it.each<[string, (live: string) => string]>([
      ["as written", (live) => live],
      ["formatted by hand", (live) => live.replace(/\n\s*/g, "\n\t").replaceAll(", ", ",  ")],
      ["without comments", (live) => live.replace(/\/\/.*$/gm, "")],
    ])("has nothing to do with a policy %s", (__, change) => {
      expect(afterWrite(first, (live) => ({ live: change(live) })).kind).toBe("in-order");
      expect(afterWrite(first, (live) => ({ live: change(live), last: null })).kind).toBe(
        "in-order",
      );
    });

    it("keeps a rule added by hand, now and in the next write", () => {
      expect(afterWrite(first, (live) => ({ live: byHand(live) })).kind).toBe("in-order");
      const next = afterWrite(first, (live) => ({ live: byHand(live), part: SMALLER }));
      expect(next).toMatchObject({ kind: "write", text: expect.stringContaining(HAND) as string });
    });

    it("mends its own part when that was edited", () => {
      const next = afterWrite(first, (live) => ({ live: live.replace('["tcp:8770"]', '["*"]') }));
      expect(next.kind).toBe("write");
      expect(next.kind === "write" && next.text).not.toContain('"ip": ["*"]}, // p2p');
      expect(next.kind === "write" && next.text).toContain('["tcp:8770"]');
    });
  });

  it("tells that a hand edit should go into the base", () => {
    const next = afterWrite({ base }, (live) => ({ live: byHand(live) }));
    expect(next).toMatchObject({
      notes: [
        "the tailnet's policy was edited by hand, and that is kept: take it over into base.hujson, or the next edit of that file waits",
      ],
    });
  });

  it("writes an edited base, also where only a comment changed, not where it was formatted", () => {
    const edited = (text: string) => afterWrite({ base }, () => ({ base: { ...base, text } }));
    const more = base.text.replace("\n]}", `\n  ${HAND},\n]}`);
    expect(edited(more)).toMatchObject({ kind: "write", text: mergePolicy(more, PART, "x") });
    expect(edited(base.text.replace("// ops", "// operators")).kind).toBe("write");
    expect(edited(base.text.replace(/\n\s+/g, "\n")).kind).toBe("in-order");
  });

  it("waits when both were edited, or when nobody knows who did", () => {
    const text = base.text.replace(
      "\n]}",
      `\n  {"src": ["group:x"], "dst": ["*"], "ip": ["*"]},\n]}`,
    );
    const both = { base: { ...base, text } };
    expect(afterWrite({ base }, (live) => ({ ...both, live: byHand(live) }))).toEqual({
      kind: "held",
      why: "the tailnet's policy and base.hujson were both edited since the last run; nothing was written: take the edits over into the file, then run once with policy.existing set to overwrite",
    });
    expect(afterWrite({ base }, () => ({ ...both, last: null })).kind).toBe("held");
    expect(
      afterWrite({ base }, (live) => ({ ...both, live: byHand(live), existing: "overwrite" })),
    ).toMatchObject({ kind: "write", text: mergePolicy(text, PART, "x") });
  });
});
