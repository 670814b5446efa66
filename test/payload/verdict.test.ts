import { parseFacts, parseVerdict } from "../../payload/verdict";
import { renderActivate, renderPrepare } from "../../payload/render";
import { factsInOrder } from "./facts";
import { planOf } from "./plans";

const verdict = {
  phase: "activate",
  node: "h4",
  ok: true,
  outcome: "ok",
  steps: [{ name: "port", status: "ok", ms: 3 }],
  notes: [],
  runId: "20261122T031411.000000-7",
  at: "2026-11-22T03:14:11Z",
};
const withChange = (changes: object): string => JSON.stringify({ ...verdict, ...changes });

describe("parseVerdict", () => {
  it("reads the line, whatever a login script printed before it", () => {
    expect(parseVerdict(`Welcome!\n${JSON.stringify(verdict)}\n`)).toEqual({
      ok: true,
      value: verdict,
    });
  });

  it.each(["login> ", "in {1} > ", "\u001b[0m"])(
    "reads it behind what stands on its line: %j",
    (before) => {
      const output = `Welcome!\n${before}${JSON.stringify(verdict)}\r\nBye\n`;
      expect(parseVerdict(output)).toEqual({ ok: true, value: verdict });
    },
  );

  it("removes what could move a terminal's cursor, and cuts what is too long", () => {
    const result = parseVerdict(
      withChange({ error: `\u001b[2Jgone\u0007\u202e${"x".repeat(5000)}` }),
    );
    expect(result.ok && result.value.error).toBe(`[2Jgone${"x".repeat(1193)}`);
  });

  it("drops steps beyond a bound, and unknown keys", () => {
    const steps = Array.from({ length: 200 }, () => verdict.steps[0]);
    const result = parseVerdict(withChange({ steps, planted: "x" }));
    expect(result.ok && result.value.steps.length).toBe(80);
    expect(result.ok && "planted" in result.value).toBe(false);
  });

  it.each([
    ["", "verdict: no JSON in the output"],
    ["Permission denied\n", "verdict: no JSON in the output, which begins with: Permission denied"],
    ["{broken\n", "verdict: not JSON: {broken"],
    [withChange({ ok: "yes" }), "verdict: ok: Invalid input: expected boolean, received string"],
    ["{".repeat(300 * 1024), "verdict: more than 262144 bytes"],
  ])("says what is wrong with %p", (output, error) => {
    expect(parseVerdict(output)).toEqual({ ok: false, error });
  });
});

describe("parseFacts", () => {
  const options = { inventory: null, clusterToken: null };
  const facts = factsInOrder(renderPrepare(planOf(), options), renderActivate(planOf(), options));

  it("gives back facts unchanged", () => {
    expect(parseFacts(JSON.stringify(facts))).toEqual({ ok: true, value: facts });
  });

  it("bounds lists and records of a host that says too much", () => {
    const many = Object.fromEntries(
      Array.from({ length: 999 }, (_, i) => [`m${i}`, "x".repeat(999)]),
    );
    const result = parseFacts(JSON.stringify({ ...facts, missing: many }).slice(0, 1 << 20));
    expect(result).toEqual({ ok: false, error: "facts: more than 262144 bytes" });
    const fewer = Object.fromEntries(Object.entries(many).slice(0, 100));
    const cut = parseFacts(JSON.stringify({ ...facts, missing: fewer }));
    expect(cut.ok && Object.keys(cut.value.missing).length).toBe(64);
    expect(cut.ok && cut.value.missing["m0"]).toBe("x".repeat(300));
  });
});
