import { type StepEvent } from "../../../lab/engine/deployment/events";
import { diffReport } from "../../../lab/engine/display/diffReport";
import { Masker } from "../../../lab/engine/display/mask";
import { PlainRenderer } from "../../../lab/engine/display/plain";
import { previewDigest } from "../../../lab/engine/display/previewJson";
import { RunRecord } from "../../../lab/engine/display/record";
import { reportLines } from "../../../lab/engine/display/report";
import { durationLine, summaryLines } from "../../../lab/engine/display/summary";
import { treeLines, TreeRenderer } from "../../../lab/engine/display/tree";
import { diffLines, valueLines } from "../../../lab/engine/display/valueDiff";
import { diffNote } from "../../../lab/engine/display/words";
import { NO_DIFF } from "../../../lab/engine/plan/decision";
import { secret, UNKNOWN } from "../../../lab/wire";

describe("diffLines", () => {
  it.each<[string, Parameters<typeof diffLines>[0], Parameters<typeof diffLines>[1], string[]]>([
    ["nothing", { a: 1 }, { a: 1 }, []],
    ["keys of providers", { __a: 1 }, {}, []],
    ["scalars", { a: "x", b: 1 }, { a: "y", c: true }, ['~ a: "x" => "y"', "- b: 1", "+ c: true"]],
    ["what is not known yet", { a: "x" }, { a: UNKNOWN }, ['~ a: "x" => [unknown]']],
    [
      "secrets, blinded as a whole",
      { a: secret("x") },
      { a: secret("y") },
      ["~ a: [secret] => [secret]"],
    ],
    [
      "a secret inside",
      { a: { b: secret("x") } },
      { a: { b: secret("y") } },
      ["~ a: {", "    ~ b: [secret] => [secret]", "  }"],
    ],
    [
      "lists",
      { a: [1, 2] },
      { a: [1, 3, 4] },
      ["~ a: [", "    ~ [1]: 2 => 3", "    + [2]: 4", "  ]"],
    ],
    [
      "text that holds JSON",
      { stdin: '{"drift":"none","want":{"v":1}}' },
      { stdin: '{"drift":"stopped","want":{"v":1}}' },
      ["~ stdin: (json) {", '    ~ drift: "none" => "stopped"', "  }"],
    ],
    [
      "a nonce as key",
      { stdin: '{"drift":{"t1":{"service":"stopped"}}}' },
      { stdin: '{"drift":{"t2":{"service":"failed"}}}' },
      [
        "~ stdin: (json) {",
        "    ~ drift: {",
        "        - t1: {",
        '            service: "stopped"',
        "          }",
        "        + t2: {",
        '            service: "failed"',
        "          }",
        "      }",
        "  }",
      ],
    ],
    [
      "text line by line",
      { a: "one\ntwo\nthree" },
      { a: "one\n2\nthree" },
      ["~ a:", "      one", "    - two", "    + 2", "      three"],
    ],
    ["equal but for secrecy", { a: "x" }, { a: secret("x") }, ['~ a: "x" => [secret]']],
  ])("%s", (_, olds, news, expected) => {
    expect(diffLines(olds, news, 0)).toEqual(expected);
  });
});

describe("valueLines", () => {
  it("shows nested values and no secret", () => {
    const map = { list: [1, secret("x")], empty: {}, text: "a\nb", json: '{"a":[]}' };
    expect(valueLines(map, "+", 2)).toEqual([
      "  + empty: {}",
      "  + json : (json) {",
      "      a: []",
      "    }",
      "  + list : [",
      "      [0]: 1",
      "      [1]: [secret]",
      "    ]",
      "  + text : ",
      "      a",
      "      b",
    ]);
  });
});

describe("Masker", () => {
  it("replaces secrets as they are, in JSON, and line by line", () => {
    const masker = new Masker();
    const key = "-----BEGIN KEY-----\nabcdefghijklmnop\n-----END KEY-----";
    masker.learn({
      a: [secret('pass"word')],
      b: secret({ inner: "deep-secret" }),
      c: secret(key),
      d: "open",
    });
    expect(masker.mask('x pass"word y pass\\"word z deep-secret open')).toBe(
      "x [secret] y [secret] z [secret] open",
    );
    expect(masker.mask("bad line: abcdefghijklmnop")).toBe("bad line: [secret]");
  });

  it("knows the parts of a secret that is JSON, and leaves a text without secrets alone", () => {
    const masker = new Masker();
    masker.learnText('{"token":"tskey-0123456789","mode":"a"}');
    expect(masker.mask("failed with tskey-0123456789 in mode a")).toBe(
      "failed with [secret] in mode a",
    );
    expect(new Masker().mask("nothing")).toBe("nothing");
  });
});

describe("summaryLines", () => {
  it.each([
    [{ create: 2, same: 1 }, true, ["Resources:", "    + 2 to create", "    1 unchanged"]],
    [
      { create: 1, update: 2, replace: 1, delete: 1, same: 3 },
      false,
      [
        "Resources:",
        "    + 1 created",
        "    ~ 2 updated",
        "    - 1 deleted",
        "    +-1 replaced",
        "    5 changes. 3 unchanged",
      ],
    ],
    [{}, false, []],
  ])("%j, preview: %s", (counts, isPreview, expected) => {
    expect(summaryLines(counts, isPreview)).toEqual(expected);
  });

  it.each([
    [10, "Duration: 1s"],
    [61_000, "Duration: 1m1s"],
  ])("%d ms: %s", (milliseconds, expected) => {
    expect(durationLine(milliseconds)).toBe(expected);
  });
});

const stackUrn = "urn:pulumi:s::p::pulumi:pulumi:Stack::p-s";
const urn = "urn:pulumi:s::p::t:i:T::thing";

function update(): StepEvent {
  const state = { urn, custom: true, type: "t:i:T", parent: stackUrn, id: "1" };
  return {
    op: "update",
    urn,
    old: { ...state, inputs: { a: secret("old-secret") } },
    next: { ...state, inputs: { a: secret("new-secret"), b: 1 } },
    diff: {
      ...NO_DIFF,
      changes: "some",
      changedKeys: ["a", "b"],
      detailed: { a: { kind: "update", inputDiff: true }, b: { kind: "add", inputDiff: true } },
    },
  };
}

describe("a run record", () => {
  it("masks every text, shows each diagnostic under its resource, and counts", () => {
    const lines: string[] = [];
    const record = new RunRecord(
      new Masker(),
      new PlainRenderer((line) => lines.push(line), false),
      0,
    );
    const step = update();
    record.stepStarted(step);
    record.diagnostic({ severity: "error", urn, message: "cannot use new-secret\nat all\n" });
    record.diagnostic({ severity: "warning", message: "about the run" });
    record.diagnostic({ severity: "info", urn, message: "streamed old-secret", isStream: true });
    record.stepEnded(step, "done", step.next);
    record.stackOutputs({ x: 1 }, { x: 2, y: "same" });
    expect(lines).toEqual([
      " ~  t:i:T thing updating [diff: ~a,+b]",
      "    t:i:T thing error: cannot use [secret]",
      "    t:i:T thing error: at all",
      "    warning: about the run",
      "    t:i:T thing streamed [secret]",
      expect.stringMatching(/^ ~ {2}t:i:T thing updated \(\d+\.\d\ds\)$/),
    ]);
    expect(reportLines(record, { isPreview: false, suppressOutputs: false, now: 2000 })).toEqual([
      "Diagnostics:",
      "  t:i:T thing:",
      "    error: cannot use [secret]",
      "    at all",
      "  pulumi:pulumi:Stack:",
      "    warning: about the run",
      "",
      "Outputs:",
      "  ~ x: 1 => 2",
      '  + y: "same"',
      "",
      "Resources:",
      "    ~ 1 updated",
      "",
      "Duration: 2s",
      "",
    ]);
  });

  it("is the CLI's digest as JSON", () => {
    const record = new RunRecord(new Masker(), new PlainRenderer(() => undefined, true), 0);
    const step = update();
    record.stepStarted(step);
    record.stepEnded(step, "done", step.next);
    const config = { values: { "p:a": "1", "p:token": "hidden-token" }, secretKeys: ["p:token"] };
    const state = { urn, custom: true, id: "1", type: "t:i:T", parent: stackUrn };
    expect(JSON.parse(previewDigest(record, config, 5))).toEqual({
      config: { "p:a": "1", "p:token": "[secret]" },
      steps: [
        {
          op: "update",
          urn,
          oldState: { ...state, inputs: { a: "[secret]" } },
          newState: { ...state, inputs: { a: "[secret]", b: 1 } },
          diffReasons: ["a", "b"],
          detailedDiff: {
            a: { kind: "update", inputDiff: true },
            b: { kind: "add", inputDiff: true },
          },
        },
      ],
      duration: 5_000_000,
      changeSummary: { update: 1 },
    });
  });

  it("leaves out the providers that the engine makes itself", () => {
    const lines: string[] = [];
    const record = new RunRecord(
      new Masker(),
      new PlainRenderer((line) => lines.push(line), false),
    );
    const step: StepEvent = {
      op: "create",
      urn: "urn:pulumi:s::p::pulumi:providers:t::default_1_0_0",
    };
    record.stepStarted(step);
    record.stepEnded(step, "done");
    expect([lines, record.steps, record.counts]).toEqual([[], [], {}]);
  });
});

describe("diffNote", () => {
  it.each([
    [{ ...NO_DIFF, changedKeys: ["a"] }, " [diff: ~a]"],
    [
      {
        ...NO_DIFF,
        detailed: {
          "a.b": { kind: "add" as const, inputDiff: true },
          c: { kind: "delete" as const, inputDiff: true },
        },
      },
      " [diff: ~a,-c]",
    ],
    [NO_DIFF, ""],
  ])("%j", (diff, expected) => {
    expect(diffNote({ op: "update", urn, diff })).toBe(expected);
  });
});

describe("the tree", () => {
  const row = (name: string, parent?: string) => ({
    urn: `urn:pulumi:s::p::t:i:T::${name}`,
    parent: parent && `urn:pulumi:s::p::t:i:T::${parent}`,
    sign: "+ ",
    status: "created",
    info: "",
    startedAt: 0,
    isRunning: false,
  });

  it("puts children under their parents", () => {
    const rows = [
      row("a"),
      row("b", "a"),
      row("d"),
      row("c", "a"),
      row("e", "b"),
      row("f", "elsewhere"),
    ];
    expect(treeLines(rows, 0, "*")).toEqual([
      " +   t:i:T  a  created",
      " +   ├─ t:i:T  b  created",
      " +   │  └─ t:i:T  e  created",
      " +   └─ t:i:T  c  created",
      " +   t:i:T  d  created",
      " +   t:i:T  f  created",
    ]);
  });

  it("shows how long a step has been running", () => {
    const running = { ...row("a"), status: "creating", isRunning: true, info: "note" };
    expect(treeLines([running], 3000, "*")).toEqual([" +   t:i:T  a  creating * 3s  note"]);
  });

  it("draws over its last frame and never beyond the screen", () => {
    const written: string[] = [];
    const terminal = { write: (text: string) => written.push(text) > 0, columns: 20, rows: 24 };
    const renderer = new TreeRenderer(terminal as never, false, () => 0);
    const step = update();
    renderer.stepStarted(step);
    renderer.stepEnded({ ...step, op: "same" }, "done", 0);
    renderer.stepEnded(step, "failed", 1500);
    renderer.close();
    const [frame = ""] = written.slice(-1);
    expect(frame).toBe(" ~   t:i:T  thing  …\n    1 unchanged\n");
  });
});

describe("diffReport", () => {
  it("shows what changes, each resource under those of its ancestors that are shown", () => {
    const stack = { urn: stackUrn, custom: false, type: "pulumi:pulumi:Stack" };
    const hidden = { urn: "urn:h", custom: false, type: "h", parent: stackUrn };
    const steps: StepEvent[] = [
      { op: "same", urn: stackUrn, old: stack, next: stack },
      { op: "same", urn: hidden.urn, old: hidden, next: hidden },
      { ...update(), provider: "urn:p::1" },
      {
        op: "delete",
        urn: `${urn}-2`,
        old: { urn, custom: true, type: "t:i:T", parent: urn, inputs: { a: 1 } },
      },
    ];
    expect(diffReport(steps)).toEqual([
      "  pulumi:pulumi:Stack: (same)",
      `    [urn=${stackUrn}]`,
      "    ~ t:i:T: (update)",
      "        [id=1]",
      `        [urn=${urn}]`,
      "        [provider=urn:p::1]",
      "      ~ a: [secret] => [secret]",
      "      + b: 1",
      "        - t:i:T: (delete)",
      `            [urn=${urn}-2]`,
      "          - a: 1",
    ]);
  });
});

describe("Masker with secrets that share a beginning", () => {
  it("takes the longest that fits, short ones too", () => {
    const masker = new Masker();
    for (const text of ["abcdefgh", "abcdefghij", "abcdefghijkl", "abc", "abcd"])
      masker.learnText(text);
    expect(masker.mask("abcdefghijX abcdefghX abcdX abcX abX")).toBe(
      "[secret]X [secret]X [secret]X [secret]X abX",
    );
    expect(masker.mask("xabcdefghijklmno")).toBe("x[secret]mno");
  });

  it("does not look for secrets in its own masks", () => {
    const masker = new Masker();
    masker.learnText("secret");
    masker.learnText("first-one");
    expect(masker.mask("first-one secret")).toBe("[secret] [secret]");
  });
});
