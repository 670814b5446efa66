import { type Command } from "commander";
import { guarded, labSubcommand } from "./action";

/** `fleet lab down` */
export function downCommand(): Command {
  return labSubcommand("down", "end the lab; nothing of it is left")
    .option("--all", "every lab of this machine")
    .action(
      guarded(async (options: { id?: string; all?: boolean }) => {
        const { downLabs } = await import("../../lab/fleet/down");
        const ended = await downLabs(options.all === true ? "all" : options.id);
        process.stdout.write(ended.map((id) => `lab ${id}: down\n`).join("") || "no lab is up\n");
      }),
    );
}
