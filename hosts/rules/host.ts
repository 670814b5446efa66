/** Rules over the keys of one host. */

import { BOOLEAN_WORDS } from "../fields";
import { isLoopback } from "../fleet";
import { quote, type Report } from "../finding";
import { didYouMean } from "../near";
import { isRelayed, relayReason } from "../plan/addresses";
import { aiServicePathOf, isRepositoryRoot, readVenvActivate } from "../plan/paths";
import { HOST_SCHEMA } from "../schema";
import { ACTIVE_WORDS, deadWord, INACTIVE_WORDS } from "../status";
import { isPlaceholder, type ReadHost } from "../unvalidated";

/** Values that refuse the host. */
export function hostValueRules(host: ReadHost): Report[] {
  const at = (key: string) => ["hosts", host.name, key];
  const reports: Report[] = [];
  for (const [key, value] of host.written) {
    if (Object.hasOwn(HOST_SCHEMA, key) && isPlaceholder(value)) {
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
      hint: didYouMean(host.status.word, words).hint ?? `known are ${words.join(", ")}`,
    });
  }
  return reports;
}

/** Things that somebody should look at; the host is deployed all the same. */
export function hostNoteRules(host: ReadHost): Report[] {
  return [...booleanWords(host), ...(host.status.kind === "active" ? activeHostNotes(host) : [])];
}

function booleanWords(host: ReadHost): Report[] {
  const booleans = Object.entries(HOST_SCHEMA).filter(
    ([, type]) => (type.meta() as { type?: string } | undefined)?.type === "boolean",
  );
  return booleans.flatMap(([key]) => {
    const text = host.written.get(key);
    if (text === undefined || !Object.hasOwn(BOOLEAN_WORDS, text.toLowerCase())) return [];
    return [
      {
        code: "boolean-word" as const,
        path: ["hosts", host.name, key],
        message: `${quote(text)} is taken as ${BOOLEAN_WORDS[text.toLowerCase()]}; other readers of the file may see a text`,
        hint: `write ${BOOLEAN_WORDS[text.toLowerCase()]}`,
      },
    ];
  });
}

function activeHostNotes(host: ReadHost): Report[] {
  const at = (key: string) => ["hosts", host.name, key];
  const reports: Report[] = [];
  const dead = deadWord(host.note);
  if (dead !== undefined && host.p2pEnabled === true) {
    reports.push({
      code: "dead-note",
      path: at("note"),
      message: `the host is ${host.status.word}, but its note says ${quote(dead)}; it is deployed, and the probe will tell`,
      hint: "set status: retired if the machine is gone, or mend the note",
    });
  }
  if (host.p2pEnabled === undefined && !host.written.has("p2p_enabled")) {
    reports.push({
      code: "p2p-enabled-missing",
      path: ["hosts", host.name],
      atKey: true,
      message:
        "p2p_enabled is not set, and readers of the file disagree about what that means; the host is skipped",
      hint: "write p2p_enabled: true or p2p_enabled: false",
    });
  }
  if (readVenvActivate(host.venvActivate).kind === "other") {
    reports.push({
      code: "venv-activate",
      path: at("venv_activate"),
      message: `${quote(host.venvActivate)} does not name a venv; the system's python3 is used`,
      hint: "write source <venv>/bin/activate",
    });
  }
  if (
    host.natBlocked !== host.forceRelay &&
    host.written.has("nat_blocked") &&
    host.written.has("force_relay_mode") &&
    isRelayed(host)
  ) {
    reports.push({
      code: "relay-flags",
      path: at(host.natBlocked ? "force_relay_mode" : "nat_blocked"),
      message: `relay mode is on, because ${relayReason(host)} is true; a false of the other flag does not cancel it`,
    });
  }
  if (host.ringriftPath !== undefined && isRepositoryRoot(host.ringriftPath)) {
    reports.push({
      code: "repo-root",
      path: at("ringrift_path"),
      message: `does not end in ai-service; ${quote(aiServicePathOf(host))} is used`,
    });
  }
  if (host.ssh.userInHost !== undefined && host.ssh.userInHost === host.ssh.user) {
    reports.push({
      code: "user-in-host",
      path: at("ssh_host"),
      message: `ssh_host is split into user ${quote(host.ssh.userInHost)} and host ${quote(host.ssh.host)}`,
      hint: "write the user in ssh_user",
    });
  }
  const isPinned = host.ssh.hostKey !== null || host.written.has("ssh_host_key");
  if (!isPinned && host.p2pEnabled === true && !isLoopback(host.ssh.host)) {
    reports.push({
      code: "host-key-missing",
      path: ["hosts", host.name],
      atKey: true,
      message: "no ssh_host_key is pinned; until then the host is untrusted and left alone",
      hint: `fleet trust ${host.name}`,
    });
  }
  return reports;
}
