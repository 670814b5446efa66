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
  if (options.path) throw new EngineError("the embedded engine does not support config set --path");
  const place = findPlace(options, process.env);
  const text = value ?? fs.readFileSync("/dev/stdin", "utf8").replace(/\n$/, "");
  const name = normalizeKey(place.project.name, key);
  const cipher = options.secret
    ? await openCipher(place.stackFile, process.env, undefined)
    : undefined;
  editStackFile(place.stackFile.file, (document) => {
    document.setIn(["config", name], cipher ? { secure: cipher.encrypt(text) } : text);
  });
}

/** `pulumi config get <key>` */
export async function configGet(key: string, options: GlobalOptions): Promise<string> {
  const place = findPlace(options, process.env);
  const name = normalizeKey(place.project.name, key);
  const value = (await openConfigOnly(place)).values[name];
  if (value === undefined) throw new EngineError(`configuration key '${key}' not found`);
  return value;
}

/** `pulumi config rm <key>` */
export function configRemove(key: string, options: GlobalOptions): void {
  const place = findPlace(options, process.env);
  const name = normalizeKey(place.project.name, key);
  editStackFile(place.stackFile.file, (document) => void document.deleteIn(["config", name]));
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
