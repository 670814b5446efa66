/** Things that only one active host may have. */

import { hashNumber } from "../plan/number";
import { isLoopback } from "../fleet";
import { quote, type Report } from "../finding";
import { type Code } from "../codes";
import { type ReadFleet, type ReadHost } from "../unvalidated";

const MAX_SHOWN = 3;

interface Claim {
  readonly host: ReadHost;
  /** Key of the host at which a finding stands; undefined: the host itself. */
  readonly key: string | undefined;
  readonly value: string;
}

export function duplicateRules(fleet: ReadFleet): Report[] {
  const hosts = [...fleet.hosts.values()];
  const active = hosts.filter((host) => host.status.kind === "active" && host.p2pEnabled === true);
  const addresses = active.flatMap((host) =>
    host.tailnetAddress === null
      ? []
      : [{ host, key: writtenKey(host), value: host.tailnetAddress }],
  );
  const endpoints = active
    .filter((host) => host.ssh.host !== "" && !isLoopback(host.ssh.host) && host.ssh.jump === null)
    .map((host) => ({
      host,
      key: "ssh_host",
      value: `${host.ssh.host.toLowerCase()} port ${host.ssh.port}`,
    }));
  const ids = active.flatMap((host) =>
    Object.entries(host.instanceIds).map(([key, id]) => ({ host, key, value: `${key} ${id}` })),
  );
  const urls = active.flatMap((host) =>
    host.url === null ? [] : [{ host, key: "p2p_url", value: host.url }],
  );
  const publics = active.flatMap((host) =>
    host.publicHost === undefined
      ? []
      : [
          {
            host,
            key: "p2p_public_host",
            value: `${host.publicHost.toLowerCase()} port ${host.publicPort ?? host.port}`,
          },
        ],
  );
  return [
    ...conflicts("duplicate-p2p-address", urls, (value) => `${value} is also the tunnel of`),
    ...conflicts("duplicate-p2p-address", publics, (value) => `${value} is also the address of`),
    ...conflicts("duplicate-tailscale-ip", addresses, (value) => `${value} is also the address of`),
    ...conflicts("duplicate-endpoint", endpoints, (value) => `${value} is also where SSH finds`),
    ...conflicts("duplicate-instance-id", ids, (value) => `${value} is also the instance of`),
    ...numberCollisions(hosts),
  ];
}

function writtenKey(host: ReadHost): string {
  return (
    ["tailscale_ip", "ssh_host", "tailscale_ipv6"].find((key) => host.written.get(key)) ??
    "tailscale_ip"
  );
}

/** One report for each host of a group that claims the same value. */
function conflicts(
  code: Code,
  claims: readonly Claim[],
  text: (value: string) => string,
): Report[] {
  return groups(claims).flatMap((group) =>
    group.map(({ host, key, value }) => ({
      code,
      path: ["hosts", host.name, ...(key === undefined ? [] : [key])],
      message: `${text(quoteless(value))} ${others(group, host)}`,
    })),
  );
}

/** Also over hosts that are not deployed: others may still remember their numbers. */
function numberCollisions(hosts: readonly ReadHost[]): Report[] {
  const claims = hosts.map((host) => ({
    host,
    key: host.number === undefined ? undefined : "p2p_number",
    value: String(host.number ?? hashNumber(host.name)),
  }));
  const taken = new Set(claims.map(({ value }) => Number(value)));
  return groups(claims).flatMap((group) => {
    // An explicit number is somebody's decision: then only the others have to move.
    const movable = group.filter(({ key }) => key === undefined);
    const moving = movable.length > 0 ? movable : group;
    const which = moving.length > 1 ? ", if this is the newer one" : "";
    return moving.map(({ host, key, value }) => ({
      code: "number-collision" as const,
      path: ["hosts", host.name, ...(key === undefined ? [] : [key])],
      atKey: key === undefined,
      message: `node number ${value} is also the number of ${others(group, host)}`,
      hint: `write p2p_number: ${freeNumber(host.name, taken)} here${which}`,
    }));
  });
}

/** A number that nobody has; the same for the same file, whatever its order. */
function freeNumber(name: string, taken: ReadonlySet<number>): number {
  for (let turn = 2; ; turn += 1) {
    const number = hashNumber(`${name} ${turn}`);
    if (!taken.has(number)) return number;
  }
}

function groups(claims: readonly Claim[]): Claim[][] {
  const byValue = new Map<string, Claim[]>();
  for (const claim of claims) {
    const group = byValue.get(claim.value);
    if (group) group.push(claim);
    else byValue.set(claim.value, [claim]);
  }
  return [...byValue.values()].filter((group) => group.length > 1).map(sortedByName);
}

/** Sorted once for the whole group, because a file of mistakes can hold thousands in one. */
function sortedByName(group: readonly Claim[]): Claim[] {
  return [...group].sort((a, b) => (a.host.name < b.host.name ? -1 : 1));
}

/** @param group sorted by name */
function others(group: readonly Claim[], host: ReadHost): string {
  const names = group
    .slice(0, MAX_SHOWN + 1)
    .map((claim) => claim.host.name)
    .filter((name) => name !== host.name)
    .slice(0, MAX_SHOWN);
  const shown = names.map(quote).join(", ");
  const more = group.length - 1 - names.length;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function quoteless(value: string): string {
  return quote(value).slice(1, -1);
}
