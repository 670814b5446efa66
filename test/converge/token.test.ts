import { decideToken, type TokenDecision, type TokenHolder } from "../../converge/token";

const host = (
  name: string,
  canHave: boolean,
  requires?: string | null,
  lends = false,
): TokenHolder => ({ name, canHave, requires, lends });
const lending = (name: string, canHave: boolean, requires: string | null): TokenHolder =>
  host(name, canHave, requires, true);

/** The decision with the hosts' tokens as one object. */
const decide = (wanted: string | null, hosts: readonly TokenHolder[]) => {
  const { required, ...rest }: TokenDecision = decideToken(wanted, hosts);
  return { ...rest, required: Object.fromEntries(required) };
};

describe("decideToken, where nothing stands between the daemons", () => {
  it("requires it at once in a fleet that is new, since every host gets its file first", () => {
    expect(decide("new", [host("a", true), host("b", true)])).toEqual({
      required: { a: "new", b: "new" },
      missing: [],
      change: "none",
      withoutForwarder: [],
    });
  });

  it("requires none while a host can not have it, and says which", () => {
    expect(decide("new", [host("c", false), host("a", true, null), host("b", false)])).toEqual({
      required: { a: null, b: null, c: null },
      missing: ["b", "c"],
      change: "none",
      withoutForwarder: ["a"],
    });
  });

  it("keeps the token of before while a host can not have the next", () => {
    const fleet = [host("a", true, "old"), host("b", true, "old"), host("c", false)];
    expect(decide("new", fleet)).toMatchObject({
      required: { a: "old", b: "old", c: "old" },
      missing: ["c"],
      change: "none",
    });
  });

  it("rotates at once when every host can have it", () => {
    expect(decide("new", [host("b", true, "old"), host("a", true, "old")])).toEqual({
      required: { a: "new", b: "new" },
      missing: [],
      change: "at once",
      withoutForwarder: ["a", "b"],
    });
  });

  it("brings one that is apart to the others' token, also while a host is away", () => {
    const fleet = [host("a", true, "new"), host("b", true, "new"), host("c", true, "old")];
    expect(decide("new", [...fleet, host("d", false)])).toMatchObject({
      required: { a: "new", b: "new", c: "new", d: "new" },
      missing: [],
      change: "at once",
    });
    expect(decide("next", [...fleet, host("d", false)])).toMatchObject({
      required: { a: "new", b: "new", c: "new", d: "new" },
      missing: ["d"],
      change: "at once",
    });
  });

  it("goes forward after a run that was cut off in the middle, also while a host is away", () => {
    const fleet = [host("a", true, "new"), host("b", true, "old"), host("c", true, "old")];
    expect(decide("new", [...fleet, host("d", false)])).toMatchObject({
      required: { a: "new", b: "new", c: "new", d: "new" },
      missing: [],
      change: "at once",
    });
  });

  it("holds nothing up where it is required already, or not wanted", () => {
    const fleet = [host("a", true, "new"), host("b", true, "new"), host("c", false)];
    const required = { a: "new", b: "new", c: "new" };
    expect(decide("new", fleet)).toMatchObject({ required, missing: [], change: "none" });
    expect(decide(null, fleet)).toMatchObject({ missing: [], change: "at once" });
  });
});

describe("decideToken, behind forwarders that lend the token", () => {
  it("switches, rotates and turns off in waves", () => {
    for (const [wanted, before] of [
      ["new", null],
      ["new", "old"],
      [null, "old"],
    ] as const)
      expect(decide(wanted, [lending("a", true, before), lending("b", true, before)])).toEqual({
        required: { a: wanted, b: wanted },
        missing: [],
        change: "waves",
        withoutForwarder: [],
      });
  });

  it("does it at once as long as one of them lacks it, and says which", () => {
    const fleet = [lending("a", true, "old"), host("b", true, "old")];
    expect(decide("new", fleet)).toMatchObject({ change: "at once", withoutForwarder: ["b"] });
  });

  it("does not count a host that has no daemon yet", () => {
    const fleet = [lending("a", true, "old"), host("b", true)];
    expect(decide("new", fleet)).toMatchObject({ change: "waves", required: { b: "new" } });
  });

  it("goes on in waves after one that broke off in the middle", () => {
    const fleet = [lending("a", true, "new"), lending("b", true, "old"), lending("c", true, "old")];
    expect(decide("new", fleet)).toMatchObject({
      required: { a: "new", b: "new", c: "new" },
      change: "waves",
    });
  });

  it("restarts nobody while a host can not have it, on whichever side of a switch one is", () => {
    const fleet = [lending("a", true, "new"), lending("b", true, "old"), lending("c", true, "old")];
    expect(decide("new", [...fleet, host("d", false), host("e", true)])).toEqual({
      required: { a: "new", b: "old", c: "old", d: "old", e: "new" },
      missing: ["d"],
      change: "none",
      withoutForwarder: [],
    });
  });
});
