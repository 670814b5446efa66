import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { findExecutable } from "../host/plugin";

/** Which engine runs a command line, and why. */
export interface Choice {
  engine: "pulumi" | "embedded";
  reason: string;
  /** Path of the real CLI, where that is the choice. */
  executable?: string;
}

/** A plugin the program cannot do without. */
export interface NeededPlugin {
  name: string;
  version: string;
}

export interface Surroundings {
  environment: NodeJS.ProcessEnv;
  /** Folder the command runs in. */
  folder: string;
  /** Folder of our own `pulumi` and providers, which are not the real ones. */
  ownFolder: string;
  /** The version an executable prints; undefined if it prints none within the time it has. */
  versionOf(executable: string): Promise<string | undefined>;
}

/**
 * `PULUMI_ENGINE` as it says; `auto` (the default) takes the real CLI when a working one and every plugin that the
 * program needs are here.
 * @throws Error for any other word.
 */
export async function chooseEngine(around: Surroundings): Promise<Choice> {
  const wish = around.environment["PULUMI_ENGINE"] || "auto";
  if (wish === "embedded") return { engine: "embedded", reason: "PULUMI_ENGINE=embedded" };
  if (wish !== "pulumi" && wish !== "auto") {
    throw new Error(`PULUMI_ENGINE: expected auto, pulumi or embedded, got "${wish}"`);
  }
  const executable = findRealCli(around);
  if (wish === "pulumi") {
    if (!executable) throw new Error("PULUMI_ENGINE=pulumi, but there is no Pulumi CLI on PATH");
    return { engine: "pulumi", reason: "PULUMI_ENGINE=pulumi", executable };
  }
  if (!executable) return { engine: "embedded", reason: "there is no Pulumi CLI on PATH" };
  const missing = neededPlugins(around.folder).find((plugin) => !hasPlugin(plugin, around));
  if (missing) {
    return {
      engine: "embedded",
      reason: `the plugin ${missing.name} ${missing.version} is not installed`,
    };
  }
  if (!hasLanguageHost(executable, around)) {
    return { engine: "embedded", reason: "pulumi-language-nodejs is not installed" };
  }
  const version = await around.versionOf(executable);
  if (!version) return { engine: "embedded", reason: `${executable} did not answer within 20 s` };
  return { engine: "pulumi", reason: `${executable} ${version} has every plugin`, executable };
}

/** The first `pulumi` on PATH that is not this one, nor a copy of it elsewhere. */
export function findRealCli({ environment, ownFolder }: Surroundings): string | undefined {
  const folders = (environment["PATH"] ?? "").split(path.delimiter);
  for (const folder of folders) {
    const file = findExecutable("pulumi", folder);
    if (
      file &&
      fs.realpathSync(path.dirname(file)) !== fs.realpathSync(ownFolder) &&
      !isOurs(file)
    ) {
      return file;
    }
  }
  return undefined;
}

function isOurs(file: string): boolean {
  const handle = fs.openSync(file, "r");
  const start = Buffer.alloc(400);
  fs.readSync(handle, start, 0, start.length, 0);
  fs.closeSync(handle);
  return start.includes("lab/engine/launch/launcher");
}

/** The provider packages among the program's dependencies: those under @pulumi that say they come with a plugin. */
export function neededPlugins(folder: string): NeededPlugin[] {
  const manifest = findUp(folder, "package.json");
  if (!manifest) return [];
  const { dependencies = {} } = readJson(manifest) as { dependencies?: Record<string, string> };
  const names = Object.keys(dependencies).filter(
    (name) => name.startsWith("@pulumi/") && name !== "@pulumi/pulumi" && name !== "@pulumi/policy",
  );
  return names.flatMap((name) => {
    const file = findUp(path.dirname(manifest), path.join("node_modules", name, "package.json"));
    const own = file ? (readJson(file) as PackageManifest) : {};
    if (file && !own.pulumi?.resource) return [];
    const plugin = own.pulumi?.name ?? name.slice("@pulumi/".length);
    return [
      { name: plugin, version: own.pulumi?.version ?? own.version ?? dependencies[name] ?? "" },
    ];
  });
}

interface PackageManifest {
  version?: string;
  pulumi?: { resource?: boolean; name?: string; version?: string };
}

function hasPlugin(
  { name, version }: NeededPlugin,
  { environment, ownFolder }: Surroundings,
): boolean {
  const home = environment["PULUMI_HOME"] ?? path.join(os.homedir(), ".pulumi");
  const folder = `resource-${name}-v${version.replace(/^[v^~]*/, "")}`;
  if (fs.existsSync(path.join(home, "plugins", folder))) return true;
  // Our own providers work with the real CLI too, but they are not what it is wanted for.
  const others = (environment["PATH"] ?? "")
    .split(path.delimiter)
    .filter((item) => path.resolve(item) !== path.resolve(ownFolder));
  return findExecutable(`pulumi-resource-${name}`, others.join(path.delimiter)) !== undefined;
}

function hasLanguageHost(executable: string, { environment }: Surroundings): boolean {
  const beside = path.dirname(fs.realpathSync(executable));
  const search = `${beside}${path.delimiter}${environment["PATH"] ?? ""}`;
  return findExecutable("pulumi-language-nodejs", search) !== undefined;
}

function findUp(folder: string, name: string): string | undefined {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const file = path.join(at, name);
    if (fs.existsSync(file)) return file;
    if (at === path.dirname(at)) return undefined;
  }
}

function readJson(file: string): unknown {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}
