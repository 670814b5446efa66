/** Hosts behind one address share its sshd: they are dialled one after the other, with a pause between. */

import { setTimeout as sleep } from "node:timers/promises";
import { type Connection } from "../hosts/plan/types";
import { GATEWAY_PAUSE } from "./limits";

/** The address that the controller itself dials. */
export function gatewayOf({ host, jump }: Connection): string {
  return (jump?.host ?? host).toLowerCase().replace(/\.$/, "");
}

export class Gateways {
  readonly #last = new Map<string, Promise<void>>();

  /** @param pause milliseconds between the end of one dial and the start of the next */
  constructor(private readonly pause = GATEWAY_PAUSE) {}

  /** Runs `dial` when no earlier dial of the same gateway is under way. */
  async enter<T>(gateway: string, dial: () => Promise<T>): Promise<T> {
    const before = this.#last.get(gateway);
    let leave: () => void = () => undefined;
    const left = new Promise<void>((resolve) => (leave = resolve));
    this.#last.set(gateway, left);
    try {
      if (before) {
        await before;
        await sleep(this.pause);
      }
      return await dial();
    } finally {
      leave();
    }
  }
}
