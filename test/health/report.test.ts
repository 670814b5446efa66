import { renderMarkdown } from "../../health/markdown";
import { debtsOf, type Outcome, type OutcomeKind } from "../../health/outcome";
import { makeRecap, type RecapInput, retryCommand } from "../../health/report";
import { renderText } from "../../health/text";

const outcomes: Outcome[] = [
  { host: "b", provider: "vast", role: "worker", kind: "healthy", detail: "", notes: [] },
  { host: "a", provider: "vast", role: "worker", kind: "healthy", detail: "", notes: ["slow"] },
  {
    host: "c",
    provider: "hetzner",
    role: "voter",
    kind: "unreachable",
    detail: "unreachable: no answer | <b>",
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
const DAY = "2026-01-02T00:00:00.000Z";
const input: RecapInput = {
  outcomes,
  debts: debtsOf(outcomes, {}, DAY),
  previous: { a: { since: "2026-01-01T08:30:00.000Z", why: "was down" } },
  judgement: { light: "red", reasons: ["1 of 1 voters unreachable"] },
  voters,
};

describe("the recap", () => {
  it("groups hosts with the same outcome, worst first, and tells how to try again", () => {
    expect(makeRecap(input)).toEqual({
      light: "red",
      reasons: ["1 of 1 voters unreachable"],
      voters: { declared: 2, effective: 1, quorum: 2, margin: -1 },
      groups: [
        { kind: "unreachable", detail: "unreachable: no answer | <b>", hosts: ["c"] },
        { kind: "healthy", detail: "", hosts: ["a", "b"] },
        { kind: "skipped", detail: "retired", hosts: ["d"] },
      ],
      providers: [
        { provider: "hetzner", hosts: 1, well: 0 },
        { provider: "vast", hosts: 2, well: 2 },
      ],
      notes: [{ note: "slow", hosts: ["a"] }],
      debts: [{ hosts: ["c"], since: DAY, why: "unreachable: no answer | <b>" }],
      paid: [{ hosts: ["a"], since: "2026-01-01T08:30:00.000Z" }],
      retry: "c",
    });
  });

  it("says nothing to try again, and nothing paid, when all is well", () => {
    const recap = makeRecap({
      ...input,
      outcomes: outcomes.slice(0, 2),
      debts: {},
      previous: {},
      judgement: { light: "green", reasons: [] },
    });
    expect({ retry: recap.retry, paid: recap.paid, command: retryCommand(recap) }).toEqual({
      retry: null,
      paid: [],
      command: null,
    });
  });

  it("does not take a host that nobody reached again for one that has paid", () => {
    const previous = { c: { since: DAY, why: "was down" }, d: { since: DAY, why: "was down" } };
    expect(makeRecap({ ...input, previous }).paid).toEqual([]);
  });
});

describe("the recap as Markdown", () => {
  it("has a table for everything there is", () => {
    expect(renderMarkdown(makeRecap(input))).toBe(`**Fleet: red** (1 of 1 voters unreachable)

Voters: 2 declared, 1 effective, quorum 2, margin -1.

| Outcome | Hosts |  | Detail |
| --- | --- | --- | --- |
| unreachable | 1 | c | unreachable: no answer \\| \\<b\\> |
| healthy | 2 | a, b |  |
| skipped | 1 | d | retired |

| Provider | Nodes | Well |
| --- | --- | --- |
| hetzner | 1 | 0 |
| vast | 2 | 2 |

| Owed by | Since | Why |
| --- | --- | --- |
| c | 2026-01-02T00:00:00.000Z | unreachable: no answer \\| \\<b\\> |

| Paid by | Owed since |
| --- | --- |
| a | 2026-01-01T08:30:00.000Z |

| Note | Hosts |
| --- | --- |
| slow | a |

To try again:

\`\`\`bash
P2P_LIMIT=c pulumi up
\`\`\`
`);
  });
});

describe("the recap on a terminal", () => {
  it("says the same in lines", () => {
    expect(renderText(makeRecap(input), 80)).toBe(`Fleet: red (1 of 1 voters unreachable)
Voters: 2 declared, 1 effective, quorum 2, margin -1
unreachable  1 c
               no answer | <b>
healthy      2 a, b
skipped      1 d
               retired
Owed:
  c since 2026-01-02 00:00 UTC: unreachable: no answer | <b>
Paid:
  a, owed since 2026-01-01 08:30 UTC
Notes:
  a: slow
To try again:
  P2P_LIMIT=c pulumi up
`);
  });

  const KINDS: readonly OutcomeKind[] = ["failed", "held", "unreachable", "changed", "healthy"];
  const letters = (index: number) =>
    [...String(index)].map((digit) => "abcdefghij"[Number(digit)]).join("");
  const FIVE_HUNDRED = Array.from({ length: 500 }, (_, index): Outcome => {
    const kind = KINDS[index % KINDS.length] ?? "healthy";
    const details: Partial<Record<OutcomeKind, string>> = {
      // Every one of them another: the worst that a report can be given.
      failed: `activate: crash loop: the service is restarting; last error: ModuleNotFoundError: No module named 'module_${letters(index)}'`,
      held: "held: canary vast-a100-0 failed",
      unreachable: "unreachable: no answer within 4 s",
      changed: "dependencies, <ai-service>/config/distributed_hosts.yaml, release, service restart",
    };
    return {
      host: `vast-a100-${index}`,
      provider: "vast",
      role: index < 5 ? "voter" : "worker",
      kind,
      detail: details[kind] ?? "",
      notes: index % 7 === 0 ? [`competes for the daemon: unit old-${index}.service`] : [],
    };
  });

  it.each([80, 120])("stays readable at 500 hosts in %d columns", (width) => {
    const debts = debtsOf(FIVE_HUNDRED, {}, DAY);
    const text = renderText(makeRecap({ ...input, outcomes: FIVE_HUNDRED, debts }), width);
    const lines = text.trimEnd().split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    // Two screens, of which one is the summary of what is different on every host.
    expect(lines.length).toBeLessThan(80);
    expect(lines.slice(0, 4)).toEqual([
      "Fleet: red (1 of 1 voters unreachable)",
      "Voters: 2 declared, 1 effective, quorum 2, margin -1",
      "failed       1 vast-a100-0",
      expect.stringContaining("activate: crash loop"),
    ]);
    expect(text).toMatch(
      /94 more, for 94 other reasons: vast-a100-120,\s+vast-a100-125,[^:]*\sand\s+82\s+more\n/,
    );
    expect(text).toContain("and 88 more");
    expect(text).toContain(
      'limit=$(npx fleet outputs --format retry) && P2P_LIMIT="$limit" pulumi up',
    );
  });

  it.each([
    [7, 7, ""],
    [8, 6, "failed  2 more, for 2 other reasons: h6, h7\n"],
  ])("names what is left of %d reasons where that is shorter", (reasons, shown, rest) => {
    const failed = Array.from({ length: reasons }, (_, index): Outcome => {
      const detail = `activate: ${letters(index)} is missing`;
      return {
        host: `h${index}`,
        provider: "vast",
        role: "worker",
        kind: "failed",
        detail,
        notes: [],
      };
    });
    const text = renderText(makeRecap({ ...input, outcomes: failed }), 80);
    expect(text.match(/ is missing\n/g)).toHaveLength(shown);
    expect(/failed +\d+ more.*\n/.exec(text)?.[0] ?? "").toBe(rest);
  });

  it("tells once what differs only in what is each host's own, where there is more than a screen of it", () => {
    const every = (count: number) =>
      Array.from({ length: count }, (_, index): Outcome => {
        const host = `gpu-${index + 10}`;
        return {
          ...{ host, provider: "vast", role: "worker", kind: "blocked" },
          detail: `port 8770: blocked by old.service, pid ${1000 + index} (p2p.py --node-id ${host})`,
          notes: [`competes: process ${index}`],
        };
      });
    const said = (count: number) =>
      renderText(
        makeRecap({
          ...{ ...input, outcomes: every(count), previous: {} },
          debts: Object.fromEntries(
            Array.from({ length: count }, (_, index) => [
              `gpu-${index + 10}`,
              { since: `2026-01-01T08:3${index}:00.000Z`, why: "unreachable: x" },
            ]),
          ),
        }),
        200,
      ).split("\n");
    expect(said(7).slice(2)).toEqual([
      "blocked  7 gpu-10, gpu-11, gpu-12, gpu-13, gpu-14, gpu-15, gpu-16",
      "           port 8770: blocked by old.service, pid 1000 (p2p.py --node-id gpu-10); alike on the others",
      "Owed:",
      "  gpu-10, gpu-11, gpu-12, gpu-13, gpu-14, gpu-15, gpu-16 since 2026-01-01 08:30 UTC or later: unreachable: x",
      "Notes:",
      "  gpu-10, gpu-11, gpu-12, gpu-13, gpu-14, gpu-15, gpu-16: competes: process 0; alike on the others",
      "To try again:",
      "  P2P_LIMIT='*' pulumi up",
      "",
    ]);
    expect(said(6).filter((line) => line.startsWith("blocked"))).toHaveLength(6);
  });

  it("keeps Markdown for a pull request under its 64 KB, whatever 500 hosts say", () => {
    const outcomes = FIVE_HUNDRED.map((outcome, index): Outcome => {
      const detail = `unreachable: the host key has changed: pinned SHA256:${letters(index)}, shown SHA256:x`;
      return { ...outcome, kind: "unreachable", detail };
    });
    const text = renderMarkdown(
      makeRecap({ ...input, outcomes, debts: debtsOf(outcomes, {}, DAY), previous: {} }),
    );
    expect(text.length).toBeLessThan(8_000);
    expect(text).toContain("| unreachable | 500 | vast-a100-0, ");
  });

  it("stays readable as Markdown when 500 hosts say the same", () => {
    const same = FIVE_HUNDRED.map((outcome) => ({
      ...outcome,
      kind: "healthy" as const,
      detail: "",
      notes: [],
    }));
    const text = renderMarkdown(makeRecap({ ...input, outcomes: same, debts: {}, previous: {} }));
    expect(text.split("\n").length).toBeLessThan(15);
    expect(text).toContain("and 488 more");
  });

  it("breaks a word that is longer than the line", () => {
    const detail = `failed: ${"x".repeat(200)}`;
    const one: Outcome = {
      host: "a",
      provider: "p",
      role: "worker",
      kind: "failed",
      detail,
      notes: [],
    };
    const lines = renderText(makeRecap({ ...input, outcomes: [one], debts: {} }), 60).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(lines.join("").split("x").length - 1).toBe(200);
  });
});

describe("debtsOf", () => {
  it("keeps the day since when a host owes, and forgets hosts that are back", () => {
    const previous = {
      c: { since: "2026-01-01T00:00:00.000Z", why: "older words" },
      b: { since: "2025-01-01T00:00:00.000Z", why: "was down" },
    };
    expect(debtsOf(outcomes, previous, DAY)).toEqual({
      c: { since: "2026-01-01T00:00:00.000Z", why: "unreachable: no answer | <b>" },
    });
  });
});
