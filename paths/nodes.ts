/** The list of nodes that every forwarder has: the same text on all hosts. */

import { hostPort } from "../hosts/plan/addresses";
import { alikeDevices, deviceName } from "../hosts/plan/deviceName";
import { type DeployHostPlan, type FleetPlan } from "../hosts/plan/types";
import { isMapped, knownAddresses, type KnownAddresses } from "./routes";

interface NodeEntry {
  readonly number: number;
  readonly port: number;
  /** Voters and relays: their paths are looked at all the time, the others' only when something is wrong. */
  readonly watch?: true;
  readonly methods?: readonly string[];
  /** Name and tag of the device in the tailnet, which is where forwarders look first. */
  readonly device?: string;
  readonly deviceTag?: string;
  readonly tailscale?: string;
  readonly cloudflare?: string;
  /** With a port only where it is not the forwarders' own. */
  readonly direct?: string;
}

/**
 * @param learn for hosts that know nothing but the entry: they get the other nodes from whoever answers there
 * @returns JSON with sorted names: the same plan gives the same bytes
 */
export function renderNodes(plan: FleetPlan, known: KnownAddresses, learn = false): string {
  const deployed = [...plan.hosts.values()].filter((host) => host.action === "deploy");
  const alike = alikeDevices(plan);
  const entries = deployed.map((host): [string, NodeEntry] => {
    // A name that two devices have tells nothing: there the inventory's address counts.
    const device = known.joins === true && !alike.has(deviceName(host.name));
    return [host.name, nodeEntry(host, known, device)];
  });
  const lines = entries.map(
    ([name, entry]) => `  ${JSON.stringify(name)}: ${JSON.stringify(entry)}`,
  );
  const head = {
    methods: plan.methods.filter((method) => method !== "relay" && method !== "none"),
    ...(known.entry === null ? {} : { entry: known.entry }),
    ...(learn ? { learn } : {}),
  };
  // One line a node, so that a difference shows the nodes that differ.
  return `${JSON.stringify(head).slice(0, -1)},"nodes":{\n${lines.join(",\n")}\n}}\n`;
}

function nodeEntry(host: DeployHostPlan, known: KnownAddresses, device: boolean): NodeEntry {
  const { tailscale, cloudflare, direct } = knownAddresses(host, known);
  return {
    number: host.number,
    port: host.port,
    ...(host.voter || host.relayHub ? { watch: true } : {}),
    ...(host.methods === null ? {} : { methods: host.methods }),
    ...(device ? { device: deviceName(host.name), deviceTag: `tag:${host.authKey.class}` } : {}),
    ...(tailscale === null ? {} : { tailscale }),
    ...(cloudflare === null ? {} : { cloudflare }),
    ...(direct === null
      ? {}
      : { direct: isMapped(host) ? hostPort(direct, host.directPort) : direct }),
  };
}
