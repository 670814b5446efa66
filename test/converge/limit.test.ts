import { matchesLimit, uselessPatterns } from "../../converge/limit";

describe("matchesLimit", () => {
  it.each([
    ["gpu-1", [], true],
    ["gpu-1", ["gpu-1"], true],
    ["gpu-10", ["gpu-1"], false],
    ["vast-10000001", ["vast-*"], true],
    ["my-vast-1", ["vast-*"], false],
    ["gpu-1", ["gpu-?"], true],
    ["gpu-12", ["gpu-?"], false],
    ["a.b", ["a.b"], true],
    ["axb", ["a.b"], false],
    ["(x)", ["(x)"], true],
    ["b", ["a", "b"], true],
  ] as const)("%s, %j: %s", (name, patterns, expected) => {
    expect(matchesLimit(name, patterns)).toBe(expected);
  });

  it("finds patterns that match nobody", () => {
    expect(uselessPatterns(["a*", "b*", "c"], ["a1", "c"])).toEqual(["b*"]);
  });
});
