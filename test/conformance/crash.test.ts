import pLimit from "p-limit";
import * as fs from "node:fs";
import * as path from "node:path";

import { embeddedCli, type Finished, Project } from "./engine";
import { processesOf, type RunProcess, waitUntilGone } from "./processes";
import { everyObject, existingObjects, readJournal } from "./provider/cloud";
import { randomNumbers } from "./random";
import { normaliseState } from "./state";

const timeout = 600_000;
/** How long processes may take to notice that their engine is gone, in milliseconds. */
const noticed = 300_000;
const up = ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test"];
const kills = Number(process.env["CONFORMANCE_KILLS"] ?? 6);
const seed = Number(process.env["CONFORMANCE_SEED"] ?? Date.now() % 1_000_000);

/** Where the engine kills itself: PULUMI_ENGINE_CRASH_AT=<boundary>:<n>[:<method>]. */
const boundaries = [
  "before-call:1:update",
  "after-call:1:update",
  "before-call:1:create",
  "after-call:1:create",
  "after-call:2:create",
  "after-call:3:create",
  "before-call:1:delete",
  "after-call:1:delete",
  "after-call:3:delete",
  "before-save:1",
  "after-save:1",
  "before-save:4",
  "after-save:4",
];

/** A project in which the program's first step is up, with its state and its cloud. */
async function prepare(): Promise<Project> {
  const project = new Project("embedded", "../shared/crash.js");
  project.configure({ step: "1" });
  await project.createStack();
  const done = await project.run(up);
  if (done.exitCode !== 0) throw new Error(done.stdout + done.stderr);
  return project;
}

function copyOf(prepared: Project): Project {
  const project = new Project("embedded", "../shared/crash.js");
  fs.cpSync(prepared.cloud, project.cloud, { recursive: true });
  fs.cpSync(prepared.backend, project.backend, { recursive: true });
  project.configure({ step: "2" });
  return project;
}

/** The next run; where the killed one's lock is in the way, it says so and `cancel` frees it. */
async function runAfterKill(project: Project): Promise<Finished> {
  const next = await project.run(up);
  if (!next.stderr.includes("the lock is stale")) return next;
  await project.run(["cancel", "--yes", "--stack", "test"]);
  return project.run(up);
}

/** Everything wrong after a crash and the runs that followed it; empty when all is well. */
async function troubleAfter(project: Project, crashed: string): Promise<string[]> {
  const trouble: string[] = [];
  const left = await waitUntilGone(project.cloud, noticed);
  trouble.push(...left.map(({ kind, pid }) => `orphan: ${kind} ${pid}`));

  const next = await runAfterKill(project);
  if (next.exitCode !== 0) trouble.push(`next run: ${next.exitCode}\n${next.stdout}${next.stderr}`);
  const before = readJournal(project.cloud).length;
  const check = ["preview", "--expect-no-changes", "--non-interactive", "--stack", "test"];
  const settled = await project.run(check);
  if (settled.exitCode !== 0) trouble.push(`not settled: ${settled.stdout}${settled.stderr}`);
  const exported = await project.run(["stack", "export", "--stack", "test"]);
  if (exported.exitCode !== 0)
    return [...trouble, `no state: ${exported.stdout}${exported.stderr}`];

  const made = everyObject(project.cloud).join();
  if (made !== "dropped-1,first-1,made-1,second-1,second-2,third-1,third-2") {
    trouble.push(`ever made: ${made}`);
  }
  if (
    readJournal(project.cloud)
      .slice(before)
      .some((entry) => entry.phase === "done")
  ) {
    trouble.push("the settled run changed something");
  }
  const objects = existingObjects(project.cloud);
  if (objects.join() !== "first-1,made-1,second-2,third-2")
    trouble.push(`exist: ${objects.join()}`);
  const state = normaliseState(exported.stdout);
  const ids = state.resources.flatMap(({ type, id }) => (type === "conf:index:Thing" ? [id] : []));
  if (ids.sort().join() !== objects.join()) trouble.push(`state: ${ids.join()}`);
  if (state.pending.length > 0) trouble.push(`pending: ${JSON.stringify(state.pending)}`);
  const texts = [crashed, next.stdout, next.stderr, settled.stdout, exported.stdout].join("\n");
  if (texts.includes("planted-")) trouble.push("a secret was shown");
  const files = fs.readdirSync(project.backend, { recursive: true, encoding: "utf8" });
  for (const file of files) {
    const name = path.join(project.backend, file);
    if (fs.statSync(name).isDirectory()) continue;
    if (fs.readFileSync(name, "utf8").includes("planted-")) trouble.push(`a secret is in ${file}`);
    if ((fs.statSync(name).mode & 0o077) !== 0) trouble.push(`others may read ${file}`);
  }
  return trouble;
}

/** Runs the second step; `during` may kill something. */
async function crash(
  project: Project,
  environment: Record<string, string>,
  during: () => Promise<void> = async () => undefined,
): Promise<{ signal: NodeJS.Signals | null; text: string }> {
  const child = project.start(up, environment);
  let text = "";
  child.stdout.on("data", (data: Buffer) => (text += data.toString("utf8")));
  child.stderr.on("data", (data: Buffer) => (text += data.toString("utf8")));
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    // Not "close": an orphan would hold the pipes open, and it is looked for afterwards.
    child.on("exit", (_code, signal) => resolve(signal));
  });
  await during();
  const signal = await ended;
  child.stdout.destroy();
  child.stderr.destroy();
  return { signal, text };
}

function killIfThere({ pid }: RunProcess): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

if (fs.existsSync(embeddedCli)) {
  describe("the embedded engine is killed", () => {
    let prepared: Project;
    const limit = pLimit(2);
    const runs = new Map<string, Promise<string[]>>();
    const random = randomNumbers(seed);
    const moments = Array.from(
      { length: kills },
      (_, index): [string, RunProcess["kind"], number] => {
        const kind = (["engine", "program", "provider"] as const)[index % 3] ?? "engine";
        const part = Math.floor(15 + random() * 85) / 100;
        return [`the ${kind} after ${part} of a run`, kind, part];
      },
    );

    function start(name: string, run: (project: Project) => Promise<string[]>): void {
      const running = limit(async () => {
        const project = copyOf(prepared);
        try {
          return await run(project);
        } finally {
          project.remove();
        }
      });
      running.catch(() => undefined);
      runs.set(name, running);
    }

    beforeAll(async () => {
      const begun = Date.now();
      prepared = await prepare();
      // A whole run's time on this machine, at this load.
      const duration = Date.now() - begun;
      for (const boundary of boundaries) {
        start(boundary, async (project) => {
          const { signal, text } = await crash(project, { PULUMI_ENGINE_CRASH_AT: boundary });
          const reached = signal === "SIGKILL" ? [] : ["the boundary was not reached"];
          return [...reached, ...(await troubleAfter(project, text))];
        });
      }
      for (const [name, kind, part] of moments) {
        start(name, async (project) => {
          const { text } = await crash(project, {}, async () => {
            await new Promise((resolve) => setTimeout(resolve, part * duration));
            processesOf(project.cloud)
              .filter((one) => one.kind === kind)
              .forEach(killIfThere);
          });
          return troubleAfter(project, text);
        });
      }
    }, timeout);

    afterAll(() => prepared.remove());

    it.each(boundaries)(
      "at %s, and the next run makes it good",
      async (boundary) => {
        expect(await runs.get(boundary)).toEqual([]);
      },
      timeout,
    );

    it.each(moments)(
      `%s (seed ${seed}), and the next run makes it good`,
      async (name) => {
        expect(await runs.get(name)).toEqual([]);
      },
      timeout,
    );
  });
}
