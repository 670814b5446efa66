import * as fs from "node:fs";
import * as path from "node:path";

import { embeddedCli, type EngineName, Project, realCliFolder } from "./engine";
import { formatJson } from "./format";
import { existingObjects, readJournal } from "./provider/cloud";
import { type Json, normaliseState } from "./state";

const timeout = 300_000;
const hasRealCli = realCliFolder() !== undefined && process.env["CONFORMANCE_REAL"] !== "0";
const isRecording = process.env["CONFORMANCE_RECORD"] !== undefined;
const recording = path.join(__dirname, "golden", "state", "mixed.json");
const stack = ["--stack", "test"];

/** A state as exported, and the fake cloud that belongs to it. */
interface Handover {
  readonly state: Json;
  readonly objects: Record<string, unknown>;
}

function newProject(engine: EngineName): Project {
  const project = new Project(engine, "../shared/mixed.js");
  project.configure({ step: "1" });
  return project;
}

function changes(project: Project): string[] {
  const ends = readJournal(project.cloud).filter((entry) => entry.phase !== "begin");
  return ends.map((entry) => `${entry.call} ${entry.name} ${entry.phase}`).sort();
}

async function succeed(project: Project, argv: string[], exitCode = 0): Promise<string> {
  const done = await project.run(argv);
  if (done.exitCode !== exitCode) {
    throw new Error(`${argv.join(" ")}: exit code ${done.exitCode}\n${done.stdout}${done.stderr}`);
  }
  return done.stdout;
}

/** Brings the program up on one engine and takes everything from there. */
async function makeWith(engine: EngineName): Promise<Handover> {
  const project = newProject(engine);
  try {
    await project.createStack();
    await succeed(project, ["up", "--yes", "--skip-preview", ...stack]);
    // The reference to the own stack reads what the run before stored, so it settles with the second.
    await succeed(project, ["up", "--yes", "--skip-preview", ...stack]);
    const exported = await succeed(project, ["stack", "export", ...stack]);
    expect(exported).not.toContain("planted-");
    return { state: JSON.parse(exported) as Json, objects: readObjects(project) };
  } finally {
    project.remove();
  }
}

function readObjects(project: Project): Record<string, unknown> {
  const folder = path.join(project.cloud, "objects");
  const entries = fs.readdirSync(folder).map((file) => {
    const text = fs.readFileSync(path.join(folder, file), "utf8");
    return [file, text === "" ? "" : (JSON.parse(text) as unknown)];
  });
  return Object.fromEntries(entries) as Record<string, unknown>;
}

function writeObjects(project: Project, objects: Record<string, unknown>): void {
  const folder = path.join(project.cloud, "objects");
  fs.mkdirSync(folder, { recursive: true });
  for (const [file, object] of Object.entries(objects)) {
    fs.writeFileSync(path.join(folder, file), object === "" ? "" : JSON.stringify(object));
  }
}

/** Takes a state over on another engine: nothing to do, then an update, then down. */
async function continueWith(engine: EngineName, handover: Handover): Promise<void> {
  const project = newProject(engine);
  try {
    await project.createStack();
    writeObjects(project, handover.objects);
    const file = path.join(project.directory, "state.json");
    fs.writeFileSync(file, JSON.stringify(handover.state));
    await succeed(project, ["stack", "import", "--file", file, ...stack]);
    await succeed(project, ["preview", "--expect-no-changes", "--non-interactive", ...stack]);
    await succeed(project, ["up", "--yes", "--skip-preview", "--expect-no-changes", ...stack]);
    expect(changes(project)).toEqual([]);
    const taken = normaliseState(await succeed(project, ["stack", "export", ...stack]));
    expect(essence(taken.resources)).toEqual(
      essence(normaliseState(JSON.stringify(handover.state)).resources),
    );
    project.configure({ step: "2" });
    await succeed(project, ["up", "--yes", "--skip-preview", ...stack]);
    expect(changes(project)).toEqual(["update first done", "update second done"]);
    await succeed(project, ["destroy", "--yes", "--skip-preview", ...stack]);
    expect(existingObjects(project.cloud)).toEqual(["kept-1"]);
  } finally {
    project.remove();
  }
}

/** What has to survive the move: everything but the notes that only one engine keeps. */
function essence(resources: Json[]): Json[] {
  return resources.map(({ urn, id, type, inputs, outputs, parent, dependencies, protect }) => ({
    urn,
    id,
    type,
    inputs: inputs ?? {},
    outputs: outputs ?? {},
    parent,
    dependencies,
    protect,
  }));
}

/** Without times and places, which would name the machine it was recorded on. */
function withoutPlaces(state: Json): Json {
  const deployment = state["deployment"] as { resources: Json[] };
  const resources = deployment.resources.map((resource) =>
    Object.fromEntries(
      Object.entries(resource).filter(([key]) => !["sourcePosition", "stackTrace"].includes(key)),
    ),
  );
  return { ...state, deployment: { ...deployment, resources } };
}

if (isRecording && hasRealCli) {
  it(
    "records a state of the real CLI",
    async () => {
      const { state, objects } = await makeWith("real");
      const recorded = process.env["CONFORMANCE_RECORD"];
      fs.mkdirSync(path.dirname(recording), { recursive: true });
      const text = formatJson({ recorded, state: withoutPlaces(state), objects });
      fs.writeFileSync(recording, `${text}\n`);
      await continueWith("real", { state, objects });
    },
    timeout,
  );
}

if (!isRecording && fs.existsSync(embeddedCli)) {
  describe("a state goes from one engine to the other", () => {
    it(
      "from the real CLI (as recorded) to the embedded engine",
      async () => {
        const handover = JSON.parse(fs.readFileSync(recording, "utf8")) as Handover;
        await continueWith("embedded", handover);
      },
      timeout,
    );

    it(
      "from the embedded engine to itself, and it is the state that the real CLI makes",
      async () => {
        const handover = await makeWith("embedded");
        const real = JSON.parse(fs.readFileSync(recording, "utf8")) as Handover;
        expect(essence(normaliseState(JSON.stringify(handover.state)).resources)).toEqual(
          essence(normaliseState(JSON.stringify(real.state)).resources),
        );
        await continueWith("embedded", handover);
      },
      timeout,
    );

    if (hasRealCli) {
      it(
        "from the real CLI to the embedded engine",
        async () => continueWith("embedded", await makeWith("real")),
        timeout,
      );

      it(
        "from the embedded engine to the real CLI",
        async () => continueWith("real", await makeWith("embedded")),
        timeout,
      );
    }
  });
}
