/** A machine of a lab that is in nobody's fleet, and its owner's own stack, which knows one address of the mesh. */

import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { programCommands, pulumiBinary } from "../../lab/fleet/program";
import { run } from "../../lab/fleet/run";
import { type LabFleet } from "./labFleet";

const SETTINGS = "Pulumi.lab.yaml";

export interface Joining {
  /** A host of the lab's files that the lab's own fleet leaves alone. */
  readonly host: string;
  readonly entry: string;
  readonly fleetSecret: string;
  /** Service token for the entry: JSON. */
  readonly access: string;
}

/**
 * Converges that one host from a stack, an inventory and a state of its own.
 * @throws Error with everything that was printed, when a command fails
 */
export async function joinThroughEntry(
  { lab }: LabFleet,
  { host, entry, fleetSecret, access }: Joining,
): Promise<void> {
  const [command] = programCommands(lab, ["preview"]).slice(-1);
  if (!command) throw new Error("no command");
  const folder = lab.directory.file("newcomer");
  mkdirSync(join(folder, "state"), { recursive: true });
  for (const name of readdirSync(command.cwd))
    if (name !== SETTINGS) symlinkSync(join(command.cwd, name), join(folder, name));
  const { hosts } = parse(readFileSync(lab.inventory, "utf8")) as {
    hosts: Record<string, Record<string, unknown>>;
  };
  const inventory = {
    p2p_discovery: { cloudflare_endpoint: entry },
    hosts: { [host]: { ...hosts[host], p2p_enabled: true } },
  };
  writeFileSync(join(folder, "hosts.yaml"), stringify(inventory));
  const { config } = parse(readFileSync(join(command.cwd, SETTINGS), "utf8")) as {
    config: Record<string, unknown>;
  };
  const own = {
    "p2p:inventory": join(folder, "hosts.yaml"),
    "p2p:packageIndex": config["p2p:packageIndex"],
    "p2p:paths": { enabled: true },
  };
  writeFileSync(join(folder, SETTINGS), stringify({ config: own }));
  const env = {
    ...command.env,
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "of the newcomer",
  };
  const pulumi = async (words: readonly string[], input = "") => {
    const argv = lab.argv([pulumiBinary(), ...words, "--non-interactive"]);
    const { code, stdout, stderr } = await run(argv, { env, cwd: folder, input });
    if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}\n${stdout}\n${stderr}`);
  };
  const set = ["config", "set", "--stack", "lab", "--secret"];
  await pulumi(["stack", "select", "lab", "--create"]);
  await pulumi([...set, "p2p:fleetSecret"], fleetSecret);
  await pulumi([...set, "p2p:joinAccess"], access);
  await pulumi(["up", "--yes", "--skip-preview", "--suppress-outputs", "--stack", "lab"]);
}
