/** What all dials of one run share: bounds, and what is read or looked up once. */

import { availableParallelism } from "node:os";
import pLimit, { type Limit } from "p-limit";
import { Credentials } from "./credentials";
import { Gateways } from "./gateways";
import { HANDSHAKES_PER_CORE, PARALLEL } from "./limits";
import { Names } from "./tcp";

export interface Switchboard {
  readonly credentials: Credentials;
  readonly names: Names;
  readonly gateways: Gateways;
  /** Key exchange and login, which cost CPU here. */
  readonly handshakes: Limit;
  /** From the dial to the end of the command, except for hosts that are slow to answer. */
  readonly sessions: Limit;
}

/** @param parallel logins and commands at the same time */
export function makeSwitchboard(parallel = PARALLEL): Switchboard {
  return {
    credentials: new Credentials(),
    names: new Names(),
    gateways: new Gateways(),
    handshakes: pLimit(HANDSHAKES_PER_CORE * availableParallelism()),
    sessions: pLimit(parallel),
  };
}
