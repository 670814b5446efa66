import { Command } from "commander";
import { guarded } from "./action";
import { progress } from "./progress";

/** `fleet lab setup` */
export function setupCommand(): Command {
  return new Command("setup")
    .description("install what a lab needs and make what labs share; `up` does it by itself")
    .action(
      guarded(async () => {
        const { prepareMachine } = await import("../../lab/fleet/machineCheck");
        const { fillCache } = await import("../../lab/fleet/cache");
        const shown = progress();
        try {
          await prepareMachine(shown);
          const { base, wheels } = await fillCache(shown);
          shown.step(`ready: ${base}, ${wheels}`);
        } finally {
          shown.stop();
        }
      }),
    );
}
