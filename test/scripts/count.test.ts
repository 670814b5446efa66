import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

type Status = "passed" | "failed" | "pending" | "todo";

/** What `jest --json` writes of one file, as far as it is read. */
const suite = (name: string, tests: Record<string, Status>, status = "passed") => ({
  name,
  status: Object.values(tests).includes("failed") ? "failed" : status,
  assertionResults: Object.entries(tests).map(([fullName, status]) => ({ fullName, status })),
});

describe("the count of a whole run", () => {
  const count = join(__dirname, "..", "..", "scripts", "count.js");
  const folder = mkdtempSync(join(tmpdir(), "count-"));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs the script over the files of some runs. @returns what it printed and its exit code */
  function counted(runs: ReturnType<typeof suite>[][], ...options: string[]) {
    const files = runs.map((testResults, run) => {
      const file = join(folder, `${run}.json`);
      writeFileSync(file, JSON.stringify({ testResults }));
      return file;
    });
    const ran = spawnSync(process.execPath, [count, ...options, ...files], { encoding: "utf8" });
    return { code: ran.status, lines: ran.stdout.trimEnd().split("\n") };
  }

  it("adds up files, and names what failed and what was skipped", () => {
    const first = [
      suite("/a", { "a one": "passed", "a two": "failed" }),
      suite("/b", { "b one": "pending", "b two": "todo" }),
    ];
    expect(counted([first, [suite("/c", { "c one": "passed" })]])).toEqual({
      code: 1,
      lines: ["skipped: b one", "skipped: b two", "failed: a two", "2 passed, 1 failed, 2 skipped"],
    });
    expect(counted([first], "--failed-files")).toEqual({ code: 0, lines: ["/a"] });
  });

  it("takes the later result of a file that was run once more, and says what is flaky", () => {
    const first = [
      suite("/a", { one: "failed", two: "failed", three: "passed" }),
      suite("/b", { four: "passed" }),
    ];
    const again = (two: Status) => [suite("/a", { one: "passed", two, three: "passed" })];
    expect(counted([first, again("failed")])).toEqual({
      code: 1,
      lines: [
        "flaky: one (failed beside others, passed alone: to be mended)",
        "failed: two",
        "3 passed, 1 failed, 0 skipped",
      ],
    });
    expect(counted([first, again("passed")])).toEqual({
      code: 0,
      lines: [
        "flaky: one (failed beside others, passed alone: to be mended)",
        "flaky: two (failed beside others, passed alone: to be mended)",
        "4 passed, 0 failed, 0 skipped",
      ],
    });
  });

  it("counts a file that broke outside its tests as a failure", () => {
    const notLoaded = [suite("/a", {}, "failed"), suite("/b", { two: "passed" }, "failed")];
    expect(counted([notLoaded])).toEqual({
      code: 1,
      lines: ["failed: /a as a whole", "failed: /b as a whole", "1 passed, 2 failed, 0 skipped"],
    });
    expect(counted([notLoaded], "--failed-files").lines).toEqual(["/a", "/b"]);
  });

  it("fails where nothing was counted, and where a run left no results", () => {
    const nothing = { code: 1, lines: ["0 passed, 0 failed, 0 skipped"] };
    expect(counted([[]])).toEqual(nothing);
    expect(counted([], join(folder, "none.json"))).toEqual(nothing);
  });
});
