import * as fc from "fast-check";
import { DOMAINS_PER_APPLICATION, groupNames, standingTokens } from "../../tunnels/access";

const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: 30 });

function placeOf(groups: Record<string, string[]>): Map<string, string> {
  return new Map(
    Object.entries(groups).flatMap(([key, members]) =>
      members.map((name): [string, string] => [name, key]),
    ),
  );
}

describe("groupNames", () => {
  it("fills applications of five in the order of names", () => {
    expect(groupNames(["g", "f", "e", "d", "c", "b", "a"], {})).toEqual({
      "1": ["a", "b", "c", "d", "e"],
      "2": ["f", "g"],
    });
    expect(groupNames([], {})).toEqual({});
  });

  it("gives a new name the first free place, and moves nobody", () => {
    const before = groupNames(["b", "c", "d", "e", "f", "g"], {});
    expect(groupNames(["a", "b", "c", "d", "e", "f", "g"], before)).toEqual({
      "1": ["b", "c", "d", "e", "f"],
      "2": ["a", "g"],
    });
    expect(groupNames(["b", "c", "d", "f", "g"], before)).toEqual({
      "1": ["b", "c", "d", "f"],
      "2": ["g"],
    });
  });

  it("passes over what is no number, what is doubled and what is too many", () => {
    const odd = { x: ["a"], "2": ["b", "b"], "1": ["c", "d", "e", "f", "g", "h"], "3": ["b"] };
    expect(groupNames(["a", "b", "c", "d", "e", "f", "g", "h"], odd)).toEqual({
      "1": ["c", "d", "e", "f", "g"],
      "2": ["a", "b", "h"],
    });
  });

  it("keeps every name in one application of at most five, and every old one where it was", () => {
    fc.assert(
      fc.property(names, names, (first, second) => {
        const before = groupNames(first, {});
        const after = groupNames(second, before);
        const sizes = Object.values(after).map((members) => members.length);
        expect(Object.values(after).flat().sort()).toEqual([...second].sort());
        expect(Math.max(1, ...sizes)).toBeLessThanOrEqual(DOMAINS_PER_APPLICATION);
        expect(Math.min(1, ...sizes)).toBe(1);
        const was = placeOf(before);
        for (const [name, key] of placeOf(after)) expect(was.get(name) ?? key).toBe(key);
        expect(groupNames(second, after)).toEqual(after);
      }),
    );
  });

  it("does not depend on the order of names", () => {
    fc.assert(
      fc.property(names, names, (first, second) => {
        const before = groupNames(first, {});
        expect(groupNames([...second].reverse(), before)).toEqual(groupNames(second, before));
      }),
    );
  });
});

describe("standingTokens", () => {
  const hosts = (seen: Record<string, boolean>) => new Map(Object.entries(seen));

  it("has one token at first, whoever has it", () => {
    expect(standingTokens(1, [], hosts({ h1: false }), true)).toEqual({
      generations: [1],
      missing: [],
    });
    expect(standingTokens(1, [1], hosts({ h1: false }), true)).toEqual({
      generations: [1],
      missing: [],
    });
  });

  it("keeps the old one while a host lacks the new one, and says which", () => {
    expect(standingTokens(2, [1], hosts({ h2: false, h1: true, d1: false }), true)).toEqual({
      generations: [1, 2],
      missing: ["d1", "h2"],
    });
  });

  it("drops the old one when every host was seen with the new one", () => {
    expect(standingTokens(2, [1, 2], hosts({ h1: true, h2: true }), true)).toEqual({
      generations: [2],
      missing: [],
    });
  });

  it("drops it at once where no overlap is wanted", () => {
    expect(standingTokens(2, [1], hosts({ h1: false }), false)).toEqual({
      generations: [2],
      missing: [],
    });
  });

  it("can go back to an earlier one in the same way", () => {
    expect(standingTokens(1, [2], hosts({ h1: false }), true).generations).toEqual([1, 2]);
  });
});
