/** Rules over `ssh_jump`. */

import { quote, type Report } from "../finding";
import { findJump } from "../plan/connection";
import { type ReadFleet, type ReadHost } from "../unvalidated";

export function jumpRules(host: ReadHost, fleet: ReadFleet): Report[] {
  const text = host.ssh.jump;
  if (text === null) return [];
  const path = ["hosts", host.name, "ssh_jump"];
  const jump = findJump(host, fleet);
  if (!jump) {
    return [
      {
        code: "jump-unknown",
        path,
        message: `${quote(text)} is neither a host of the file nor user@host[:port]`,
        ...fleet.suggestName(text),
      },
    ];
  }
  if (jump.name === null) return [];
  const further = fleet.hosts.get(jump.name)?.ssh.jump ?? null;
  if (jump.name === host.name || further === host.name) {
    const way = jump.name === host.name ? [host.name] : [host.name, jump.name];
    const circle = [...way, host.name].map(quote).join(" → ");
    return [{ code: "jump-cycle", path, message: `the way leads in a circle: ${circle}` }];
  }
  if (further === null) return [];
  // SSH plugins carry one jump host; a longer chain is refused here and not when it fails.
  const message = `${quote(text)} is itself reached through ${quote(further)}; only one jump host is possible`;
  return [{ code: "jump-chain", path, message }];
}
