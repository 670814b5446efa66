import * as fs from "node:fs";
import { Vault, sealInClear } from "../crypto/vault";
import { EngineError } from "../errors";
import { loadProject } from "../project/project";
import { openCipher, readStackFile, stackFilePath } from "../project/stackConfig";
import { parseStackName, resolveStack, selectStack } from "../project/workspace";
import { deploymentPieces, readDeployment, writeResource } from "../state/checkpoint";
import { cancelLocks, takeLock } from "../state/lock";
import { STACK_TYPE, type ResourceState } from "../state/resource";
import { Saver } from "../state/saver";
import { checkVersion, parseJson, Store, writeAtomically } from "../state/store";
import { findPlace, openDeployment, openStateOnly, type GlobalOptions } from "./session";
import { unwrapSecrets, type Value } from "../../wire";
import { blindMap } from "../wire/compare";

/** `pulumi stack output [name] [--json] [--show-secrets]` */
export async function stackOutput(
  name: string | undefined,
  options: GlobalOptions & { json?: boolean; showSecrets?: boolean },
): Promise<string> {
  const { deployment } = await openStateOnly(findPlace(options, process.env));
  const stack = deployment.resources.find((state) => state.type === STACK_TYPE && !state.delete);
  const outputs = stack?.outputs ?? {};
  // A single output is asked for by name, so the CLI prints it even when it is secret.
  const isOpen = options.showSecrets === true || name !== undefined;
  const shown = isOpen ? unwrapSecrets(outputs) : blindMap(outputs);
  if (name === undefined) {
    if (options.json) return JSON.stringify(shown, null, 2);
    const width = Math.max(6, ...Object.keys(shown).map((key) => key.length));
    const rows = Object.entries(shown).map(
      ([key, value]) => `    ${key.padEnd(width)}  ${text(value)}`,
    );
    if (rows.length === 0) return "No output values currently in this stack";
    return [
      `Current stack outputs (${rows.length}):`,
      `    ${"OUTPUT".padEnd(width)}  VALUE`,
      ...rows,
    ].join("\n");
  }
  const value = shown[name];
  if (value === undefined)
    throw new EngineError(`current stack does not have output property '${name}'`);
  return options.json ? JSON.stringify(value, null, 2) : text(value);
}

/** `pulumi stack export [--file] [--show-secrets]` */
export async function stackExport(
  options: GlobalOptions & { file?: string; showSecrets?: boolean },
): Promise<string | undefined> {
  const place = findPlace(options, process.env);
  const raw = place.store.read(place.id);
  let deployment: unknown = raw ?? {
    manifest: { time: new Date().toISOString(), magic: "", version: "" },
  };
  if (options.showSecrets) {
    const { deployment: opened } = await openStateOnly(place);
    const resource = (item: ResourceState): Buffer => Buffer.from(writeResource(item, sealInClear));
    const operations = opened.pendingOperations.map((item) => ({
      resource: resource(item.resource),
      type: item.type,
    }));
    const time = new Date().toISOString();
    const pieces = deploymentPieces(opened.resources.map(resource), operations, opened.salt, time);
    deployment = JSON.parse(Buffer.concat(pieces).toString());
  }
  const json = JSON.stringify({ version: 3, deployment }, null, 4);
  if (!options.file) return json;
  writeAtomically(options.file, `${json}\n`);
  return undefined;
}

/** `pulumi stack import [--file]`: replaces the state; secrets are sealed anew with the stack's own passphrase. */
export async function stackImport(options: GlobalOptions & { file?: string }): Promise<string> {
  const place = findPlace(options, process.env);
  const source = options.file ?? "/dev/stdin";
  if (options.file && !fs.existsSync(options.file))
    throw new EngineError(`${options.file} does not exist`);
  const document = parseJson(fs.readFileSync(source, "utf8"), source);
  checkVersion(document, source);
  place.store.read(place.id);
  const lock = takeLock(place.store.lockFolder(place.id), place.id.stack);
  try {
    const cipher = await openCipher(place.stackFile, process.env, undefined);
    const vault = new Vault(cipher);
    const raw = document["deployment"];
    const deployment = await openDeployment(raw, vault, cipher, process.env);
    const foreign = deployment.resources.find(
      ({ urn }) => !urn.startsWith(`urn:pulumi:${place.id.stack}::${place.id.project}::`),
    );
    if (foreign)
      throw new EngineError(`${source} holds a resource of another stack: ${foreign.urn}`);
    const saver = new Saver(vault, () => undefined);
    place.store.write(
      place.id,
      saver.serialize(deployment.resources, deployment.pendingOperations),
    );
  } finally {
    lock.release();
  }
  return "Import complete.";
}

/** `pulumi stack init <name>` */
export async function stackInit(name: string, options: GlobalOptions): Promise<string> {
  const project = loadProject(options.cwd ?? process.cwd(), options.configFile);
  const store = Store.fromEnvironment(process.env);
  const id = parseStackName(project.name, name);
  if (store.exists(id)) throw new EngineError(`stack '${id.stack}' already exists`);
  await openCipher(readStackFile(stackFilePath(project, id.stack)), process.env, undefined);
  store.write(id, undefined);
  selectStack(project, store, process.env, id.stack);
  return `Created stack '${id.stack}'`;
}

/** `pulumi stack select <name> [--create]` */
export async function stackSelect(
  name: string,
  options: GlobalOptions & { create?: boolean },
): Promise<string> {
  const project = loadProject(options.cwd ?? process.cwd(), options.configFile);
  const store = Store.fromEnvironment(process.env);
  const id = parseStackName(project.name, name);
  if (!store.exists(id)) {
    if (options.create) return stackInit(name, options);
    store.read(id);
  }
  selectStack(project, store, process.env, id.stack);
  return "";
}

/** `pulumi stack ls [--json]` */
export function stackList(options: GlobalOptions & { json?: boolean }): string {
  const project = loadProject(options.cwd ?? process.cwd(), options.configFile);
  const store = Store.fromEnvironment(process.env);
  let selected: string | undefined;
  try {
    selected = resolveStack(project, store, process.env, undefined).stack;
  } catch {
    // None is selected: none is marked.
  }
  const rows = store.list(project.name).map((name) => {
    const raw = readDeployment(
      store.read({ project: project.name, stack: name }),
      (value) => value,
    );
    return { name, current: name === selected, resourceCount: raw.resources.length };
  });
  if (options.json) return JSON.stringify(rows, null, 2);
  return [
    "NAME  RESOURCE COUNT",
    ...rows.map((row) => `${row.name}${row.current ? "*" : ""}  ${row.resourceCount}`),
  ].join("\n");
}

/** `pulumi stack rm [--yes] [--force]`: forgets an empty stack; with --force one that still has resources. */
export function stackRemove(
  name: string | undefined,
  options: GlobalOptions & { yes?: boolean; force?: boolean; preserveConfig?: boolean },
): string {
  const place = findPlace({ ...options, stack: name ?? options.stack }, process.env);
  const { resources } = readDeployment(place.store.read(place.id), (value) => value);
  if (resources.length > 0 && !options.force) {
    throw new EngineError(
      `'${place.id.stack}' still has ${resources.length} resources; run \`pulumi destroy\`, ` +
        "or remove the stack with --force and leave them as they are",
    );
  }
  if (!options.yes) throw new EngineError("--yes must be passed in to remove a stack");
  takeLock(place.store.lockFolder(place.id), place.id.stack).release();
  place.store.remove(place.id);
  if (!options.preserveConfig) fs.rmSync(place.stackFile.file, { force: true });
  selectStack(place.project, place.store, process.env, undefined);
  return `Stack '${place.id.stack}' has been removed!`;
}

/** `pulumi cancel`: releases a stack's lock. */
export function cancel(name: string | undefined, options: GlobalOptions): string {
  const place = findPlace({ ...options, stack: name ?? options.stack }, process.env);
  const locks = cancelLocks(place.store.lockFolder(place.id));
  return locks.length === 0
    ? `The stack '${place.id.stack}' was not locked.`
    : `The lock of '${place.id.stack}' has been released.`;
}

function text(value: Value): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
