import { Command } from "commander";
import { parseServices } from "../../lab/fleet/services";
import { guarded } from "./action";
import { progress } from "./progress";

/** `fleet lab setup` */
export function setupCommand(): Command {
  return new Command("setup")
    .description("install what a lab needs and make what labs share; `up` does it by itself")
    .option("--with <services>", "also what these stand-ins are made of: tailnet, cloudflare")
    .action(
      guarded(async (options: { with?: string }) => {
        const { prepareMachine } = await import("../../lab/fleet/machineCheck");
        const { fillCache } = await import("../../lab/fleet/cache");
        const services = options.with === undefined ? [] : parseServices(options.with);
        const shown = progress();
        try {
          await prepareMachine(shown);
          const { base, wheels } = await fillCache(shown);
          shown.step(`ready: ${base}, ${wheels}`);
          if (services.includes("tailnet")) {
            const { fillTailnetCache } = await import("../../lab/fleet/tailnetCache");
            shown.step(`ready: ${(await fillTailnetCache(shown)).mirror}`);
          }
        } finally {
          shown.stop();
        }
      }),
    );
}
