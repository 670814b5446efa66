import { spawn } from "node:child_process";
import { access, constants, stat } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { type ValueMap } from "../../wire";
import { findAssets, toArchive } from "./assets";
import { Capture } from "./capture";
import { forget, killGroup, remember } from "./children";
import { commandError } from "./goText";
import { type CommandOutputs, type LocalCommandInputs } from "./inputs";
import { previousOutput, type RunContext } from "./previous";

/**
 * The command's own shell runs under this one, in a process group of its own. Descriptor 3 is a pipe that the
 * provider holds: when the provider dies, however it dies, reading from it ends and the whole group goes too.
 */
const GUARD = `(read -r done <&3 || kill -9 0) </dev/null >/dev/null 2>&1 & exec 3<&-; exec "$@"`;

/**
 * Runs one command on this machine.
 * @param previous what the last run printed, offered to the command as variables
 */
export async function runLocal(
  command: string,
  inputs: LocalCommandInputs,
  previous: CommandOutputs,
  { signal, log }: RunContext,
): Promise<CommandOutputs & ValueMap> {
  const interpreter = inputs.interpreter?.length ? inputs.interpreter : ["/bin/sh", "-c"];
  const dir = inputs.dir ?? process.cwd();
  const problem = (await dirProblem(dir)) ?? (await programProblem(interpreter[0]!, dir));
  if (problem) throw commandError(problem, command, "");
  signal.throwIfAborted();

  const capture = new Capture(log, inputs.logging);
  const ending = await new Promise<string | undefined>((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", GUARD, "sh", ...interpreter, command], {
      cwd: dir,
      env: { ...process.env, ...inputs.environment, ...previousOutput(inputs, previous) },
      stdio: ["pipe", "pipe", "pipe", "pipe"],
      detached: true,
    });
    const guard = child.stdio[3] as NodeJS.WritableStream;
    const group = child.pid;
    if (group) remember(group);
    const onAbort = () => {
      if (group) killGroup(group);
      reject(signal.reason as Error);
    };
    const finish = () => {
      signal.removeEventListener("abort", onAbort);
      if (group) forget(group);
      capture.end();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    child.stdout!.on("data", (chunk: Buffer) => capture.writeStdout(chunk));
    child.stderr!.on("data", (chunk: Buffer) => capture.writeStderr(chunk));
    child.stdin!.on("error", () => undefined);
    guard.on("error", () => undefined);
    child.once("error", (error: NodeJS.ErrnoException) => {
      finish();
      resolve(error.code === "E2BIG" ? "argument list too long" : error.message);
    });
    // The command is over; what it left running on purpose may stay, and the guard goes.
    child.once("exit", () => guard.end("done\n"));
    child.once("close", (code, name) => {
      finish();
      resolve(describeExit(code, name));
    });
    child.stdin!.end(inputs.stdin ?? "");
  });
  if (ending) throw commandError(ending, command, capture.output);
  return { ...capture.outputs, ...(await collect(dir, inputs)) };
}

async function collect(dir: string, inputs: LocalCommandInputs): Promise<ValueMap> {
  const { assetPaths, archivePaths } = inputs;
  return {
    ...(assetPaths && { assets: await findAssets(dir, assetPaths) }),
    ...(archivePaths && { archive: toArchive(await findAssets(dir, archivePaths)) }),
  };
}

function describeExit(code: number | null, signal: NodeJS.Signals | null): string | undefined {
  if (signal) return `signal: ${SIGNAL_WORDS[signal] ?? signal.toLowerCase()}`;
  return code === 0 ? undefined : `exit status ${code}`;
}

/** Go's words for the signals that end commands. */
const SIGNAL_WORDS: Partial<Record<NodeJS.Signals, string>> = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGQUIT: "quit",
  SIGABRT: "aborted",
  SIGKILL: "killed",
  SIGSEGV: "segmentation fault",
  SIGPIPE: "broken pipe",
  SIGTERM: "terminated",
};

async function dirProblem(dir: string): Promise<string | undefined> {
  try {
    return (await stat(dir)).isDirectory() ? undefined : `chdir ${dir}: not a directory`;
  } catch {
    return `chdir ${dir}: no such file or directory`;
  }
}

async function programProblem(program: string, dir: string): Promise<string | undefined> {
  if (program.includes("/")) {
    const found = await isExecutable(program.startsWith("/") ? program : join(dir, program));
    return found ? undefined : `fork/exec ${program}: no such file or directory`;
  }
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (await isExecutable(join(folder, program))) return undefined;
  }
  return `exec: "${program}": executable file not found in $PATH`;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
