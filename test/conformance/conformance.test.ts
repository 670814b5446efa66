import pLimit from "p-limit";
import * as fs from "node:fs";

import { allowDifferences } from "./differences";
import { embeddedCli, type EngineName, realCliFolder } from "./engine";
import { goldenNames, readGolden, writeGolden } from "./golden";
import { observe, type Run } from "./observe";
import { loadPrograms, type ProgramFile } from "./program";

/** Wall-clock bound of one program; generous, because a busy machine is no failure. */
const timeout = 600_000;
const isRecording = process.env["CONFORMANCE_RECORD"] !== undefined;
const only = process.env["CONFORMANCE_ONLY"]?.split(",");
const all = loadPrograms();
const programs = all.filter(({ name }) => only === undefined || only.includes(name));
const hasRealCli = realCliFolder() !== undefined;

/** Starts every program, two at a time, and hands each out to the test that judges it. */
function runAll(engine: EngineName): Map<string, Promise<Run>> {
  const limit = pLimit(2);
  return new Map(
    programs.map((program) => {
      const run = limit(() => observe(engine, program));
      // Its own test reports a failure; until then it is nobody's unhandled rejection.
      run.catch(() => undefined);
      return [program.name, run];
    }),
  );
}

const table = programs.map((program): [string, ProgramFile] => [program.name, program]);

describe("the recordings", () => {
  it("are one per program", () => {
    if (isRecording) return;
    expect(goldenNames()).toEqual(all.map(({ name }) => name).sort());
  });
});

if (hasRealCli && process.env["CONFORMANCE_REAL"] !== "0") {
  describe("the real CLI", () => {
    let runs = new Map<string, Promise<Run>>();
    beforeAll(() => {
      runs = runAll("real");
    });

    it.each(table)(
      isRecording ? "%s is recorded" : "%s is as recorded",
      async (name, program) => {
        const run = await runs.get(name);
        const observations = run?.observations ?? [];
        const seen = JSON.parse(JSON.stringify(observations)) as typeof observations;
        expect(seen.flatMap(({ texts }) => texts)).toEqual([]);
        const printed = run?.printed ?? [];
        expect(printed.filter((text) => text.includes("exited prematurely"))).toEqual([]);
        if (!isRecording) return expect(seen).toEqual(readGolden(name).observations);
        const recorded = process.env["CONFORMANCE_RECORD"] ?? "";
        writeGolden(name, { recorded, about: program.about, observations: seen });
      },
      timeout,
    );
  });
}

if (!isRecording && fs.existsSync(embeddedCli)) {
  describe("the embedded engine", () => {
    let runs = new Map<string, Promise<Run>>();
    beforeAll(() => {
      runs = runAll("embedded");
    });

    it.each(table)(
      "%s is as with the real CLI",
      async (name) => {
        const run = await runs.get(name);
        const seen = JSON.parse(JSON.stringify(run?.observations)) as Run["observations"];
        const { expected, actual } = allowDifferences(readGolden(name).observations, seen);
        expect(actual).toEqual(expected);
        expect((run?.printed ?? []).filter((text) => text.includes("planted-"))).toEqual([]);
      },
      timeout,
    );
  });
}
