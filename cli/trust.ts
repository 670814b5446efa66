/** `fleet trust`: records the hosts' keys in the inventory, for review with the change that adds them. */

import { Command } from "commander";
import { notes } from "./helpText";
import { DEFAULT_INVENTORY } from "./inventoryFile";
import { type TrustOptions } from "./trust/run";

const collect = (name: string, names: readonly string[]): string[] => [...names, name];

export function trustCommand(): Command {
  return new Command("trust")
    .description(
      "Read host keys by a key exchange, show their fingerprints and record them in the inventory.",
    )
    .argument("[host...]", "hosts of the inventory")
    .option("--all", "every host that is deployed, and the jump hosts on the way to them")
    .option("--file <file>", "inventory", DEFAULT_INVENTORY)
    .option("-y, --yes", "record without asking")
    .option("--replace <host>", "record a key in place of a different one; repeatable", collect, [])
    .option("--json", "print JSON (docs/json.md); records only with --yes")
    .addHelpText(
      "after",
      notes(
        "Compare a fingerprint with what the host's console or provider shows before you record it.",
        "Exit codes: 0 every host asked for is recorded, 1 some are not, 2 wrong usage.",
      ),
    )
    .action(async (hosts: string[], options: TrustOptions) => {
      // ssh2 is loaded only by those who need it.
      const { runTrust } = await import("./trust/run");
      await runTrust(hosts, options);
    });
}
