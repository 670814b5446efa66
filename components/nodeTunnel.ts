import type * as pulumi from "@pulumi/pulumi";
import { Tunnel, type TunnelArgs } from "./tunnel";

/**
 * One node's own way in: its name leads to its own daemon and to no other (D9).
 *
 * @example
 * const tunnel = new NodeTunnel("gpu-7", { hostname: "gpu-7.example.com", … });
 * await tunnel.publish([access]);
 */
export class NodeTunnel extends Tunnel {
  constructor(node: string, args: TunnelArgs, opts?: pulumi.ComponentResourceOptions) {
    super("p2p:components:NodeTunnel", node, args, opts);
  }
}
