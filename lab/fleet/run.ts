import { spawn } from "node:child_process";
import { LabError } from "./labError";

export interface RunOptions {
  /** Written to standard input, which is closed after it. @default "" */
  readonly input?: string;
  /** @default this process's environment */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Milliseconds after which the command is killed and `code` is null. @default none */
  readonly timeout?: number;
  /** Kills the command. */
  readonly signal?: AbortSignal;
  /** Called with each line of either output as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  /** Exit code, null when a signal ended the command. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function lineSplitter(onLine: (line: string) => void): (chunk: string) => void {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split(/[\r\n]+/);
    rest = lines.pop() ?? "";
    lines.filter((line) => line !== "").forEach(onLine);
  };
}

/**
 * Runs a command to its end and returns what it said, whatever its exit code.
 * @throws LabError "failed" only when it cannot be started.
 */
export function run(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const [command = "", ...args] = argv;
    const child = spawn(command, args, {
      env: options.env,
      cwd: options.cwd,
      timeout: options.timeout,
      signal: options.signal,
      killSignal: "SIGKILL",
      stdio: "pipe",
    });
    const result = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      const split = options.onLine ? lineSplitter(options.onLine) : undefined;
      child[name].setEncoding("utf8").on("data", (chunk: string) => {
        result[name] += chunk;
        split?.(chunk);
      });
    }
    child.on("error", (error) =>
      reject(new LabError("failed", `${command}: cannot be started: ${error.message}`)),
    );
    child.on("close", (code) => resolve({ code, ...result }));
    // A command that does not read its input closes it early, which is no error of ours.
    child.stdin.on("error", () => undefined).end(options.input ?? "");
  });
}

/** Like run, but any exit code other than 0 is a LabError with the last lines of what the command said. */
export async function runChecked(
  what: string,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await run(argv, options);
  if (code === 0) return stdout;
  const said = (stderr.trim() || stdout.trim()).split("\n").slice(-8).join("\n");
  throw new LabError("failed", `${what}: exit code ${code ?? "none (killed)"}\n${said}`);
}
