/** Things about one host that somebody should look at; it is deployed all the same. */

import { BOOLEAN_WORDS } from "../fields";
import { isLoopback } from "../fleet";
import { type Path, quote, type Report } from "../finding";
import { isRelayed, relayReason } from "../plan/addresses";
import { aiServicePathOf, isRepositoryRoot, readVenvActivate } from "../plan/paths";
import { type Action, type FleetPlan } from "../plan/types";
import { HOST_SCHEMA } from "../schema";
import { deadWord } from "../status";
import { type ReadHost } from "../unvalidated";

const BOOLEAN_KEYS = Object.entries(HOST_SCHEMA)
  .filter(([, type]) => (type.meta() as { type?: string } | undefined)?.type === "boolean")
  .map(([key]) => key);

/** Of a host that is left alone only what may be the reason for that; of a refused one everything, in one go. */
export function hostNoteRules(host: ReadHost, plan: FleetPlan): Report[] {
  const action = plan.hosts.get(host.name)?.action ?? "refused";
  return [
    ...booleanWords(host),
    ...disabledNotes(host),
    ...(action === "skip" ? [] : [...deadNotes(host, action), ...readings(host)]),
    ...(action === "deploy" ? keyNotes(host) : []),
  ];
}

function booleanWords(host: ReadHost): Report[] {
  return BOOLEAN_KEYS.flatMap((key) => {
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

/** `p2p_enabled: "false"` is a text, and every text but the empty one is true to the daemon. */
export function quotedBooleanRules(places: readonly Path[]): Report[] {
  return places.flatMap((path): Report[] => {
    const [top, , key, ...below] = path;
    if (top !== "hosts" || below.length > 0 || !BOOLEAN_KEYS.includes(String(key))) return [];
    return [
      {
        code: "boolean-word",
        path,
        message: "stands in quotes: other readers of the file see a text, which counts as true",
        hint: "leave the quotes out",
      },
    ];
  });
}

function disabledNotes(host: ReadHost): Report[] {
  const isSaid = host.p2pEnabled !== undefined || host.written.has("p2p_enabled");
  if (isSaid || host.status.kind !== "active") return [];
  return [
    {
      code: "p2p-enabled-missing",
      path: ["hosts", host.name],
      atKey: true,
      message:
        "p2p_enabled is not set, and readers of the file disagree about what that means; the host is skipped",
      hint: "write p2p_enabled: true or p2p_enabled: false",
    },
  ];
}

function deadNotes(host: ReadHost, action: Action): Report[] {
  const dead = deadWord(host.note);
  if (dead === undefined || host.status.kind !== "active" || host.p2pEnabled !== true) return [];
  const but = `the host is ${host.status.word}, but its note says ${quote(dead)}`;
  return [
    {
      code: "dead-note",
      path: ["hosts", host.name, "note"],
      message: action === "deploy" ? `${but}; it is deployed, and the probe will tell` : but,
      hint: "set status: retired if the machine is gone, or mend the note",
    },
  ];
}

/** Where something else is used than what a reader of the file would think. */
function readings(host: ReadHost): Report[] {
  const at = (key: string) => ["hosts", host.name, key];
  const reports: Report[] = [];
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
  return reports;
}

function keyNotes(host: ReadHost): Report[] {
  if (host.ssh.hostKey !== null || isLoopback(host.ssh.host)) return [];
  return [
    {
      code: "host-key-missing",
      path: ["hosts", host.name],
      atKey: true,
      message: "no ssh_host_key is pinned; until then the host is untrusted and left alone",
      hint: `fleet trust ${host.name}`,
    },
  ];
}
