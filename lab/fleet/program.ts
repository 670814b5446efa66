import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { type Lab } from "./lab";
import { LabError } from "./labError";
import { projectRoot } from "./projectRoot";

/** What runs the Pulumi program: the lab's own engine, unless $FLEET_PULUMI names another (the real CLI). */
export function pulumiBinary(env: NodeJS.ProcessEnv = process.env): string {
  return env.FLEET_PULUMI ?? join(projectRoot(), "lab", "bin", "pulumi");
}

/** The stack configuration of one lab: the project's Pulumi.lab.yaml, with this lab's inventory. */
export function stackConfig(projectConfig: string, inventory: string): string {
  const document = parseDocument(projectConfig);
  document.setIn(["config", "p2p:inventory"], inventory);
  return document.toString({ lineWidth: 0 });
}

/** The environment of every Pulumi command on a lab: its own state, its own passphrase, nothing from a network. */
export function pulumiEnv(
  run: string,
  passphrase: string,
  env: NodeJS.ProcessEnv = process.env,
): NodeJS.ProcessEnv {
  return {
    ...env,
    PATH: `${join(projectRoot(), "lab", "bin")}:${env.PATH ?? ""}`,
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

/**
 * The command lines that run the unmodified program on a lab: the stack is made on first use.
 * @param args for example `["up", "--yes", "--skip-preview"]`
 * @throws LabError "state" while the project has no program
 */
export function programCommands(lab: Lab, args: readonly string[]): ProgramCommand[] {
  const cwd = projectRoot();
  const projectConfig = join(cwd, "Pulumi.lab.yaml");
  const pulumi = pulumiBinary();
  for (const file of [projectConfig, pulumi]) {
    if (!existsSync(file)) throw new LabError("state", `cannot converge: there is no ${file}`);
  }
  const config = lab.directory.file("Pulumi.lab.yaml");
  if (!existsSync(config)) {
    mkdirSync(lab.directory.file("state"), { recursive: true, mode: 0o700 });
    writeFileSync(lab.directory.file("passphrase"), randomBytes(16).toString("hex"), {
      mode: 0o600,
    });
    writeFileSync(config, stackConfig(readFileSync(projectConfig, "utf8"), lab.inventory));
  }
  const env = pulumiEnv(lab.directory.path, readFileSync(lab.directory.file("passphrase"), "utf8"));
  const common = ["--config-file", config, "--non-interactive"];
  const command = (...words: string[]): ProgramCommand => ({
    argv: lab.argv([pulumi, ...words]),
    env,
    cwd,
  });
  return [
    command("stack", "select", "lab", "--create", ...common),
    command(...args, "--stack", "lab", ...common),
  ];
}
