import { type Command } from "commander";
import { notes } from "../helpText";
import { guarded, labSubcommand } from "./action";
import { foreground } from "./foreground";

/** `fleet lab exec` */
export function execCommand(): Command {
  return labSubcommand("exec", "run a command in the lab's network, with this machine's files")
    .argument("<command...>", "after --")
    .passThroughOptions()
    .addHelpText("after", notes("Its exit code is the command's. It ends with the lab."))
    .action(
      guarded(async (command: string[], options: { id?: string }) => {
        const { Lab } = await import("../../lab/fleet/lab");
        process.exitCode = await foreground(Lab.attach(options.id).argv(command));
      }),
    );
}
