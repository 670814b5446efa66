import * as fs from "node:fs";
import { EngineError } from "../errors";
import { normalizeKey } from "../project/project";
import { editStackFile, hasSecure, openCipher } from "../project/stackConfig";
import { findPlace, openConfigOnly, type GlobalOptions } from "./session";

/** `pulumi config set <key> [value] [--secret]`; without a value it is read from stdin. */
export async function configSet(
  key: string,
  value: string | undefined,
  options: GlobalOptions & { secret?: boolean; plaintext?: boolean; path?: boolean },
): Promise<void> {
  const place = findPlace(options, process.env);
  // Not /dev/stdin: a socket, which is what node gives a child, cannot be opened by a path.
  const text = value ?? fs.readFileSync(0, "utf8").replace(/\n$/, "");
  const { name, below } = placeOf(place.project.name, key, options);
  const cipher = options.secret
    ? await openCipher(place.stackFile, process.env, undefined)
    : undefined;
  editStackFile(place.stackFile.file, (document) => {
    const plain = options.path ? typed(text) : text;
    document.setIn(["config", name, ...below], cipher ? { secure: cipher.encrypt(text) } : plain);
  });
}

function placeOf(project: string, key: string, { path }: { path?: boolean }) {
  return path ? readPath(project, key) : { name: normalizeKey(project, key), below: [] };
}

/** `p2p:policy.maxFailed`, `p2p:firewall.allow[0]`; quoted parts are not supported. */
function readPath(project: string, key: string): { name: string; below: (string | number)[] } {
  const [first = "", ...rest] = key.split(".");
  const below = rest.flatMap((part) => {
    const [name = "", ...indices] = part.split(/\[(?=\d+\](?:\[|$))/);
    return [name, ...indices.map((index) => Number(index.slice(0, -1)))];
  });
  const isGood = (part: string | number) => typeof part === "number" || /^[\w-]+$/.test(part);
  if (!/^[\w:-]+$/.test(first) || !below.every(isGood))
    throw new EngineError(`the embedded engine does not support the path ${JSON.stringify(key)}`);
  return { name: normalizeKey(project, first), below };
}

/** With --path the CLI keeps booleans and numbers as such. */
function typed(text: string): string | boolean | number {
  if (text === "true" || text === "false") return text === "true";
  return /^(0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

/** `pulumi config get <key>` */
export async function configGet(key: string, options: GlobalOptions): Promise<string> {
  const place = findPlace(options, process.env);
  const name = normalizeKey(place.project.name, key);
  const value = (await openConfigOnly(place)).values[name];
  if (value === undefined) throw new EngineError(`configuration key '${key}' not found`);
  return value;
}

/** `pulumi config rm <key> [--path]` */
export function configRemove(key: string, options: GlobalOptions & { path?: boolean }): void {
  const place = findPlace(options, process.env);
  const { name, below } = placeOf(place.project.name, key, options);
  const path = ["config", name, ...below];
  editStackFile(place.stackFile.file, (document) => void document.deleteIn(path));
}

/** `pulumi config [--json] [--show-secrets]` */
export async function configList(
  options: GlobalOptions & { json?: boolean; showSecrets?: boolean },
): Promise<string> {
  const place = findPlace(options, process.env);
  const { values } = options.showSecrets
    ? await openConfigOnly(place)
    : { values: blindSecure(place.stackFile.config) };
  if (options.json) {
    const entries = Object.entries(values).map(([key, value]) => {
      const secret = hasSecure(place.stackFile.config[key]);
      return [key, { ...(!secret || options.showSecrets ? { value } : {}), secret }];
    });
    return JSON.stringify(Object.fromEntries(entries), null, 2);
  }
  const width = Math.max(3, ...Object.keys(values).map((key) => key.length));
  const rows = Object.entries(values).map(([key, value]) => `${key.padEnd(width)}  ${value}`);
  return [`${"KEY".padEnd(width)}  VALUE`, ...rows].join("\n");
}

function blindSecure(config: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(config).map(([key, value]) => {
    if (hasSecure(value)) return [key, "[secret]"] as const;
    return [key, typeof value === "object" ? JSON.stringify(value) : String(value)] as const;
  });
  return Object.fromEntries(entries);
}
