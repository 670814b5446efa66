/** Packets dropped between a lab's hosts, on the bridge: neither end is told, as in a network that has failed. */

import { type Lab } from "../../lab/fleet/lab";
import { LAB_ADDRESS } from "../../lab/fleet/network";
import { run } from "../../lab/fleet/run";
import { leaderOf } from "../../lab/hosts/boot";

/** Ports of the lab's tailnet that are no UDP: the relay, and the control server. */
const TAILNET_TCP = "{ 8443, 8081 }";
/** UDP that is not the tailnet's: DNS, and the connectors' QUIC. */
const OTHER_UDP = "{ 53, 7844 }";
/** Visitors, and the port that connectors dial. */
const EDGE_TCP = "{ 443, 7844 }";

/** A rule drops what it matches; addresses are the lab's. */
export type Rule = string;

/**
 * Everything of the tailnet that a host, or all of them, sends or gets.
 * @param from only packets that leave this host @param to only packets for this host
 */
export function tailnet({ from, to }: { from?: string; to?: string } = {}): Rule[] {
  const who = `${from ? `ip saddr ${from} ` : ""}${to ? `ip daddr ${to} ` : ""}`;
  return [
    `${who}udp dport != ${OTHER_UDP} udp sport != ${OTHER_UDP}`,
    `${who}tcp dport ${TAILNET_TCP}`,
    `${who}tcp sport ${TAILNET_TCP}`,
  ];
}

/** The edge, for visitors and connectors alike. */
export const EDGE: readonly Rule[] = [
  `ip daddr ${LAB_ADDRESS} tcp dport ${EDGE_TCP}`,
  `ip saddr ${LAB_ADDRESS} tcp sport ${EDGE_TCP}`,
];

export class Cuts {
  /** @param tools a systemd machine of the lab: its nftables are used, since this machine may have none */
  constructor(
    private readonly lab: Lab,
    private readonly tools: string,
  ) {}

  address(host: string): string {
    return this.lab.machine(host).address;
  }

  /** Drops exactly what these rules say from now on; no rules: everything passes. */
  async set(...rules: readonly Rule[]): Promise<void> {
    const lines = rules.map((rule) => `    ${rule} drop`).join("\n");
    const chain = (hook: string) =>
      `  chain ${hook} {\n    type filter hook ${hook} priority 0;\n${lines}\n  }\n`;
    const table = ["input", "forward", "output"].map(chain).join("");
    const input = `table bridge cuts\ndelete table bridge cuts\ntable bridge cuts {\n${table}}\n`;
    const { init } = this.lab;
    const leader = leaderOf(this.lab, this.tools);
    const { code, stderr } = await run(
      [
        "nsenter",
        `--mount=/proc/${init}/root/proc/${leader}/ns/mnt`,
        `--net=/proc/${init}/ns/net`,
        ...["--", "nft", "-f", "-"],
      ],
      { input },
    );
    if (code !== 0) throw new Error(`nft: ${stderr}`);
  }
}
