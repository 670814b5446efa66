/** What all dials of one run share: bounds, and what is read or looked up once. */

import { availableParallelism } from "node:os";
import { Credentials } from "./credentials";
import { Gateways } from "./gateways";
import { type Lease, makeLease } from "./lease";
import { HANDSHAKES_PER_CORE, LEASE, PARALLEL } from "./limits";
import { Names } from "./tcp";

export interface Switchboard {
  readonly credentials: Credentials;
  readonly names: Names;
  readonly gateways: Gateways;
  /** Connection and banner. */
  readonly dials: Lease;
  /** Key exchange and login, which cost CPU here. */
  readonly handshakes: Lease;
  /** What is run on hosts, once logged in. */
  readonly scripts: Lease;
}

/** @param parallel scripts at the same time */
export function makeSwitchboard(parallel = PARALLEL): Switchboard {
  return {
    credentials: new Credentials(),
    names: new Names(),
    gateways: new Gateways(),
    dials: makeLease(PARALLEL, LEASE.dial),
    handshakes: makeLease(HANDSHAKES_PER_CORE * availableParallelism(), LEASE.handshake),
    scripts: makeLease(parallel, LEASE.script),
  };
}
