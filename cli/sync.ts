/** `fleet sync`: brings what others know about the hosts into the inventory, for review. */

import { Command } from "commander";
import { notes } from "./helpText";
import { DEFAULT_INVENTORY } from "./inventoryFile";
import { type SyncOptions } from "./sync/run";

export function syncCommand(): Command {
  const tailscale = new Command("tailscale")
    .description("Show the inventory's tailnet addresses against the tailnet's devices, as a diff.")
    .option("--file <file>", "inventory", DEFAULT_INVENTORY)
    .option("--write", "change the file; comments and order stay")
    .option("--from <file>", "go by what `pulumi stack output --json` printed, not by the API")
    .option("--json", "print JSON (docs/json.md)")
    .addHelpText(
      "after",
      notes(
        "The API's credentials come from the environment, as for Tailscale's Pulumi provider: TAILSCALE_API_KEY, or TAILSCALE_OAUTH_CLIENT_ID and TAILSCALE_OAUTH_CLIENT_SECRET.",
        "Exit codes: 0 the file is current, 1 it is not (or the API does not answer), 2 wrong usage.",
      ),
    )
    .action(async (options: SyncOptions) => {
      const { runSyncTailscale } = await import("./sync/run");
      await runSyncTailscale(options);
    });
  return new Command("sync")
    .description("Bring the inventory in line with what is known elsewhere.")
    .addCommand(tailscale);
}
