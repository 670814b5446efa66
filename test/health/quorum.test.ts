import { hasMet, whyNotDown } from "../../health/quorum";
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
