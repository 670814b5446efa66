import { spawn } from "node:child_process";

/**
 * Runs a command with this process's own terminal, and returns its exit code, 128 plus the number of the signal that
 * ended it. Signals from the terminal reach the command by themselves.
 */
export function foreground(
  argv: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string; stdout?: "inherit" | 2 } = {},
): Promise<number> {
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  return new Promise<number>((resolve, reject) => {
    const [command = "", ...args] = argv;
    const { env, cwd, stdout = "inherit" } = options;
    const child = spawn(command, args, { stdio: ["inherit", stdout, "inherit"], env, cwd });
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : 137)));
  }).finally(() => process.off("SIGINT", ignore));
}
