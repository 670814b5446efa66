import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import * as path from "node:path";
import * as readline from "node:readline";
import { EngineError, messageOf } from "../errors";
import { delay, killGroup } from "../host/plugin";
import { type Project } from "../project/project";
import { type StackConfig } from "../project/stackConfig";

export interface ProgramOptions {
  project: Project;
  stack: string;
  isPreview: boolean;
  parallel: number;
  config: StackConfig;
  engineAddress: string;
  environment: NodeJS.ProcessEnv;
  /** Path of programGuard.js. */
  guard: string;
  onLine(line: string): void;
}

/** How a program ended: its exit code, or the signal that killed it. */
export interface ProgramEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** The exit code by which the SDK says that it has told the user everything already. */
export const ALREADY_REPORTED = 32;

const GRACE_MILLISECONDS = 2_000;

/** The user's program, run by the SDK's own runner in a process group of its own. */
export class Program {
  readonly ended: Promise<ProgramEnd>;

  private constructor(private readonly child: ChildProcess) {
    this.ended = new Promise((resolve, reject) => {
      child.once("error", (error) => reject(new EngineError(`starting node: ${error.message}`)));
      child.once("close", (code, signal) => resolve({ code, signal }));
    });
  }

  /** @throws EngineError when the SDK is not installed beside the program. */
  static start(options: ProgramOptions): Program {
    const child = spawn(process.execPath, programArguments(options), {
      cwd: options.project.programFolder,
      env: programEnvironment(options),
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) readline.createInterface({ input: stream }).on("line", options.onLine);
    }
    return new Program(child);
  }

  /** Ends the program: politely, and after two seconds by force. */
  async stop(): Promise<void> {
    killGroup(this.child, "SIGTERM");
    await Promise.race([this.ended.catch(() => undefined), delay(GRACE_MILLISECONDS)]);
    this.kill();
  }

  /** Kills the program and everything it started. */
  kill(): void {
    killGroup(this.child);
  }
}

function programArguments(options: ProgramOptions): string[] {
  const { project, stack } = options;
  const flags = {
    monitor: options.engineAddress,
    engine: options.engineAddress,
    organization: "organization",
    project: project.name,
    "root-directory": project.root,
    stack,
    pwd: project.programFolder,
    parallel: String(options.parallel),
  };
  return [
    ...project.nodeArgs,
    options.guard,
    findRunner(project.programFolder),
    ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]),
    ...(options.isPreview ? ["--dry-run"] : []),
    project.entryPoint,
  ];
}

function programEnvironment(options: ProgramOptions): NodeJS.ProcessEnv {
  const { project, config } = options;
  return {
    ...options.environment,
    PULUMI_CONFIG: JSON.stringify(config.values),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(config.secretKeys),
    ...(project.typescript && { PULUMI_NODEJS_TYPESCRIPT: "true" }),
    ...(project.tsconfig && { PULUMI_NODEJS_TSCONFIG_PATH: project.tsconfig }),
  };
}

function findRunner(folder: string): string {
  try {
    const runner = "@pulumi/pulumi/cmd/run/index.js";
    return createRequire(path.join(folder, "index.js")).resolve(runner);
  } catch (error) {
    throw new EngineError(
      `the Pulumi SDK is not installed for the program in ${folder}: run npm install (${messageOf(error)})`,
    );
  }
}
