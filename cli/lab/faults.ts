import { type Command } from "commander";
import { FAULT_SUMMARIES } from "../../lab/hosts/faults/summaries";
import { glossary } from "../helpText";
import { guarded, labSubcommand } from "./action";

/** `fleet lab break` */
export function breakCommand(): Command {
  return labSubcommand("break", "make something go wrong on a host, until it is healed")
    .argument("<host>", "a host of the lab")
    .argument("<fault>", "one of the list below")
    .addHelpText("after", glossary("Faults:", FAULT_SUMMARIES))
    .action(
      guarded(async (host: string, fault: string, options: { id?: string }) => {
        const { Lab } = await import("../../lab/fleet/lab");
        const { requireFault } = await import("../../lab/hosts/faults");
        const lab = Lab.attach(options.id);
        const made = await lab.break(host, requireFault(fault));
        process.stdout.write(`${host}: ${fault}${made ? "" : " (already)"}\n`);
      }),
    );
}

/** `fleet lab heal` */
export function healCommand(): Command {
  return labSubcommand("heal", "undo a host's faults")
    .argument("<host>", "a host of the lab")
    .argument("[fault]", "only this one")
    .action(
      guarded(async (host: string, fault: string | undefined, options: { id?: string }) => {
        const { Lab } = await import("../../lab/fleet/lab");
        const { requireFault } = await import("../../lab/hosts/faults");
        const lab = Lab.attach(options.id);
        const healed = await lab.heal(host, fault === undefined ? undefined : requireFault(fault));
        process.stdout.write(`${host}: ${healed.join(", ") || "nothing to heal"}\n`);
      }),
    );
}

/** `fleet lab restart` */
export function restartCommand(): Command {
  return labSubcommand("restart", "reboot a machine, or kill and start a container")
    .argument("<host>", "a host of the lab")
    .action(
      guarded(async (host: string, options: { id?: string }) => {
        const { Lab } = await import("../../lab/fleet/lab");
        const started = performance.now();
        await Lab.attach(options.id).restart(host);
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        process.stdout.write(`${host}: back after ${seconds} s\n`);
      }),
    );
}
