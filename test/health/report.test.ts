import { debtsOf, type Outcome } from "../../health/outcome";
import { makeRecap, renderMarkdown } from "../../health/report";

const outcomes: Outcome[] = [
  { host: "b", provider: "vast", role: "worker", kind: "healthy", detail: "", notes: [] },
  { host: "a", provider: "vast", role: "worker", kind: "healthy", detail: "", notes: ["slow"] },
  {
    host: "c",
    provider: "hetzner",
    role: "voter",
    kind: "unreachable",
    detail: "no answer | <b>",
    notes: [],
  },
  { host: "d", provider: "aws", role: "none", kind: "skipped", detail: "retired", notes: [] },
];
const voters = {
  declared: ["c", "x"],
  effective: ["c"],
  rejected: [{ node: "x", reason: "no such host" }],
  quorum: 2,
  margin: -1,
};

describe("the report", () => {
  it("groups hosts with the same outcome, worst first, and tells how to try again", () => {
    const debts = debtsOf(outcomes, {}, "2026-01-02T00:00:00.000Z");
    const judgement = { light: "red" as const, reasons: ["1 of 1 voters unreachable"] };
    const recap = makeRecap(outcomes, debts, judgement);
    expect(recap).toEqual({
      light: "red",
      reasons: ["1 of 1 voters unreachable"],
      groups: [
        { kind: "unreachable", detail: "no answer | <b>", hosts: ["c"] },
        { kind: "healthy", detail: "", hosts: ["a", "b"] },
        { kind: "skipped", detail: "retired", hosts: ["d"] },
      ],
      providers: [
        { provider: "hetzner", hosts: 1, well: 0 },
        { provider: "vast", hosts: 2, well: 2 },
      ],
      notes: [{ note: "slow", hosts: ["a"] }],
      debts: [{ host: "c", since: "2026-01-02T00:00:00.000Z", why: "no answer | <b>" }],
      retry: "c",
    });
    expect(renderMarkdown(recap, voters)).toBe(`**Fleet: red** (1 of 1 voters unreachable)

Voters: 2 declared, 1 effective, quorum 2, margin -1.

| Outcome | Hosts |  | Detail |
| --- | --- | --- | --- |
| unreachable | 1 | c | no answer \\| \\<b\\> |
| healthy | 2 | a, b |  |
| skipped | 1 | d | retired |

| Provider | Nodes | Well |
| --- | --- | --- |
| hetzner | 1 | 0 |
| vast | 2 | 2 |

| Owed by | Since | Why |
| --- | --- | --- |
| c | 2026-01-02T00:00:00.000Z | no answer \\| \\<b\\> |

| Note | Hosts |
| --- | --- |
| slow | a |

To try again: \`P2P_LIMIT=c pulumi up\`
`);
  });

  it("says nothing to try again when all is well", () => {
    const recap = makeRecap(outcomes.slice(0, 2), {}, { light: "green", reasons: [] });
    expect(recap.retry).toBeNull();
  });

  it("stays readable at 500 hosts", () => {
    const many = Array.from({ length: 500 }, (_, index) => ({
      ...(outcomes[0] as Outcome),
      host: `host-${index}`,
    }));
    const text = renderMarkdown(makeRecap(many, {}, { light: "green", reasons: [] }), voters);
    expect(text.split("\n").length).toBeLessThan(15);
    expect(text).toContain("and 488 more");
  });
});

describe("debtsOf", () => {
  it("keeps the day since when a host owes, and forgets hosts that are back", () => {
    const previous = {
      c: { since: "2026-01-01T00:00:00.000Z", why: "older words" },
      b: { since: "2025-01-01T00:00:00.000Z", why: "was down" },
    };
    expect(debtsOf(outcomes, previous, "2026-01-02T00:00:00.000Z")).toEqual({
      c: { since: "2026-01-01T00:00:00.000Z", why: "no answer | <b>" },
    });
  });
});
