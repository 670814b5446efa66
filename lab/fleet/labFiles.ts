import { writeFileSync } from "node:fs";
import { type Machine } from "../hosts/machine";
import { withLabKeys } from "./inventoryCopy";
import { type KeyPair } from "./keys";
import { type LabDirectory } from "./labDirectory";
import { renderKnownHosts, renderSshConfig } from "./sshConfig";

/** The keys that belong to one lab. */
export interface LabKeys {
  /** Logs in to every host. */
  readonly operator: KeyPair;
  /** Host name → its SSH host key. */
  readonly hosts: ReadonlyMap<string, KeyPair>;
}

/** Writes what those who use a lab need: keys, the inventory with the keys in it, known_hosts and ssh_config. */
export function writeLabFiles(
  directory: LabDirectory,
  inventory: string,
  machines: readonly Machine[],
  keys: LabKeys,
): void {
  const pins = new Map([...keys.hosts].map(([name, pair]) => [name, pair.public]));
  const key = directory.operatorKey();
  writeFileSync(key, keys.operator.private, { mode: 0o600 });
  writeFileSync(`${key}.pub`, `${keys.operator.public}\n`);
  writeFileSync(directory.inventory(), withLabKeys(inventory, key, pins));
  writeFileSync(directory.knownHosts(), renderKnownHosts(machines, pins));
  writeFileSync(directory.sshConfig(), renderSshConfig(machines, key, directory.knownHosts()));
}
