/** The words of `status`. Readers of the file disagree about them (some ten incompatible rules), so every word is listed. */

export const ACTIVE_WORDS = ["ready", "active"] as const;

/** Words that mean: leave the host alone. */
export const INACTIVE_WORDS = [
  "archived",
  "destroyed",
  "disabled",
  "maintenance",
  "offline",
  "pending_setup",
  "proxy_only",
  "retired",
  "setup",
  "ssh_key_issue",
  "stopped",
  "terminated",
] as const;

export type Status =
  | { readonly kind: "active"; readonly word: string }
  | { readonly kind: "inactive"; readonly word: string }
  | { readonly kind: "unknown"; readonly word: string };

/** @param word lower-cased and trimmed; undefined (no status) counts as ready */
export function readStatus(word: string | undefined): Status {
  if (word === undefined) return { kind: "active", word: "absent, taken as ready" };
  if ((ACTIVE_WORDS as readonly string[]).includes(word)) return { kind: "active", word };
  if ((INACTIVE_WORDS as readonly string[]).includes(word)) return { kind: "inactive", word };
  return { kind: "unknown", word };
}

/** Words in a note that say the machine is gone, as seen in real files. */
const DEAD =
  /\b(terminated|destroyed|retired|decommissioned|deleted|dead|exited|gone|key rejected|no longer exists|shut ?down)\b/i;

/** The dead-sounding word of a note, or undefined. */
export function deadWord(note: string | undefined): string | undefined {
  return DEAD.exec(note ?? "")?.[0];
}
