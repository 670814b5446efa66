import { execFile, spawn } from "node:child_process";
import * as os from "node:os";
import * as path from "node:path";
import { main } from "../commands/main";
import { chooseEngine } from "./choose";

/** Far more than a CLI needs that is read from a cold disk by a busy machine: who is late would be passed over. */
const VERSION_MILLISECONDS = 20_000;

/**
 * Entry of lab/bin/pulumi: hands the command line to the real CLI or runs it here, and says which on stderr.
 * @param ownFolder folder of our own executables; its providers are found first when the embedded engine runs
 * @param guard path of programGuard.js
 */
export async function launch(
  argv: readonly string[],
  ownFolder: string,
  guard: string,
): Promise<void> {
  const { env } = process;
  try {
    const folder = folderOf(argv);
    const choice = await chooseEngine({ environment: env, folder, ownFolder, versionOf });
    process.stderr.write(`engine: ${choice.engine} (${choice.reason})\n`);
    if (choice.executable) return handOver(choice.executable, argv);
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  }
  env["PATH"] = [ownFolder, ...(env["PATH"] ?? "").split(path.delimiter)].join(path.delimiter);
  const code = await main(argv, guard);
  // What was printed last may still be on its way into a pipe.
  await Promise.all([drained(process.stdout), drained(process.stderr)]);
  process.exit(code);
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once("error", () => resolve());
    stream.write("", () => resolve());
  });
}

/** The folder that `--cwd` names, for it is there that the program lies. */
function folderOf(argv: readonly string[]): string {
  const index = argv.findIndex((word) => word === "-C" || word === "--cwd");
  const joined = argv.find((word) => word.startsWith("--cwd="))?.slice("--cwd=".length);
  return path.resolve(joined ?? (index >= 0 ? (argv[index + 1] ?? ".") : "."));
}

function versionOf(executable: string): Promise<string | undefined> {
  const options = {
    timeout: VERSION_MILLISECONDS,
    env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
  };
  return new Promise((resolve) => {
    execFile(executable, ["version"], options, (error, stdout) => {
      // A CLI built from source says no version.
      resolve(error ? undefined : stdout.trim() || "of an unknown version");
    });
  });
}

/** Runs the real CLI on the same terminal; signals reach it by themselves there, others are passed on. */
function handOver(executable: string, argv: readonly string[]): void {
  const child = spawn(executable, [...argv], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      const isSharedTerminal = signal === "SIGINT" && process.stdin.isTTY;
      if (!isSharedTerminal) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    process.stderr.write(`error: ${error.message}\n`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    process.exit(signal ? 128 + os.constants.signals[signal] : (code ?? 1));
  });
}
