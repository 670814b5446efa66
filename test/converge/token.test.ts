import { decideToken, type TokenHolder } from "../../converge/token";

const host = (name: string, canHave: boolean, requires?: string | null): TokenHolder => ({
  name,
  canHave,
  requires,
});

describe("decideToken", () => {
  it("requires it at once in a fleet that is new, since every host gets its file first", () => {
    const fleet = [host("a", true), host("b", true)];
    expect(decideToken("new", fleet)).toEqual({ active: "new", missing: [] });
  });

  it("requires none while a host can not have it, and says which", () => {
    const fleet = [host("c", false), host("a", true, null), host("b", false)];
    expect(decideToken("new", fleet)).toEqual({ active: null, missing: ["b", "c"] });
  });

  it("keeps the token of before while a host can not have the next", () => {
    const fleet = [host("a", true, "old"), host("b", true, "old"), host("c", false)];
    expect(decideToken("new", fleet)).toEqual({ active: "old", missing: ["c"] });
  });

  it("rotates when every host can have it", () => {
    const fleet = [host("a", true, "old"), host("b", true, "old")];
    expect(decideToken("new", fleet)).toEqual({ active: "new", missing: [] });
  });

  it("holds nothing up where it is required already, or not wanted", () => {
    const fleet = [host("a", true, "new"), host("b", true, "new"), host("c", false)];
    expect(decideToken("new", fleet)).toEqual({ active: "new", missing: [] });
    expect(decideToken(null, fleet)).toEqual({ active: null, missing: [] });
  });
});
