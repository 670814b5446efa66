import fc from "fast-check";
import { compareInputs, decide, NO_DIFF, type Diff } from "../../../lab/engine/plan/decision";
import { deletionRounds, dependentsOf, neededBy } from "../../../lab/engine/plan/deletion";
import { ignoreChanges } from "../../../lab/engine/plan/ignoreChanges";
import { diffInputs } from "../../../lab/engine/plan/objectDiff";
import { contains, formatPath, parsePath } from "../../../lab/engine/plan/propertyPath";
import * as urns from "../../../lab/engine/plan/urn";
import { satisfies } from "../../../lab/engine/plan/versionRange";
import { type ResourceState } from "../../../lab/engine/state/resource";
import { secret } from "../../../lab/wire";
import { anyMap } from "./values";

function state(urn: string, fields: Partial<ResourceState> = {}): ResourceState {
  return { urn, custom: true, type: "t:i:T", ...fields };
}

describe("makeUrn", () => {
  const component = "urn:pulumi:s::p::a:b:C::c";
  it.each([
    [undefined, "urn:pulumi:s::p::x:y:Z::n"],
    ["urn:pulumi:s::p::pulumi:pulumi:Stack::p-s", "urn:pulumi:s::p::x:y:Z::n"],
    [component, "urn:pulumi:s::p::a:b:C$x:y:Z::n"],
  ])("under %s", (parent, expected) => {
    expect(urns.makeUrn("s", "p", parent, "x:y:Z", "n")).toBe(expected);
  });

  it("is read back, names with colons included", () => {
    const urn = urns.makeUrn("s", "p", component, "x:y:Z", "a::b");
    expect([urns.urnType(urn), urns.urnName(urn)]).toEqual(["x:y:Z", "a::b"]);
  });
});

describe("defaultProviderName", () => {
  it.each([
    ["", "default"],
    ["1.2.1", "default_1_2_1"],
    ["1.2.1-alpha.1+x", "default_1_2_1_alpha_1_x"],
  ])("%s: %s", (version, expected) => {
    expect(urns.defaultProviderName(version)).toBe(expected);
  });
});

describe("parsePath", () => {
  it.each([
    ["a", ["a"]],
    ["a.b", ["a", "b"]],
    ["a[0].b", ["a", 0, "b"]],
    ['a["b.c"]', ["a", "b.c"]],
    ["a[*]", ["a", "*"]],
    ["*", ["*"]],
    ["", undefined],
    [".a", undefined],
    ["a[", undefined],
    ["a..b", undefined],
  ])("%s", (text, expected) => {
    expect(parsePath(text)).toEqual(expected);
  });

  it("reads what formatPath writes", () => {
    const step = fc.oneof(
      fc.nat(99),
      fc.string({ minLength: 1 }).filter((key) => key !== "*"),
    );
    const path = fc.tuple(
      fc.string({ minLength: 1 }).filter((key) => key !== "*"),
      fc.array(step),
    );
    fc.assert(
      fc.property(path, ([first, rest]) => {
        expect(parsePath(formatPath([first, ...rest]))).toEqual([first, ...rest]);
      }),
    );
  });
});

describe("contains", () => {
  it.each([
    ["a", "a", true],
    ["a", "a.b", true],
    ["a[*]", "a[3].b", true],
    ["a[*]", "a", false],
    ["*", "z", true],
    ["a.b", "a.c", false],
  ])("%s, %s: %s", (outer, inner, expected) => {
    expect(contains(parsePath(outer) ?? [], parsePath(inner) ?? [])).toBe(expected);
  });
});

describe("ignoreChanges", () => {
  it.each([
    ["nothing", { a: 1 }, { a: 2 }, [], { a: 2 }],
    ["a property", { a: 1, b: 1 }, { a: 2, b: 2 }, ["a"], { a: 1, b: 2 }],
    ["one that is new", {}, { a: 2 }, ["a"], {}],
    ["one that is gone", { a: 1 }, {}, ["a"], { a: 1 }],
    ["a nested one", { a: { b: 1, c: 1 } }, { a: { b: 2, c: 2 } }, ["a.b"], { a: { b: 1, c: 2 } }],
    ["an item", { a: [1, 1] }, { a: [2, 2] }, ["a[1]"], { a: [2, 1] }],
    ["all items", { a: [1, 1] }, { a: [2] }, ["a[*]"], { a: [1, 1] }],
    [
      "a part of all items",
      { a: [{ b: 1, c: 1 }] },
      { a: [{ b: 2, c: 2 }] },
      ["a[*].b"],
      { a: [{ b: 1, c: 2 }] },
    ],
    [
      "inside a secret",
      { a: secret({ b: 1 }) },
      { a: secret({ b: 2, c: 2 }) },
      ["a.b"],
      { a: secret({ b: 1, c: 2 }) },
    ],
    ["everything", { a: 1 }, { b: 2 }, ["*"], { a: 1 }],
  ])("%s", (_, olds, news, paths, expected) => {
    expect(ignoreChanges(news, olds, paths)).toEqual({ inputs: expected, failed: [] });
  });

  it("names a path into what only one side has, and leaves it", () => {
    expect(ignoreChanges({ a: { b: 1 } }, {}, ["a.b"])).toEqual({
      inputs: { a: { b: 1 } },
      failed: ["a.b"],
    });
  });

  it("does nothing for a new resource, and refuses what is no path", () => {
    expect(ignoreChanges({ a: 1 }, undefined, ["*"])).toEqual({ inputs: { a: 1 }, failed: [] });
    expect(() => ignoreChanges({}, {}, ["a["])).toThrow(
      'ignoreChanges: "a[" is not a property path',
    );
  });

  it("never changes what it was given", () => {
    fc.assert(
      fc.property(anyMap, anyMap, (olds, news) => {
        const before = JSON.stringify([olds, news]);
        ignoreChanges(
          news,
          olds,
          Object.keys(olds)
            .map((key) => formatPath([key]))
            .filter((key) => key !== '["*"]'),
        );
        expect(JSON.stringify([olds, news])).toBe(before);
      }),
    );
  });
});

describe("diffInputs", () => {
  it.each([
    ["nothing", { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, {}],
    ["secrecy alone", { a: "x" }, { a: secret("x") }, {}],
    ["keys of providers", { __defaults: [] }, {}, {}],
    ["one more", {}, { a: 1 }, { a: { kind: "add", inputDiff: true } }],
    ["one less", { a: 1 }, {}, { a: { kind: "delete", inputDiff: true } }],
    [
      "deep inside",
      { a: { b: [1, 2] } },
      { a: { b: [1, 3] } },
      { "a.b[1]": { kind: "update", inputDiff: true } },
    ],
    ["null is not missing", { a: null }, {}, { a: { kind: "delete", inputDiff: true } }],
  ])("%s", (_, olds, news, expected) => {
    expect(diffInputs(olds, news)).toEqual(expected);
  });

  it("is empty for equal inputs and only for them", () => {
    fc.assert(
      fc.property(anyMap, (map) => {
        expect(diffInputs(map, structuredClone(map))).toEqual({});
      }),
    );
  });
});

describe("decide", () => {
  const some: Diff = { ...NO_DIFF, changes: "some", changedKeys: ["a"] };
  const nothing = { replaceOnChanges: [] };
  it.each<[string, Partial<ResourceState>, Diff, Parameters<typeof decide>[2], unknown]>([
    ["no difference", {}, NO_DIFF, nothing, { kind: "same" }],
    ["a difference", {}, some, nothing, { kind: "update" }],
    ["not yet initialised", { initErrors: ["x"] }, NO_DIFF, nothing, { kind: "update" }],
    [
      "the provider replaces",
      {},
      { ...some, replaceKeys: ["a"] },
      nothing,
      { kind: "replace", deleteFirst: false },
    ],
    [
      "the provider deletes first",
      {},
      { ...some, replaceKeys: ["a"], deleteBeforeReplace: true },
      nothing,
      { kind: "replace", deleteFirst: true },
    ],
    [
      "the program wins over it",
      {},
      { ...some, replaceKeys: ["a"], deleteBeforeReplace: true },
      { ...nothing, deleteBeforeReplace: false },
      { kind: "replace", deleteFirst: false },
    ],
    [
      "the program replaces on a change",
      {},
      some,
      { replaceOnChanges: ["a"] },
      { kind: "replace", deleteFirst: false },
    ],
    ["another property changed", {}, some, { replaceOnChanges: ["b[*]"] }, { kind: "update" }],
    [
      "replace keys without a change",
      {},
      { ...NO_DIFF, replaceKeys: ["a"] },
      nothing,
      { kind: "same" },
    ],
    [
      "already deleted",
      { pendingReplacement: true },
      NO_DIFF,
      nothing,
      { kind: "replace", deleteFirst: true },
    ],
    [
      "initialisation replaces",
      { initErrors: ["x"] },
      NO_DIFF,
      { replaceOnChanges: ["#initerror"] },
      { kind: "replace", deleteFirst: false },
    ],
  ])("%s", (_, old, diff, wishes, expected) => {
    expect(decide(state("u", old), diff, wishes)).toMatchObject(expected as object);
  });

  it("marks in the details what replaces", () => {
    const diff = compareInputs({ a: 1, b: 1 }, { a: 2, b: 2 });
    expect(decide(state("u"), diff, { replaceOnChanges: ["a"] })).toEqual({
      kind: "replace",
      deleteFirst: false,
      diff: {
        changes: "some",
        replaceKeys: ["a"],
        changedKeys: ["a", "b"],
        deleteBeforeReplace: false,
        detailed: {
          a: { kind: "update-replace", inputDiff: true },
          b: { kind: "update", inputDiff: true },
        },
      },
    });
  });
});

describe("deletionRounds", () => {
  it("takes dependents first, by every kind of dependency", () => {
    const provider = state("prov", { id: "1" });
    const parent = state("parent");
    const dependency = state("dep");
    const property = state("prop");
    const child = state("child", {
      provider: "prov::1",
      parent: "parent",
      dependencies: ["dep"],
      propertyDependencies: { a: ["prop"] },
    });
    const rounds = deletionRounds([provider, parent, dependency, property, child]);
    expect(rounds.map((round) => round.map(({ urn }) => urn))).toEqual([
      ["child"],
      ["prov", "parent", "dep", "prop"],
    ]);
  });

  it("takes every resource once, none before what refers to it", () => {
    const graph = fc.array(fc.array(fc.nat(20), { maxLength: 4 }), { maxLength: 20 });
    fc.assert(
      fc.property(graph, (edges) => {
        const states = edges.map((targets, index) =>
          state(`r${index}`, {
            dependencies: targets.filter((target) => target < index).map((target) => `r${target}`),
          }),
        );
        const order = deletionRounds(states).flat();
        expect([...order].sort((a, b) => (a.urn < b.urn ? -1 : 1))).toEqual(
          [...states].sort((a, b) => (a.urn < b.urn ? -1 : 1)),
        );
        for (const item of states) {
          for (const urn of item.dependencies ?? []) {
            const dependency = order.findIndex((other) => other.urn === urn);
            expect(order.indexOf(item)).toBeLessThan(dependency);
          }
        }
      }),
    );
  });

  it("ends on a circle between generations", () => {
    const circle = [state("a", { dependencies: ["b"] }), state("b", { dependencies: ["a"] })];
    expect(deletionRounds(circle).map((round) => round.map(({ urn }) => urn))).toEqual([
      ["b"],
      ["a"],
    ]);
  });
});

describe("dependentsOf and neededBy", () => {
  const chain = [
    state("a"),
    state("b", { dependencies: ["a"] }),
    state("c", { parent: "b" }),
    state("d"),
  ];
  it("reach through others", () => {
    expect(dependentsOf("a", chain).map(({ urn }) => urn)).toEqual(["b", "c"]);
    expect([...neededBy([chain[2] as ResourceState], chain)]).toEqual(["b", "a"]);
  });
});

describe("satisfies", () => {
  it.each([
    [">=3.0.0", true],
    [">=99", false],
    [">=3.0.0 <4.0.0", true],
    ["<3.0.0 || >3.200.0", true],
    ["^3.1.0", true],
    ["~3.247.0", false],
    ["3.x", true],
    ["3.248.0", true],
    ["!3.248.0", false],
    ["<=3.247.9", false],
    [">= 3.248.0", true],
  ])("%s: %s", (range, expected) => {
    expect(satisfies("3.248.0", range)).toBe(expected);
  });

  it("refuses what is no range", () => {
    expect(() => satisfies("3.248.0", "latest")).toThrow('"latest" is not a version range');
    expect(() => satisfies("3.248.0", "")).toThrow('"" is not a version range');
  });
});
