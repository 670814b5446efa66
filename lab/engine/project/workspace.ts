import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { createHash } from "node:crypto";
import { EngineError } from "../errors";
import { parseJson, type StackId, type Store, writeAtomically } from "../state/store";
import { isRecord, type Project } from "./project";

/** The file in which the CLI remembers which stack is selected, per project file and backend. */
function workspaceFile(project: Project, environment: NodeJS.ProcessEnv): string {
  const home = environment["PULUMI_HOME"] ?? path.join(os.homedir(), ".pulumi");
  const digest = createHash("sha1").update(project.file).digest("hex");
  return path.join(home, "workspaces", `${project.name}-${digest}-workspace.json`);
}

function readSelections(file: string): Record<string, unknown> {
  if (!fs.existsSync(file)) return {};
  const stacks = parseJson(fs.readFileSync(file, "utf8"), file)["stacks"];
  return isRecord(stacks) ? stacks : {};
}

/** Remembers the stack for later commands in this folder. */
export function selectStack(
  project: Project,
  store: Store,
  environment: NodeJS.ProcessEnv,
  stack: string | undefined,
): void {
  const file = workspaceFile(project, environment);
  const stacks = readSelections(file);
  if (stack === undefined) delete stacks[store.url];
  else stacks[store.url] = `organization/${project.name}/${stack}`;
  writeAtomically(file, `${JSON.stringify({ stacks }, null, 4)}\n`);
}

/**
 * The stack a command is about: the name given, else PULUMI_STACK, else the selected one.
 * @throws EngineError when nothing names a stack.
 */
export function resolveStack(
  project: Project,
  store: Store,
  environment: NodeJS.ProcessEnv,
  given: string | undefined,
): StackId {
  const selected = readSelections(workspaceFile(project, environment))[store.url];
  const name = given ?? environment["PULUMI_STACK"] ?? selected;
  if (typeof name !== "string" || name === "") {
    throw new EngineError(
      "no stack selected: name one with --stack, or `pulumi stack select <name>`",
    );
  }
  return parseStackName(project.name, name);
}

/** `dev`, `organization/dev` and `organization/<project>/dev` name the same stack. */
export function parseStackName(project: string, text: string): StackId {
  const parts = text.split("/");
  const stack = parts[parts.length - 1] ?? "";
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(stack)) {
    throw new EngineError(
      `"${text}" is not a stack name: letters, digits, ".", "_", "-", at most 100`,
    );
  }
  if (parts.length > 1 && parts[0] !== "organization") {
    throw new EngineError(`"${text}": the organization of a file backend is always "organization"`);
  }
  if (parts.length > 3) throw new EngineError(`"${text}" is not a stack name`);
  const named = parts.length === 3 ? (parts[1] ?? project) : project;
  if (named !== project) {
    throw new EngineError(`"${text}" belongs to the project "${named}", not to "${project}"`);
  }
  return { project: named, stack };
}
