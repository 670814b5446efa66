import fc from "fast-check";
import * as jsonc from "jsonc-parser";
import { applyEdits, format, parse } from "jsonc-parser";
import { canonical, formatDigest, PolicyTextError } from "../../tailnet/hujson";
import { foreignPart, isOurs, mergePolicy, strangeOwners } from "../../tailnet/mergePolicy";
import { policyPart } from "../../tailnet/policy";
import { fleetOf, OPTIONS } from "./plan";

const NO_SSH_TESTS = { sshTests: [], tests: [] };
const SMALL = {
  ...policyPart(fleetOf({ v1: { provider: "vast" } }), OPTIONS),
  ...NO_SSH_TESTS,
};
const EMPTY = { tagOwners: {}, grants: [], ssh: [], tests: [], sshTests: [] };

const BASE = `// Ours since 2024.
{
  "groups": {"group:ops": ["ann@example.com"]}, // people
  "tagOwners": {
    "tag:web": ["group:ops"], // web
    "tag:vast-nodes": ["group:ops"],
  },
  "grants": [
    // Operators go everywhere.
    {"src": ["group:ops"], "dst": ["*"], "ip": ["*"]} // keep
  ],
}
`;

describe("mergePolicy", () => {
  it("adds what is missing and changes no other character", () => {
    expect(mergePolicy(BASE, SMALL, "base.hujson")).toBe(`// Ours since 2024.
{
  "groups": {"group:ops": ["ann@example.com"]}, // people
  "tagOwners": {
    "tag:web": ["group:ops"], // web
    "tag:vast-nodes": ["group:ops",
      "autogroup:admin",
    ],
    "tag:p2p-outside": ["autogroup:admin"],
  },
  "grants": [
    // Operators go everywhere.
    {"src": ["group:ops"], "dst": ["*"], "ip": ["*"]}, // keep
    // p2p-fleet: every node reaches the daemons on 8770
    {"src": ["tag:vast-nodes"], "dst": ["tag:vast-nodes"], "ip": ["tcp:8770"]},
  ],
}
`);
  });

  it("merges into sections in the spelling of older policies", () => {
    const old = '{"ACLs": [], "Tests": [],\n"TagOwners": {"tag:web": []}}';
    const part = { ...SMALL, grants: [], tests: [{ why: "w", value: { src: "tag:web" } }] };
    expect(mergePolicy(old, part, "x")).toBe(`{"ACLs": [], "Tests": [
  // p2p-fleet: w
  {"src": "tag:web"},
],
"TagOwners": {"tag:web": [],
  "tag:vast-nodes": ["autogroup:admin"],
  "tag:p2p-outside": ["autogroup:admin"],
}}`);
    expect(foreignPart(old, part, "x")).toBe('{"acls":[],"tagOwners":{"tag:web":[]}}');
  });

  it("keeps the line ends of Windows", () => {
    const windows = mergePolicy(BASE.replaceAll("\n", "\r\n"), SMALL, "x");
    expect(windows).toBe(mergePolicy(BASE, SMALL, "x").replaceAll("\n", "\r\n"));
    expect(mergePolicy(windows, SMALL, "x")).toBe(windows);
  });

  it.each([
    ["a sentence about us", '// see p2p-fleet: docs\n    {"src": ["a"]},'],
    [
      "a comment behind another rule",
      '{"src": ["a"]}, // p2p-fleet: reviewed\n    {"src": ["b"]},',
    ],
  ])("takes no rule for its own for %s", (_, rules) => {
    const text = `{"grants": [\n    ${rules}\n]}`;
    const merged = mergePolicy(text, SMALL, "x");
    expect(merged).toContain(rules);
    expect(isOurs(text, "x")).toBe(false);
    expect(mergePolicy(merged, EMPTY, "x")).toContain(rules);
  });

  it.each(["\n", "\r\n"])(
    "takes no rule for its own that was put below its comment (%j)",
    (eol) => {
      const merged = mergePolicy(BASE, SMALL, "x").replaceAll("\n", eol);
      const hand = `{"src": ["tag:web"], "dst": ["tag:db"], "ip": ["tcp:9100"]}`;
      const put = `$1    ${hand},${eol}`;
      const edited = merged.replace(/(\/\/ p2p-fleet:[^\n]*\n)/, put);
      const again = mergePolicy(edited, SMALL, "x");
      expect(again).toBe(merged.replace(/( *\/\/ p2p-fleet:[^\n]*\n)/, `    ${hand},${eol}$1`));
      expect(mergePolicy(again, SMALL, "x")).toBe(again);
      expect(mergePolicy(again, EMPTY, "x")).toContain(hand);
    },
  );

  it("reads a long policy a few times, not once for every entry", () => {
    const rules = Array.from(
      { length: 1000 },
      (_, index) =>
        `  {"src": ["group:g${index}"], "dst": ["10.0.0.0/24"], "ip": ["tcp:80"]}, // rule\n`,
    );
    const long = `{"grants": [\n${rules.join("")}]}`;
    const visit = jest.spyOn(jsonc, "visit");
    const merged = mergePolicy(long, SMALL, "x");
    const reads = visit.mock.calls.length;
    visit.mockRestore();
    expect([reads > 0, reads < 10]).toEqual([true, true]);
    expect(merged).toContain(rules.join(""));
    expect(mergePolicy(merged, SMALL, "x")).toBe(merged);
  });

  it("makes a policy of an empty one", () => {
    expect(parse(mergePolicy("{}", SMALL, "x"), [], { allowTrailingComma: true })).toEqual({
      tagOwners: { "tag:vast-nodes": ["autogroup:admin"], "tag:p2p-outside": ["autogroup:admin"] },
      grants: [{ src: ["tag:vast-nodes"], dst: ["tag:vast-nodes"], ip: ["tcp:8770"] }],
    });
  });

  it("takes its own rules out when they are not wanted any more, and tags never", () => {
    const merged = mergePolicy(BASE, SMALL, "x");
    expect(mergePolicy(merged, EMPTY, "x")).toBe(
      merged.replace(/ *\/\/ p2p-fleet.*\n.*8770.*\n/, ""),
    );
  });

  it("replaces its rule when the fleet grows, where a rule by hand stands right after it", () => {
    const merged = mergePolicy(BASE, SMALL, "x");
    const hand = '    {"src": ["tag:web"], "dst": ["tag:vast-nodes"], "ip": ["tcp:9100"]},\n';
    const edited = merged.replace("  ],\n}", `${hand}  ],\n}`);
    const grown = fleetOf({ v1: { provider: "vast" }, a1: { provider: "aws" } });
    const again = mergePolicy(edited, { ...policyPart(grown, OPTIONS), ...NO_SSH_TESTS }, "x");
    expect(again).toContain(hand);
    expect(again).toContain("// Operators go everywhere.");
    expect(again.match(/p2p-fleet:/g)).toHaveLength(1);
    expect(again).toContain('"src": ["tag:aws-nodes", "tag:vast-nodes"]');
  });

  it("leaves a text alone that was formatted anew, or lost its comments", () => {
    const merged = mergePolicy(BASE, SMALL, "x");
    const formatted = applyEdits(merged, format(merged, undefined, { tabSize: 8 }));
    expect(formatted).not.toBe(merged);
    expect(mergePolicy(formatted, SMALL, "x")).toBe(formatted);
    const bare = JSON.stringify(parse(merged, [], { allowTrailingComma: true }));
    expect(mergePolicy(bare, SMALL, "x")).toBe(bare);
  });

  it.each([
    ["{", "x:1:2: CloseBraceExpected"],
    ["[]", "x: expected an object"],
    ['{"grants": {}}', "x: the section grants is not an array"],
    ['{"tagOwners": {"tag:vast-nodes": "me"}}', "x: tagOwners.tag:vast-nodes is not an array"],
    ['{"grants": [], "grants": []}', "x:1:16: the section grants stands twice"],
    ['{"Grants": [],\n "grants": []}', "x:2:2: the section grants stands twice"],
    ['{"tagOwners": {"tag:a": [],\n "tag:a": []}}', "x:2:2: tagOwners.tag:a stands twice"],
    ["  \n", 'x is empty; a policy without rules is {"grants": []}'],
  ])("refuses %s", (text, message) => {
    expect(() => mergePolicy(text, SMALL, "x")).toThrow(new PolicyTextError(message));
  });
});

describe("isOurs and foreignPart", () => {
  it("tells our entries from others", () => {
    const merged = mergePolicy(BASE, SMALL, "x");
    expect([isOurs(BASE, "x"), isOurs(merged, "x")]).toEqual([false, true]);
    expect(foreignPart(merged, SMALL, "x")).toBe(foreignPart(BASE, SMALL, "x"));
    expect(JSON.parse(foreignPart(merged, SMALL, "x"))).toEqual({
      groups: { "group:ops": ["ann@example.com"] },
      tagOwners: { "tag:web": ["group:ops"] },
      grants: [{ src: ["group:ops"], dst: ["*"], ip: ["*"] }],
    });
  });
});

describe("strangeOwners", () => {
  it("names who else may give our tags, and where it says so", () => {
    expect(strangeOwners(BASE, SMALL, "base.hujson")).toEqual([
      "base.hujson:6:5: group:ops may give tag:vast-nodes to any device, which the policy then takes for a node of the fleet; that is kept: name them in p2p:tailnet.policy.owners, or take them out there",
    ]);
    expect(strangeOwners('{"tagOwners": {"tag:web": ["group:a"]}}', SMALL, "x")).toEqual([]);
    expect(strangeOwners(mergePolicy("{}", SMALL, "x"), SMALL, "x")).toEqual([]);
  });
});

describe("formatDigest", () => {
  it("sees comments and values, not spacing or commas at an end", () => {
    const digest = formatDigest('{"a": [1, 2], // x\n}');
    expect(formatDigest('{\n  "a": [\n1,2,\n],\n// x\n}')).toBe(digest);
    expect(formatDigest('{ "a":[1,\n2,], // x\n }')).toBe(digest);
    expect(formatDigest('{"a": [1, 2], // y\n}')).not.toBe(digest);
    expect(formatDigest('{"a": [1, 3], // x\n}')).not.toBe(digest);
  });
});

/** Texts of policies as people write them: any spacing, comments anywhere, commas at an end or not. */
const word = fc.constantFrom("group:ops", "tag:web", "*", "autogroup:member", "ann@example.com");
const rule = fc.record({
  src: fc.array(word, { maxLength: 3 }),
  dst: fc.array(word, { maxLength: 3 }),
  ip: fc.array(fc.constantFrom("*", "tcp:22", "8770"), { maxLength: 2 }),
});
const policyValue = fc.record(
  {
    groups: fc.dictionary(word, fc.array(word, { maxLength: 2 }), { maxKeys: 2 }),
    tagOwners: fc.dictionary(
      fc.constantFrom("tag:web", "tag:vast-nodes", "tag:db"),
      fc.array(word, { maxLength: 3 }),
    ),
    grants: fc.array(rule, { maxLength: 4 }),
    ssh: fc.array(rule, { maxLength: 2 }),
    tests: fc.array(fc.record({ src: word, accept: fc.array(word) }), { maxLength: 2 }),
    sshTests: fc.array(rule, { maxLength: 1 }),
    nodeAttrs: fc.array(fc.record({ target: fc.array(word) }), { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const space = fc.constantFrom(
  "",
  " ",
  "\n",
  "\n\t",
  " // a comment\n",
  " /* , ] */ ",
  "\n// {\n  ",
);
const policyText = fc
  .tuple(policyValue, fc.infiniteStream(space), fc.infiniteStream(fc.boolean()))
  .map(([value, spaces, commas]) => {
    const gap = () => spaces.next().value as string;
    const write = (item: unknown): string => {
      if (item === null || typeof item !== "object") return JSON.stringify(item);
      const isList = Array.isArray(item);
      const parts = isList
        ? item.map((one) => `${gap()}${write(one)}${gap()}`)
        : Object.entries(item).map(
            ([key, one]) => `${gap()}${JSON.stringify(key)}${gap()}:${gap()}${write(one)}${gap()}`,
          );
      const end = parts.length > 0 && commas.next().value ? `,${gap()}` : gap();
      return `${isList ? "[" : "{"}${parts.join(",")}${end}${isList ? "]" : "}"}`;
    };
    return `${gap()}${write(value)}${gap()}`;
  });
const part = fc
  .uniqueArray(fc.constantFrom("vast", "runpod", "aws", "hetzner"), { maxLength: 4 })
  .chain((providers) =>
    fc.tuple(fc.constant(providers), fc.boolean(), fc.constantFrom<string[]>([], ["group:ops"])),
  )
  .map(([providers, voter, sshFrom]) =>
    policyPart(
      fleetOf(Object.fromEntries(providers.map((provider) => [provider, { provider, voter }]))),
      { ...OPTIONS, sshFrom },
    ),
  );
const comments = (text: string) =>
  (text.match(/\/\/ a comment|\/\* , \] \*\/|\/\/ \{/g) ?? []).length;
const read = (text: string) => {
  const errors: never[] = [];
  const value = parse(text, errors, { allowTrailingComma: true }) as Record<string, unknown>;
  expect(errors).toEqual([]);
  return value;
};

describe("mergePolicy, whatever the policy", () => {
  it("says what is wanted, keeps what is foreign and its comments, and is the same the second time", () => {
    fc.assert(
      fc.property(policyText, part, (text, wanted) => {
        const merged = mergePolicy(text, wanted, "x");
        const value = read(merged);
        for (const key of ["grants", "ssh", "tests", "sshTests"] as const) {
          const present = ((value[key] ?? []) as unknown[]).map(canonical);
          for (const entry of wanted[key]) expect(present).toContain(canonical(entry.value));
        }
        expect(foreignPart(merged, wanted, "x")).toBe(foreignPart(text, wanted, "x"));
        expect(comments(merged)).toBe(comments(text));
        expect(mergePolicy(merged, wanted, "x")).toBe(merged);
      }),
      { numRuns: 120 },
    );
  });

  it("gets from one fleet's part to another's as if the first had never been there", () => {
    fc.assert(
      fc.property(policyText, part, part, (text, first, second) => {
        const direct = read(mergePolicy(text, { ...second, tagOwners: {} }, "x"));
        const before = mergePolicy(text, { ...first, tagOwners: {} }, "x");
        const moved = read(mergePolicy(before, { ...second, tagOwners: {} }, "x"));
        const lists = (value: Record<string, unknown>) =>
          ["grants", "ssh", "tests", "sshTests"].map((key) =>
            ((value[key] ?? []) as unknown[]).map(canonical).sort(),
          );
        expect(lists(moved)).toEqual(lists(direct));
      }),
      { numRuns: 120 },
    );
  });
});
