import { type Command } from "commander";
import { guarded, labSubcommand, positive } from "./action";
import { foreground } from "./foreground";

/** `fleet lab ssh` */
export function sshCommand(): Command {
  return labSubcommand("ssh", "log in to a host of the lab, or run a command there")
    .argument("<host>")
    .argument("[command...]")
    .passThroughOptions()
    .action(
      guarded(async (host: string, command: string[], options: { id?: string }) => {
        const { Lab } = await import("../../lab/fleet/lab");
        const terminal = command.length === 0 && process.stdin.isTTY;
        const lab = Lab.attach(options.id);
        process.exitCode = await foreground(lab.sshArgv(host, command, terminal ? ["-t"] : []));
      }),
    );
}

/** `fleet lab logs` */
export function logsCommand(): Command {
  return labSubcommand("logs", "a host's newest log lines; works on hosts that are cut off, too")
    .argument("<host>")
    .option("-n, --lines <count>", "per source", "50")
    .option("--console", "what the host printed while it started")
    .action(
      guarded(async (host: string, options: { id?: string; lines: string; console?: boolean }) => {
        const { Lab } = await import("../../lab/fleet/lab");
        const lab = Lab.attach(options.id);
        const lines = positive("--lines", options.lines);
        process.exitCode = await foreground(
          options.console === true
            ? ["tail", "-n", String(lines), lab.directory.console(lab.machine(host).name)]
            : lab.logsArgv(host, lines),
        );
      }),
    );
}
