import type * as pulumi from "@pulumi/pulumi";
import { Tunnel, type TunnelArgs } from "./tunnel";

/** The fleet's shared entry: any of the effective voters answers, whichever connector the edge takes. */
export class EntryTunnel extends Tunnel {
  constructor(args: TunnelArgs, opts?: pulumi.ComponentResourceOptions) {
    super("p2p:components:EntryTunnel", "entry", args, opts);
  }
}
