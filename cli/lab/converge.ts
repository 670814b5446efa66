import { type Lab } from "../../lab/fleet/lab";
import { run } from "../../lab/fleet/run";
import { foreground } from "./foreground";

/**
 * Runs the Pulumi program on a lab, with this process's terminal; its output goes to standard error, so that standard
 * output holds the result alone.
 * @returns the program's exit code
 */
export async function converge(lab: Lab, args: readonly string[]): Promise<number> {
  const { programCommands } = await import("../../lab/fleet/program");
  const commands = programCommands(lab, args);
  for (const { argv, env, cwd } of commands.slice(0, -1)) {
    const { code, stdout, stderr } = await run(argv, { env, cwd });
    if (code !== 0) {
      process.stderr.write(stdout + stderr);
      return code ?? 1;
    }
  }
  const last = commands[commands.length - 1];
  return last === undefined
    ? 0
    : foreground(last.argv, { env: last.env, cwd: last.cwd, stdout: 2 });
}
