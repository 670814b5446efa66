/** Bounds what a plan can grow to: every host is told every voter and relay, so their product counts. */

import { type Report } from "../finding";
import { declaredVoters } from "../plan/voters";
import { type ReadFleet } from "../unvalidated";

const MAX_ENTRIES = 2_000_000;
const MAX_CHARACTERS = 60_000_000;
/** What an address and its port take beside a name. */
const ADDRESS_CHARACTERS = 24;

/** An error of the whole file where its peer lists would not fit; 2,000 hosts may have 1,000 voters and relays. */
export function findFanOut(fleet: ReadFleet): Report | undefined {
  const hosts = [...fleet.hosts.values()];
  const active = hosts.filter((host) => host.status.kind === "active" && host.p2pEnabled === true);
  const relays = active.filter((host) => host.relayCapable);
  const told = new Set([...declaredVoters(fleet), ...relays.map((host) => host.name)]);
  const characters = [...told].reduce((sum, name) => sum + name.length + ADDRESS_CHARACTERS, 0);
  const entries = told.size * active.length;
  if (entries <= MAX_ENTRIES && characters * active.length <= MAX_CHARACTERS) return undefined;
  return {
    code: "file-too-complex",
    path: ["hosts"],
    atKey: true,
    message: `${told.size} voters and relays for ${active.length} active hosts: every host is told all of them, and the lists would not fit`,
    hint: "a fleet needs some five to nine voters, and a few relays",
  };
}
