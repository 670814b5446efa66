import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { cloudflareSecret, cloudflareSettings } from "./cloudflare";
import { type Lab } from "./lab";
import { LabError } from "./labError";
import { projectRoot } from "./projectRoot";
import { tailnetSettings } from "./tailnet";

/** What runs the Pulumi program: the lab's own engine, unless $FLEET_PULUMI names another (the real CLI). */
export function pulumiBinary(env: NodeJS.ProcessEnv = process.env): string {
  return env.FLEET_PULUMI ?? join(projectRoot(), "lab", "bin", "pulumi");
}

/**
 * The stack configuration of one lab: the project's Pulumi.lab.yaml, with this lab's inventory and services.
 * @param services key → value; what the project says under the same key of an object stands
 */
export function stackConfig(
  projectConfig: string,
  inventory: string,
  services: Readonly<Record<string, unknown>> = {},
): string {
  const document = parseDocument(projectConfig);
  document.setIn(["config", "p2p:inventory"], inventory);
  const own = (document.toJS() as { config: Record<string, unknown> }).config;
  for (const [key, value] of Object.entries(services)) {
    const isObject = typeof value === "object" && value !== null;
    const merged = isObject ? { ...value, ...(own[key] as object | undefined) } : value;
    document.setIn(["config", key], document.createNode(merged));
  }
  return document.toString({ lineWidth: 0 });
}

/** The environment of every Pulumi command on a lab: its own state, its own passphrase, nothing from a network. */
export function pulumiEnv(
  run: string,
  passphrase: string,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  const own = join(projectRoot(), "lab", "bin");
  const path = env.PATH ?? "";
  return {
    ...env,
    // The real CLI takes the official providers where they are, and the lab's only where they are not.
    PATH: env.FLEET_PULUMI === undefined ? `${own}:${path}` : `${path}:${own}`,
    PULUMI_BACKEND_URL: `file://${join(run, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: passphrase,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    FLEET_LAB: run.split("/").pop(),
  };
}

/** A command of the Pulumi program on a lab, ready to be started. */
export interface ProgramCommand {
  readonly argv: string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/** Not the program's: history, caches, and the settings that every lab has for itself. */
const NOT_LINKED: ReadonlySet<string> = new Set([".git", ".cache", "Pulumi.lab.yaml"]);

/**
 * A folder with the unmodified program in it, by links, and this lab's own stack settings: whichever engine
 * runs it writes its salt and secrets there, and not into the checkout.
 * @throws LabError "state" while the project has no program
 */
function projectFolder(lab: Lab): string {
  const folder = lab.directory.file("project");
  if (existsSync(folder)) return folder;
  const source = projectRoot();
  const settings = join(source, "Pulumi.lab.yaml");
  if (!existsSync(settings))
    throw new LabError("state", `cannot converge: there is no ${settings}`);
  mkdirSync(folder, { mode: 0o700 });
  for (const name of readdirSync(source))
    if (!NOT_LINKED.has(name)) symlinkSync(join(source, name), join(folder, name));
  writeFileSync(
    join(folder, "Pulumi.lab.yaml"),
    stackConfig(readFileSync(settings, "utf8"), lab.inventory, {
      ...tailnetSettings(lab.directory).config,
      ...cloudflareSettings(lab.directory).config,
    }),
  );
  return folder;
}

function passphrase(lab: Lab): string {
  const file = lab.directory.file("passphrase");
  if (!existsSync(file)) {
    mkdirSync(lab.directory.file("state"), { recursive: true, mode: 0o700 });
    writeFileSync(file, randomBytes(16).toString("hex"), { mode: 0o600 });
  }
  return readFileSync(file, "utf8");
}

/** Sets what the program takes as a secret only, once; by a file, because command lines can be seen. */
function secretCommands(lab: Lab, cwd: string, env: NodeJS.ProcessEnv): ProgramCommand[] {
  const file = cloudflareSecret(lab.directory);
  const key = "p2p:cloudflareSecret";
  if (file === null || readFileSync(join(cwd, "Pulumi.lab.yaml"), "utf8").includes(key)) return [];
  const set = [pulumiBinary(), "config", "set", "--secret", key, "--stack", "lab"];
  const argv = ["sh", "-c", 'file=$1; shift; exec "$@" < "$file"', "sh", file];
  return [{ argv: lab.argv([...argv, ...set, "--non-interactive"]), env, cwd }];
}

/**
 * The command lines that run the unmodified program on a lab: the stack is made on first use.
 * @param args for example `["up", "--yes", "--skip-preview"]`
 * @throws LabError "state" while the project has no program
 */
export function programCommands(lab: Lab, args: readonly string[]): ProgramCommand[] {
  const cwd = projectFolder(lab);
  const env = {
    ...pulumiEnv(lab.directory.path, passphrase(lab)),
    ...tailnetSettings(lab.directory).env,
    ...cloudflareSettings(lab.directory).env,
  };
  const command = (...words: string[]): ProgramCommand => ({
    argv: lab.argv([pulumiBinary(), ...words]),
    env,
    cwd,
  });
  // Where both engines keep the stack; asking for it each time costs a start of the engine.
  const stack = lab.directory.file("state/.pulumi/stacks/p2p/lab.json");
  return [
    ...(existsSync(stack)
      ? []
      : [command("stack", "select", "lab", "--create", "--non-interactive")]),
    ...secretCommands(lab, cwd, env),
    command(...args, "--stack", "lab", "--non-interactive"),
  ];
}
