/** A lab of some of the lab's hosts, on which nothing has to be installed: converges in seconds. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument, stringify } from "yaml";
import { projectRoot } from "../../lab/fleet/projectRoot";

export interface LabFiles {
  readonly inventory: string;
  readonly machines: string;
}

export interface SmallLab {
  readonly hosts: readonly string[];
  readonly voters: readonly string[];
  /** Hosts with nobody behind their address. */
  readonly dead?: readonly string[];
  /** Containers whose /workspace outlives their disk. */
  readonly volumes?: readonly string[];
}

const MACHINE = { kind: "systemd", tun: true, modules: true };

/** Writes inventory and machines of a part of the lab's fleet into a folder. */
export function smallLab(
  folder: string,
  { hosts, voters, dead = [], volumes = [] }: SmallLab,
): LabFiles {
  const document = parseDocument(readFileSync(join(projectRoot(), "lab", "lab.yaml"), "utf8"));
  const all = (document.toJS() as { hosts: Record<string, unknown> }).hosts;
  for (const host of Object.keys(all))
    if (!hosts.includes(host)) document.deleteIn(["hosts", host]);
  document.setIn(["p2p_voters"], voters);
  const kinds: Record<string, object> = {
    c1: { kind: "supervisord", modules: true },
    c2: { kind: "bare", modules: true },
    d1: { kind: "dead" },
  };
  const machines = Object.fromEntries(
    hosts.map((host) => [
      host,
      {
        ...(dead.includes(host) ? { kind: "dead" } : (kinds[host] ?? MACHINE)),
        ...(host === "h3" && { venv: true }),
        ...(volumes.includes(host) && { volume: true }),
      },
    ]),
  );
  const files = { inventory: join(folder, "fleet.yaml"), machines: join(folder, "machines.yaml") };
  writeFileSync(files.inventory, document.toString({ lineWidth: 0 }));
  writeFileSync(files.machines, stringify(machines));
  return files;
}
