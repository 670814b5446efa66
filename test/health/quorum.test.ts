import { whyNotDown } from "../../health/quorum";

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
