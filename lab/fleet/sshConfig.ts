import { type Machine } from "../hosts/machine";

/** The known_hosts file of a lab: one pinned key per address. */
export function renderKnownHosts(
  machines: readonly Machine[],
  hostKeys: ReadonlyMap<string, string>,
): string {
  return machines
    .filter(({ name }) => hostKeys.has(name))
    .map(({ name, address }) => `${address} ${hostKeys.get(name)}\n`)
    .join("");
}

/** The ssh_config of a lab: `ssh -F FILE HOST` reaches each host by its name, with this lab's keys and no others. */
export function renderSshConfig(
  machines: readonly Machine[],
  operatorKey: string,
  knownHosts: string,
): string {
  const hosts = machines.map(
    ({ name, address, user }) => `Host ${name}\n  HostName ${address}\n  User ${user}\n`,
  );
  return `${hosts.join("")}Host *
  IdentityFile ${operatorKey}
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile ${knownHosts}
  GlobalKnownHostsFile none
  StrictHostKeyChecking yes
  PasswordAuthentication no
  BatchMode yes
  ConnectTimeout 60
  LogLevel ERROR
`;
}
