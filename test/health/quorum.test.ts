import { hasMet, isSilent, votesOf, whyNotDown } from "../../health/quorum";
import { type Facts } from "../../payload/facts";

const state = (alive: string[], quorum: number) => ({ alive: new Set(alive), quorum });

describe("whyNotDown", () => {
  it("allows a restart that leaves the quorum standing", () => {
    expect(whyNotDown("a", state(["a", "b", "c", "d"], 3))).toBeUndefined();
  });

  it("refuses one that would break it, and names the votes", () => {
    expect(whyNotDown("a", state(["c", "a", "b"], 3))).toBe(
      "restarting voter a would leave 2 of 3 votes that the quorum needs (alive: a, b, c); P2P_ALLOW_QUORUM_LOSS=true overrides this for one run",
    );
  });

  it("always allows to start a voter that is down", () => {
    expect(whyNotDown("x", state(["a", "b", "c"], 3))).toBeUndefined();
  });

  it("does not take a voter that does not answer for one that is down", () => {
    const unsure = { alive: new Set(["a", "b"]), doubtful: new Set(["c"]), quorum: 2 };
    // Two are left that are surely alive.
    expect(whyNotDown("c", unsure)).toBeUndefined();
    expect(whyNotDown("a", unsure)).toBe(
      "restarting voter a would leave 1 of 2 votes that the quorum needs (alive: a, b; not known: c); P2P_ALLOW_QUORUM_LOSS=true overrides this for one run",
    );
    const none = { alive: new Set<string>(), doubtful: new Set(["a", "b"]), quorum: 2 };
    expect(whyNotDown("a", none)).toContain("would leave 0 of 2 votes");
    expect(whyNotDown("a", { ...none, doubtful: new Set(["a"]) })).toBeUndefined();
  });

  it("allows everything while there is no quorum to lose", () => {
    expect(whyNotDown("a", state(["a", "b"], 3))).toBeUndefined();
    expect(whyNotDown("a", state([], 3))).toBeUndefined();
  });
});

describe("hasMet", () => {
  const facts = (uptimeSeconds: number | null, heard: Record<string, number>, alive: string[]) =>
    ({ health: { uptimeSeconds }, status: { heard, alive } }) as unknown as Facts;

  it.each([
    ["a heartbeat since the start", facts(10, { b: 9 }, ["b"]), true],
    ["only one from before the start", facts(10, { b: 11 }, ["b"]), false],
    ["nobody yet", facts(10, {}, []), false],
    // A daemon that does not say how long it has been up is believed.
    ["no uptime, but a peer", facts(null, { b: 11 }, ["b"]), true],
    ["no ages, but a peer", facts(10, {}, ["b"]), true],
    ["nothing known", undefined, false],
  ])("%s", (_what, found, expected) => {
    expect(hasMet(found, "b")).toBe(expected);
  });
});

describe("votesOf", () => {
  const ours = { pid: 1, ours: true, name: "u" };
  const running = (node: string, heard: Record<string, number> = {}) =>
    ({
      service: { state: "running" },
      port: [ours],
      health: { status: 200, nodeId: node },
      status: { heard, alive: Object.keys(heard) },
    }) as unknown as Facts;
  const late = { ...running("c"), health: { status: 0, nodeId: null } } as unknown as Facts;

  it("tells the live, the silent, and those of whom others have heard lately", () => {
    const facts = new Map([
      ["a", running("a", { d: 59, e: 61 })],
      ["b", running("somebody else")],
      ["c", late],
      ["g", { ...late, service: { state: "failed" } } as unknown as Facts],
    ]);
    expect(votesOf(["a", "b", "c", "d", "e", "f", "g"], facts)).toEqual({
      alive: new Set(["a"]),
      silent: new Set(["c"]),
      unknown: new Set(["d"]),
    });
  });

  it("takes nobody for silent whose port is free or somebody else's", () => {
    expect(isSilent({ ...late, port: [] })).toBe(false);
    expect(isSilent({ ...late, port: [{ ...ours, ours: false }] })).toBe(false);
    expect(isSilent(undefined)).toBe(false);
  });
});
