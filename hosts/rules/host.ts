/** Rules over the keys of one host. */

import { quote, type Report } from "../finding";
import { suggestFrom } from "../near";
import { HOST_SCHEMA } from "../schema";
import { ACTIVE_WORDS, INACTIVE_WORDS } from "../status";
import { isPlaceholder, type ReadHost } from "../unvalidated";

/** Values that refuse the host. */
export function hostValueRules(host: ReadHost): Report[] {
  const at = (key: string) => ["hosts", host.name, key];
  const reports: Report[] = [];
  for (const [key, value] of host.written) {
    if (Object.hasOwn(HOST_SCHEMA, key) && isPlaceholder(key, value)) {
      reports.push({
        code: "placeholder",
        path: at(key),
        message: `${quote(value)} is a placeholder of the template`,
        hint: `fill in ${key}, or remove the key`,
      });
    }
  }
  if (host.ssh.host === "" && !host.written.has("ssh_host")) {
    reports.push({
      code: "missing-key",
      path: ["hosts", host.name, "ssh_host"],
      message: "ssh_host is missing: there is no way to log in",
    });
  }
  const { user, userInHost } = host.ssh;
  if (userInHost !== undefined && userInHost !== user) {
    reports.push({
      code: "ssh-user-conflict",
      path: at("ssh_host"),
      message: `ssh_host says user ${quote(userInHost)}, ssh_user says ${quote(user)}`,
      hint: "keep the user in ssh_user only",
    });
  }
  if (host.status.kind === "unknown") {
    const words = [...ACTIVE_WORDS, ...INACTIVE_WORDS];
    reports.push({
      code: "status-unknown",
      path: at("status"),
      message: `${quote(host.status.word)} is no known status; nothing is done to a host whose status is not understood`,
      hint: suggestFrom(words)(host.status.word).hint ?? `known are ${words.join(", ")}`,
    });
  }
  return reports;
}
