import { type Lab } from "../../lab/fleet/lab";
import { run } from "../../lab/fleet/run";
import { foreground } from "./foreground";

/**
 * Runs the Pulumi program on a lab, with this process's terminal.
 * @param stdout where its output goes; standard error (2) where standard output is to hold something else alone
 * @returns the program's exit code
 */
export async function converge(
  lab: Lab,
  args: readonly string[],
  stdout: "inherit" | 2,
): Promise<number> {
  const { programCommands } = await import("../../lab/fleet/program");
  const commands = programCommands(lab, args);
  for (const { argv, env, cwd } of commands.slice(0, -1)) {
    const result = await run(argv, { env, cwd });
    if (result.code !== 0) {
      process.stderr.write(result.stdout + result.stderr);
      return result.code ?? 1;
    }
  }
  const last = commands[commands.length - 1];
  return last === undefined ? 0 : foreground(last.argv, { env: last.env, cwd: last.cwd, stdout });
}
