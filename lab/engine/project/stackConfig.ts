import * as fs from "node:fs";
import * as path from "node:path";
import { parseDocument } from "yaml";
import { Cipher } from "../crypto/passphrase";
import { EngineError, Unsupported } from "../errors";
import { writeAtomically } from "../state/store";
import { configText, isRecord, normalizeKey, parseYaml, type Project } from "./project";

/** A stack's settings file, Pulumi.<stack>.yaml, unopened. */
export interface StackFile {
  file: string;
  salt: string | undefined;
  config: Record<string, unknown>;
}

/** A stack's configuration as the program receives it. */
export interface StackConfig {
  values: Record<string, string>;
  secretKeys: string[];
}

export function stackFilePath(project: Project, stack: string): string {
  return project.stackConfigFile ?? path.join(project.stackConfigFolder, `Pulumi.${stack}.yaml`);
}

/** Reads Pulumi.<stack>.yaml; a missing file is an empty one. */
export function readStackFile(file: string): StackFile {
  if (!fs.existsSync(file)) return { file, salt: undefined, config: {} };
  const raw = parseYaml(file, fs.readFileSync(file, "utf8"));
  if (raw["environment"] !== undefined) throw new Unsupported(`"environment" (ESC) in ${file}`);
  const provider = raw["secretsprovider"];
  if (provider !== undefined && provider !== "passphrase" && provider !== "default") {
    throw new Unsupported(
      `the secrets provider "${String(provider)}" in ${file} (only passphrase)`,
    );
  }
  const salt = raw["encryptionsalt"];
  return {
    file,
    salt: typeof salt === "string" ? salt : undefined,
    config: isRecord(raw["config"]) ? raw["config"] : {},
  };
}

/** True when a value is `{ secure: … }` or holds one. */
export function hasSecure(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasSecure);
  if (!isRecord(value)) return false;
  return isSecure(value) || Object.values(value).some(hasSecure);
}

function isSecure(value: Record<string, unknown>): value is { secure: string } {
  return Object.keys(value).length === 1 && typeof value["secure"] === "string";
}

/**
 * Joins a stack's own values over the project's defaults and opens the secret ones.
 * @throws EngineError naming every declared key without a value, and secrets without a passphrase.
 */
export function openConfig(
  project: Project,
  stackFile: StackFile,
  cipher: Cipher | undefined,
): StackConfig {
  const values: Record<string, string> = {};
  const secretKeys: string[] = [];
  for (const [rawKey, value] of Object.entries(stackFile.config)) {
    const key = normalizeKey(project.name, rawKey);
    checkStructure(key, value, project.config[key]?.type);
    values[key] = configText(openValue(value, cipher));
    if (hasSecure(value)) secretKeys.push(key);
  }
  for (const [key, entry] of Object.entries(project.config)) {
    if (values[key] === undefined && entry.value !== undefined) values[key] = entry.value;
    if (entry.secret && values[key] !== undefined && !secretKeys.includes(key))
      secretKeys.push(key);
  }
  const missing = Object.entries(project.config).filter(
    ([key, entry]) => entry.required && values[key] === undefined,
  );
  if (missing.length > 0) {
    const keys = missing.map(([key]) => key).join(", ");
    throw new EngineError(
      `missing configuration: ${keys}, declared in ${project.file} without a default; ` +
        `set it with \`pulumi config set\``,
    );
  }
  return { values, secretKeys };
}

/** As the CLI does: JSON in a text is no object. @throws EngineError in the CLI's words */
function checkStructure(key: string, value: unknown, type: string | undefined): void {
  if (type !== "object" && type !== "array") return;
  if (type === "array" ? Array.isArray(value) : isRecord(value)) return;
  const name = key.slice(key.indexOf(":") + 1);
  throw new EngineError(
    `validating stack config: configuration key '${name}' must be of type '${type}'`,
  );
}

function openValue(value: unknown, cipher: Cipher | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => openValue(item, cipher));
  if (!isRecord(value)) return value;
  if (isSecure(value)) {
    if (!cipher) throw new EngineError("the stack's settings hold a secret but no encryptionsalt");
    return cipher.decrypt(value.secure);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, openValue(item, cipher)]),
  );
}

/** Changes a settings file and keeps everything else in it, comments included. */
export function editStackFile(
  file: string,
  edit: (document: ReturnType<typeof parseDocument>) => void,
): void {
  const text = fs.existsSync(file) ? fs.readFileSync(file, "utf8") : "";
  const document = parseDocument(text === "" ? "{}" : text);
  if (text === "" || document.contents === null)
    document.contents = document.createNode({}) as never;
  edit(document);
  const flow = document.contents as { flow?: boolean } | null;
  if (flow) flow.flow = false;
  const mode = fs.existsSync(file) ? fs.statSync(file).mode & 0o777 : 0o644;
  writeAtomically(file, document.toString({ lineWidth: 0 }), mode);
}

/** The passphrase of the environment. @throws EngineError when there is none. */
export function readPassphrase(environment: NodeJS.ProcessEnv): string {
  const direct = environment["PULUMI_CONFIG_PASSPHRASE"];
  if (direct !== undefined) return direct;
  const file = environment["PULUMI_CONFIG_PASSPHRASE_FILE"];
  if (file) {
    if (!fs.existsSync(file)) {
      throw new EngineError(`PULUMI_CONFIG_PASSPHRASE_FILE: ${file} does not exist`);
    }
    return fs.readFileSync(file, "utf8").trim();
  }
  throw new EngineError(
    "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
  );
}

/** The stack's cipher; with `create`, a salt is made and stored where there is none. */
export async function openCipher(
  stackFile: StackFile,
  environment: NodeJS.ProcessEnv,
  fallbackSalt: string | undefined,
): Promise<Cipher> {
  const salt = stackFile.salt ?? fallbackSalt;
  const passphrase = readPassphrase(environment);
  if (salt !== undefined) return Cipher.open(passphrase, salt);
  const cipher = await Cipher.create(passphrase);
  editStackFile(stackFile.file, (document) => document.set("encryptionsalt", cipher.salt));
  return cipher;
}
