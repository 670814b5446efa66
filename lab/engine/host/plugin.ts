import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import * as readline from "node:readline";
import { credentials, Metadata } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineError } from "../errors";

/** Message limit of both ends in bytes; the SDK uses the same. */
export const GRPC_OPTIONS = {
  "grpc.max_receive_message_length": 1024 * 1024 * 400,
  "grpc.max_send_message_length": 1024 * 1024 * 400,
};

/** Its first start may bundle it, on a machine that is busy. */
const START_MILLISECONDS = 120_000;
const CANCEL_MILLISECONDS = 1_000;
const EXIT_MILLISECONDS = 5_000;

export interface PluginHost {
  engineAddress: string;
  folder: string;
  environment: NodeJS.ProcessEnv;
  /** Gets every line that a plugin prints. */
  onLine(plugin: string, line: string): void;
}

/** Finds an executable on a PATH; undefined when it is not there. */
export function findExecutable(name: string, searchPath: string | undefined): string | undefined {
  for (const folder of (searchPath ?? "").split(path.delimiter)) {
    if (folder === "") continue;
    const file = path.join(folder, name);
    try {
      fs.accessSync(file, fs.constants.X_OK);
      if (fs.statSync(file).isFile()) return file;
    } catch {
      // Not here: the next folder may have it.
    }
  }
  return undefined;
}

/** A running provider executable. */
export class Plugin {
  private readonly ended: Promise<void>;
  /** How the process ended, in words; undefined while it runs. */
  end: string | undefined;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
    readonly client: ResourceProviderClient,
  ) {
    this.ended = new Promise((resolve) => {
      child.once("exit", (code, signal) => {
        this.end = signal ? `was killed by ${signal}` : `exited with code ${code ?? "unknown"}`;
        resolve();
      });
    });
  }

  /**
   * Starts `pulumi-resource-<name>` from PATH and reads its port from the first line of its output. It gets a process
   * group of its own, so that what it starts can be ended with it, and a stdin that closes when the engine dies.
   * @throws EngineError when it is not found or does not answer within 120 s.
   */
  static async start(name: string, host: PluginHost): Promise<Plugin> {
    const executable = findExecutable(`pulumi-resource-${name}`, host.environment["PATH"]);
    if (!executable) {
      throw new EngineError(
        `no provider for package "${name}": pulumi-resource-${name} is not on PATH`,
      );
    }
    const child = spawn(executable, [host.engineAddress], {
      cwd: host.folder,
      env: host.environment,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    child.stdin.on("error", () => undefined);
    const port = await readPort(name, child, host);
    const address = `127.0.0.1:${port}`;
    const client = new ResourceProviderClient(address, credentials.createInsecure(), GRPC_OPTIONS);
    return new Plugin(name, child, client);
  }

  /** Tells the plugin to give up running calls. */
  cancel(): Promise<void> {
    return new Promise((resolve) => {
      const deadline = Date.now() + CANCEL_MILLISECONDS;
      this.client.cancel(new Empty(), new Metadata(), { deadline }, () => resolve());
    });
  }

  /** Ends the plugin: Cancel, SIGINT, and after 5 s the whole group by force. */
  async stop(): Promise<void> {
    if (this.end === undefined) {
      await this.cancel();
      this.child.kill("SIGINT");
      await Promise.race([this.ended, delay(EXIT_MILLISECONDS)]);
    }
    this.client.close();
    this.kill();
  }

  /** Kills the plugin and everything it started. */
  kill(): void {
    killGroup(this.child);
    this.child.stdin?.destroy();
  }
}

/** Kills a detached child's process group; one that is already gone is fine. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals = "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: nobody left.
  }
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

async function readPort(name: string, child: ChildProcess, host: PluginHost): Promise<number> {
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new EngineError(`pulumi-resource-${name} has no output`);
  readline.createInterface({ input: stderr }).on("line", (line) => host.onLine(name, line));
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer);
      killGroup(child);
      reject(new EngineError(`pulumi-resource-${name} did not start: ${reason}`));
    };
    const timer = setTimeout(() => fail("no port within 120 s"), START_MILLISECONDS);
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => fail(`ended with ${signal ?? `code ${code}`}`));
    let isFirst = true;
    readline.createInterface({ input: stdout }).on("line", (line) => {
      if (!isFirst) return host.onLine(name, line);
      isFirst = false;
      clearTimeout(timer);
      if (/^\d+$/.test(line.trim())) resolve(Number(line));
      else fail(`its first line is not a port number: ${line}`);
    });
  });
}
