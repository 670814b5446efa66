import { type EngineName, type Finished, Project } from "./engine";
import { normalisePreview, type PreviewSummary } from "./preview";
import { type ProgramFile, type Step } from "./program";
import { Cloud, existingObjects, type JournalEntry, readJournal } from "./provider/cloud";
import { Sshd } from "./sshd";
import { normaliseState, type State } from "./state";

/** Everything compared about one step. */
export interface Observation {
  readonly command: string;
  readonly exitCode: number;
  /** Operations planned; of `preview` only. */
  readonly preview?: PreviewSummary;
  /** What was printed, of `outputs` only. */
  readonly outputs?: unknown;
  /** Calls that changed something, in their order, or sorted where the program leaves the order open. */
  readonly changes: string[];
  /** Every call the provider got, per resource, with what it was given. */
  readonly calls: Record<string, unknown[]>;
  /** What exists in the fake cloud afterwards. */
  readonly objects: string[];
  readonly state: State;
  /** Expected texts that were missing, and unwanted ones that were there. */
  readonly texts: string[];
}

/** A program's observations, and everything it printed or kept, to look for planted secrets. */
export interface Run {
  readonly observations: Observation[];
  readonly printed: string[];
}

function argvOf(step: Step): string[] {
  const stack = ["--stack", "test", "--non-interactive"];
  switch (step.run) {
    case "up":
      return ["up", "--yes", ...stack, ...(step.args ?? ["--skip-preview"])];
    case "preview":
      return ["preview", "--json", ...stack, ...(step.args ?? [])];
    case "destroy":
      return ["destroy", "--yes", "--skip-preview", ...stack, ...(step.args ?? [])];
    case "outputs":
      return ["stack", "output", "--json", "--stack", "test", ...(step.args ?? [])];
  }
}

function changesOf(entries: readonly JournalEntry[], ordered: boolean): string[] {
  const ends = entries.filter((entry) => entry.phase !== "begin");
  const lines = ends.map(
    (entry) =>
      `${entry.call} ${entry.name}${entry.phase === "failed" ? " failed" : ` → ${entry.id}`}`,
  );
  return ordered ? lines : lines.sort();
}

function distinct(values: readonly unknown[]): unknown[] {
  const texts = new Set(values.map((value) => JSON.stringify(value)));
  return [...texts].sort().map((text) => JSON.parse(text) as unknown);
}

function callsOf(entries: readonly JournalEntry[]): Record<string, unknown[]> {
  const calls: Record<string, unknown[]> = {};
  for (const { phase, name, ...entry } of entries) {
    if (phase === "begin") (calls[name] ??= []).push(entry);
  }
  // Several providers are configured at once, and a program that waits may have them configured again.
  if (calls["provider"]) calls["provider"] = distinct(calls["provider"]);
  return Object.fromEntries(Object.entries(calls).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function textsOf(step: Step, { stdout, stderr }: Finished): string[] {
  const text = stdout + stderr;
  const missing = (step.says ?? []).filter((part) => !text.includes(part));
  const unwanted = (step.saysNot ?? []).filter((part) => text.includes(part));
  return [
    ...missing.map((part) => `missing: ${part}`),
    ...unwanted.map((part) => `unwanted: ${part}`),
  ];
}

async function observeStep(project: Project, program: ProgramFile, step: Step) {
  const before = readJournal(project.cloud).length;
  const finished = await project.run(argvOf(step), program.environment);
  const entries = readJournal(project.cloud).slice(before);
  const exported = await project.run(["stack", "export", "--stack", "test"]);
  const observation: Observation = {
    command: [step.run, ...(step.args ?? [])].join(" "),
    exitCode: finished.exitCode,
    ...(step.run === "preview" ? { preview: normalisePreview(finished.stdout) } : {}),
    ...(step.run === "outputs" ? { outputs: JSON.parse(finished.stdout) as unknown } : {}),
    changes: changesOf(entries, program.ordered ?? false),
    calls: callsOf(entries),
    objects: existingObjects(project.cloud),
    state: normaliseState(exported.stdout),
    texts: textsOf(step, finished),
  };
  return { observation, printed: [finished.stdout, finished.stderr, exported.stdout] };
}

/** Ports and the random ends of remote.Command's ids differ from run to run, wherever they got to. */
function withoutChance(run: Run, port: number | undefined): Run {
  if (port === undefined) return run;
  const text = JSON.stringify(run.observations)
    .replaceAll(new RegExp(`\\b${port}\\b`, "g"), "8022")
    .replaceAll(/\b(first|hidden)[0-9a-f]{8}\b/g, "$1<random>");
  return { ...run, observations: JSON.parse(text) as Observation[] };
}

/** Runs a program's steps, one after the other, in a project of its own. */
export async function observe(engine: EngineName, program: ProgramFile): Promise<Run> {
  const project = new Project(engine, program.source ?? `${program.name}.js`);
  const sshd = program.sshd ? await Sshd.start(new Cloud(project.cloud)) : undefined;
  const observations: Observation[] = [];
  const printed: string[] = [];
  let config: Record<string, string> = { step: "1", ...program.config };
  if (sshd) config["port"] = String(sshd.port);
  try {
    project.configure(config);
    await project.createStack();
    for (const step of program.steps) {
      config = { ...config, ...step.config };
      if (step.step !== undefined) config["step"] = String(step.step);
      project.configure(config);
      const seen = await observeStep(project, program, step);
      observations.push(seen.observation);
      printed.push(...seen.printed);
    }
  } finally {
    await sshd?.stop();
    if (process.env["CONFORMANCE_KEEP"] === undefined) project.remove();
  }
  return withoutChance({ observations, printed }, sshd?.port);
}
