import { type Command } from "commander";
import { guarded, labSubcommand } from "./action";
import { converge } from "./converge";

/** `fleet lab preview` */
export function previewCommand(): Command {
  return labSubcommand("preview", "show what the Pulumi program would change on the lab")
    .argument("[args...]", "further arguments of `pulumi preview`, after --")
    .action(
      guarded(async (args: string[], options: { id?: string }) => {
        const { Lab } = await import("../../lab/fleet/lab");
        process.exitCode = await converge(Lab.attach(options.id), ["preview", ...args], "inherit");
      }),
    );
}
