import * as fs from "node:fs";
import * as path from "node:path";
import { parse } from "yaml";
import { EngineError, messageOf, Unsupported } from "../errors";

/** What Pulumi.yaml says. */
export interface Project {
  name: string;
  /** Folder of Pulumi.yaml. */
  root: string;
  file: string;
  /** Folder the program runs in: `main` of Pulumi.yaml, or the root. */
  programFolder: string;
  /** `.` unless `main` names a file. */
  entryPoint: string;
  nodeArgs: string[];
  typescript: boolean;
  tsconfig: string | undefined;
  stackConfigFolder: string;
  /** `--config-file`: settings of whichever stack is worked on. */
  stackConfigFile?: string;
  config: Record<string, ProjectConfigEntry>;
}

export interface ProjectConfigEntry {
  /** True when the entry declares a type: then a value must come from somewhere. */
  required: boolean;
  /** The default, as text; objects as JSON. */
  value: string | undefined;
  secret: boolean;
  /** The declared type; undefined for none. */
  type?: string;
}

/**
 * Finds Pulumi.yaml in `folder` or above it.
 * @param configFile the stack's settings file, relative to the process's folder; undefined: Pulumi.<stack>.yaml
 * @throws EngineError when there is no project
 */
export function loadProject(folder: string, configFile?: string): Project {
  const project = findProject(folder);
  return configFile === undefined
    ? project
    : { ...project, stackConfigFile: path.resolve(configFile) };
}

function findProject(folder: string): Project {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    for (const name of ["Pulumi.yaml", "Pulumi.yml"]) {
      const file = path.join(at, name);
      if (fs.existsSync(file)) return readProject(file, fs.readFileSync(file, "utf8"));
    }
    if (at === path.dirname(at)) {
      throw new EngineError(`no Pulumi.yaml project file found in ${folder} or above it`);
    }
  }
}

/** Checks the text of a Pulumi.yaml. @throws Unsupported for runtimes other than nodejs. */
export function readProject(file: string, text: string): Project {
  const raw = parseYaml(file, text);
  const name = raw["name"];
  if (typeof name !== "string" || !/^[A-Za-z0-9_.-]{1,100}$/.test(name)) {
    throw new EngineError(`${file}: name must be letters, digits, ".", "_" or "-", at most 100`);
  }
  const runtime = raw["runtime"];
  const runtimeName = isRecord(runtime) ? runtime["name"] : runtime;
  if (runtimeName !== "nodejs") throw new Unsupported(`the runtime "${String(runtimeName)}"`);
  for (const field of ["plugins", "packages", "template.config"]) {
    if (raw[field] !== undefined) throw new Unsupported(`"${field}" in ${path.basename(file)}`);
  }
  const options = isRecord(runtime) && isRecord(runtime["options"]) ? runtime["options"] : {};
  if (isRecord(raw["options"]) && raw["options"]["refresh"] === "always") {
    throw new Unsupported("options.refresh in Pulumi.yaml");
  }
  const root = path.dirname(file);
  return {
    name,
    root,
    file,
    ...resolveMain(root, raw["main"]),
    nodeArgs: splitArguments(String(options["nodeargs"] ?? "")),
    typescript: options["typescript"] !== false,
    tsconfig: typeof options["tsconfig"] === "string" ? options["tsconfig"] : undefined,
    stackConfigFolder: path.resolve(
      root,
      String(raw["stackConfigDir"] ?? raw["config-dir"] ?? "."),
    ),
    config: isRecord(raw["config"]) ? readConfigBlock(name, raw["config"]) : {},
  };
}

function resolveMain(root: string, main: unknown): Pick<Project, "programFolder" | "entryPoint"> {
  if (typeof main !== "string" || main === "") return { programFolder: root, entryPoint: "." };
  const target = path.resolve(root, main);
  if (fs.existsSync(target) && fs.statSync(target).isDirectory()) {
    return { programFolder: target, entryPoint: "." };
  }
  return { programFolder: path.dirname(target), entryPoint: path.basename(target) };
}

function readConfigBlock(
  project: string,
  block: Record<string, unknown>,
): Record<string, ProjectConfigEntry> {
  const entries = Object.entries(block).map(([key, entry]) => {
    const name = normalizeKey(project, key);
    if (!isRecord(entry))
      return [name, { required: false, value: configText(entry), secret: false }];
    const value = entry["value"] ?? entry["default"];
    return [
      name,
      {
        required: entry["type"] !== undefined && value === undefined,
        value: value === undefined ? undefined : configText(value),
        secret: entry["secret"] === true,
        ...(typeof entry["type"] === "string" ? { type: entry["type"] } : {}),
      },
    ];
  });
  return Object.fromEntries(entries) as Record<string, ProjectConfigEntry>;
}

/** `key` → `project:key`; `ns:config:key` → `ns:key`. */
export function normalizeKey(project: string, key: string): string {
  const parts = key.split(":");
  if (parts.length === 1) return `${project}:${key}`;
  if (parts.length === 3 && parts[1] === "config") return `${parts[0]}:${parts[2]}`;
  if (parts.length === 2 && parts.every((part) => part !== "")) return key;
  throw new EngineError(
    `"${key}" is not a configuration key: expected <name> or <namespace>:<name>`,
  );
}

/** A configuration value as the program receives it: text, or JSON for lists and maps. */
export function configText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Splits a command line at blanks, minding quotes. */
export function splitArguments(text: string): string[] {
  const words = text.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replace(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}

export function parseYaml(file: string, text: string): Record<string, unknown> {
  try {
    const value: unknown = parse(text);
    if (isRecord(value)) return value;
    if (value === null) return {};
  } catch (error) {
    throw new EngineError(`${file}: ${messageOf(error)}`);
  }
  throw new EngineError(`${file}: expected a map`);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
