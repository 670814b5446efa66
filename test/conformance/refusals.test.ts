import pLimit from "p-limit";
import * as fs from "node:fs";
import * as path from "node:path";

import { embeddedCli, Project } from "./engine";
import { readJournal } from "./provider/cloud";

const timeout = 300_000;
const limit = pLimit(2);

/** Exit code, whether anything changed in the cloud, and whether the words were said. */
interface Refusal {
  readonly exitCode: number;
  readonly changes: number;
  readonly missing: string[];
}

function judge(project: Project, exitCode: number, text: string, words: string[]): Refusal {
  const ends = readJournal(project.cloud).filter((entry) => entry.phase === "done");
  const missing = words.filter((word) => !text.toLowerCase().includes(word.toLowerCase()));
  return { exitCode, changes: ends.length, missing: missing.length > 0 ? [...missing, text] : [] };
}

async function refuse(
  program: string,
  prepare: (project: Project) => void,
  argv: readonly string[],
  words: string[],
): Promise<Refusal> {
  const project = new Project("embedded", program);
  try {
    await project.createStack();
    prepare(project);
    const done = await project.run(argv);
    return judge(project, done.exitCode, done.stdout + done.stderr, words);
  } finally {
    project.remove();
  }
}

const up = ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", "test"];

/** Feature of shared/refused.js and what the refusal has to name. */
const features: [string, string[]][] = [
  ["deletedWith", ["deletedWith"]],
  ["replaceWith", ["replaceWith"]],
  ["replacementTrigger", ["replacementTrigger"]],
  ["transforms", ["transform"]],
  ["hooks", ["hook"]],
  ["remote", ["remote"]],
  ["call", ["call"]],
  ["pluginDownloadURL", ["pluginDownloadURL"]],
  ["asset", ["asset"]],
  ["otherStack", ["other", "stack"]],
  ["get", ["thing-7"]],
  ["requirePulumiVersion", [">=99.0.0"]],
];

/** Command lines and what the refusal has to name. */
const commands: [string, string[]][] = [
  ["refresh --yes --stack test", ["refresh"]],
  ["up --yes --stack test --refresh", ["refresh"]],
  ["up --yes --stack test --target urn", ["target"]],
  ["up --yes --stack test --exclude urn", ["exclude"]],
  ["up --yes --stack test --replace urn", ["replace"]],
  ["up --yes --stack test --plan file", ["plan"]],
  ["preview --stack test --save-plan file", ["plan"]],
  ["preview --stack test --policy-pack folder", ["policy-pack"]],
  ["destroy --yes --stack test --target urn", ["target"]],
  ["import conf:index:Thing thing thing-7 --stack test", ["import"]],
  ["watch --stack test", ["watch"]],
  ["state delete urn --stack test", ["state"]],
];

/** Changes to the project or its stack file, and what the refusal has to name. */
const projects: [string, (project: Project) => void, string[]][] = [
  [
    "another secrets provider",
    appendTo("Pulumi.test.yaml", "secretsprovider: awskms://alias/x\n"),
    ["awskms"],
  ],
  [
    "an ESC environment",
    appendTo("Pulumi.test.yaml", "environment:\n  - production\n"),
    ["environment"],
  ],
  ["another language", replaceIn("Pulumi.yaml", /nodejs/, "python"), ["python"]],
];

function appendTo(file: string, text: string): (project: Project) => void {
  return (project) => fs.appendFileSync(path.join(project.directory, file), text);
}

function replaceIn(file: string, pattern: RegExp, text: string): (project: Project) => void {
  return (project) => {
    const name = path.join(project.directory, file);
    fs.writeFileSync(name, fs.readFileSync(name, "utf8").replace(pattern, text));
  };
}

const refused = { changes: 0, missing: [] };

if (fs.existsSync(embeddedCli)) {
  describe("the embedded engine names what it does not do, and does nothing", () => {
    it.concurrent.each(features)(
      "in a program: %s",
      async (feature, words) => {
        const prepare = (project: Project) => project.configure({ feature });
        const refusal = await limit(() => refuse("../shared/refused.js", prepare, up, words));
        expect(refusal).toEqual({ ...refused, exitCode: 1 });
      },
      timeout,
    );

    it.concurrent.each(commands)(
      "on the command line: %s",
      async (command, words) => {
        const prepare = (project: Project) => project.configure({ step: "1" });
        const { exitCode, ...rest } = await limit(() =>
          refuse("update.js", prepare, [...command.split(" "), "--non-interactive"], words),
        );
        expect(rest).toEqual(refused);
        expect(exitCode).not.toBe(0);
      },
      timeout,
    );

    it.concurrent.each(projects)(
      "in a project: %s",
      async (_name, change, words) => {
        const { exitCode, ...rest } = await limit(() => refuse("update.js", change, up, words));
        expect(rest).toEqual(refused);
        expect(exitCode).not.toBe(0);
      },
      timeout,
    );
  });
}
