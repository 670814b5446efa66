import { type Outcome, type OutcomeKind } from "../../health/outcome";
import { allowed, judge, parseShare } from "../../health/policy";

const outcome = (role: Outcome["role"], kind: OutcomeKind, index = 0): Outcome => ({
  host: `${role}-${kind}-${index}`,
  provider: "unknown",
  role,
  kind,
  detail: "",
  notes: [],
});
const all = { maxUnreachable: "34%", maxFailed: 0 } as const;
const policy = { workers: all, voters: all };

describe("parseShare", () => {
  it.each([
    [0, 0],
    [3, 3],
    ["3", 3],
    ["25%", "25%"],
    ["0%", "0%"],
    ["100%", "100%"],
    ["101%", undefined],
    [-1, undefined],
    [1.5, undefined],
    ["many", undefined],
    [true, undefined],
  ])("%j is %j", (value, expected) => {
    expect(parseShare(value)).toEqual(expected);
  });
});

describe("allowed", () => {
  it.each([
    [2, 100, 2],
    ["25%", 9, 2],
    ["34%", 4, 1],
    ["100%", 4, 4],
    ["50%", 0, 0],
  ] as const)("%s of %d is %d", (share, total, expected) => {
    expect(allowed(share, total)).toBe(expected);
  });
});

describe("judge", () => {
  it("is green when all is well, also with hosts that are not deployed", () => {
    const outcomes = [outcome("voter", "healthy"), outcome("none", "skipped")];
    expect(judge(outcomes, policy)).toEqual({ light: "green", reasons: [] });
  });

  it("is yellow within the policy", () => {
    const outcomes = [
      outcome("worker", "unreachable"),
      outcome("worker", "healthy", 1),
      outcome("worker", "changed", 2),
    ];
    expect(judge(outcomes, policy)).toEqual({
      light: "yellow",
      reasons: ["1 of 3 workers unreachable, 1 allowed (34%)"],
    });
  });

  it("is red beyond it, and counts held, blocked and failed hosts together", () => {
    const outcomes = [
      outcome("worker", "failed"),
      outcome("worker", "held"),
      outcome("worker", "blocked"),
      outcome("voter", "untrusted"),
    ];
    expect(judge(outcomes, policy)).toEqual({
      light: "red",
      reasons: [
        "1 of 1 voters unreachable, 0 allowed (34%)",
        "3 of 3 workers failed, 0 allowed (0)",
      ],
    });
  });
});
