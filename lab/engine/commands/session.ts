import * as fs from "node:fs";
import { type Cipher } from "../crypto/passphrase";
import { Vault } from "../crypto/vault";
import { type Masker } from "../display/mask";
import { loadProject, type Project } from "../project/project";
import {
  hasSecure,
  openCipher,
  openConfig,
  readPassphrase,
  readStackFile,
  stackFilePath,
  type StackConfig,
  type StackFile,
} from "../project/stackConfig";
import { resolveStack } from "../project/workspace";
import { Cipher as PassphraseCipher } from "../crypto/passphrase";
import { readDeployment, readSalt, type Deployment } from "../state/checkpoint";
import { Store, type StackId } from "../state/store";
import { isRecord } from "../project/project";
import { SECRET, SIGNATURE_KEY, type Value } from "../../wire";

export interface GlobalOptions {
  cwd?: string;
  stack?: string;
  /** Settings file in place of Pulumi.<stack>.yaml. */
  configFile?: string;
}

/** A stack as a command finds it: its project, its files, its unopened state. */
export interface Place {
  project: Project;
  store: Store;
  id: StackId;
  stackFile: StackFile;
  environment: NodeJS.ProcessEnv;
}

/** @throws EngineError when there is no project, no stack is named, or it does not exist. */
export function findPlace(options: GlobalOptions, environment: NodeJS.ProcessEnv): Place {
  const project = loadProject(options.cwd ?? process.cwd(), options.configFile);
  const store = Store.fromEnvironment(environment);
  const id = resolveStack(project, store, environment, options.stack);
  const stackFile = readStackFile(stackFilePath(project, id.stack));
  return { project, store, id, stackFile, environment };
}

/**
 * Makes the stack in this backend if the project has settings for it. One that is neither here nor there is more likely
 * a slip of the pen, and refused.
 */
export function makeStackIfSettingsExist(place: Place): void {
  const { store, id, stackFile } = place;
  if (!store.exists(id) && fs.existsSync(stackFile.file)) store.write(id, undefined);
}

/** A stack opened for a run. */
export interface Session extends Place {
  vault: Vault;
  config: StackConfig;
  deployment: Deployment;
}

/** Opens state and settings; every secret in them is known to the masker afterwards. */
export async function openSession(place: Place, masker: Masker): Promise<Session> {
  const raw = place.store.read(place.id);
  const stateSalt = saltOf(raw);
  const cipher = await openCipher(place.stackFile, place.environment, stateSalt);
  const config = openConfig(place.project, place.stackFile, cipher);
  for (const key of config.secretKeys) masker.learnText(config.values[key] ?? "");
  masker.learnText(readPassphrase(place.environment));
  const vault = new Vault(cipher);
  const deployment = await openDeployment(raw, vault, cipher, place.environment);
  for (const { inputs, outputs } of deployment.resources) {
    masker.learn(inputs);
    masker.learn(outputs);
  }
  return { ...place, vault, config, deployment };
}

/** Opens a deployment whose secrets may have been sealed with another salt than the stack's own. */
export async function openDeployment(
  raw: unknown,
  vault: Vault,
  cipher: Cipher,
  environment: NodeJS.ProcessEnv,
): Promise<Deployment> {
  const salt = saltOf(raw);
  if (salt === undefined || salt === cipher.salt) {
    return readDeployment(raw, (value) => vault.open(value));
  }
  const other = new Vault(await PassphraseCipher.open(readPassphrase(environment), salt));
  return readDeployment(raw, (value) => other.open(value));
}

/** Opens a state only as far as it goes without a passphrase: one is asked for when there is a secret. */
export async function openStateOnly(
  place: Place,
): Promise<{ deployment: Deployment; raw: unknown }> {
  const raw = place.store.read(place.id);
  if (!holdsSecret(raw)) return { deployment: readDeployment(raw, (value) => value), raw };
  const cipher = await openCipher(place.stackFile, place.environment, saltOf(raw));
  const vault = new Vault(cipher);
  return { deployment: await openDeployment(raw, vault, cipher, place.environment), raw };
}

/** The settings without a passphrase where no value is secret. */
export async function openConfigOnly(place: Place): Promise<StackConfig> {
  const needsCipher = hasSecure(place.stackFile.config);
  const cipher = needsCipher
    ? await openCipher(place.stackFile, place.environment, undefined)
    : undefined;
  return openConfig(place.project, place.stackFile, cipher);
}

function saltOf(raw: unknown): string | undefined {
  return isRecord(raw) ? readSalt(raw["secrets_providers"]) : undefined;
}

function holdsSecret(raw: unknown): boolean {
  if (Array.isArray(raw)) return raw.some(holdsSecret);
  if (!isRecord(raw)) return false;
  if (raw[SIGNATURE_KEY] === SECRET) return true;
  return Object.values(raw as Record<string, Value>).some(holdsSecret);
}
