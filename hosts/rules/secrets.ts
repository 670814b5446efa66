/** Secrets in the file: it lies in a repository, and every host gets a copy of it. */

import { type Path, type Report } from "../finding";

/** What the names of secrets end in. */
const SECRET_NAME = /(^|_)(token|secret|password|passphrase|passwd|credentials?|api_?key|key)$/i;
/** Keys that end so and hold a path, a public key or a name. */
const HARMLESS = /^(ssh_key|ssh_host_key|public_key|.*_public_key|storage_key)$/i;
/** How secrets themselves begin: a private key, Tailscale's keys, access keys of AWS. */
const SECRET_VALUE = /-----BEGIN [A-Z ]*PRIVATE KEY-----|\btskey-[a-z]+-\w|\bAKIA[0-9A-Z]{16}\b/;
/** A path, a variable or a word for nothing is no secret. */
const REFERENCE = /^(~?\/|\$|\.\.?\/|file:|<|none$|null$|true$|false$|\d{1,5}$)/i;

/** Looks at every text of the file; the message never holds the value. */
export function secretRules(root: unknown): Report[] {
  return secretsIn(root, []);
}

function secretsIn(value: unknown, path: Path): Report[] {
  if (typeof value === "string") return isSecret(path.at(-1), value) ? [reportOf(path)] : [];
  if (Array.isArray(value))
    return (value as unknown[]).flatMap((item, index) => secretsIn(item, [...path, index]));
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, item]) => secretsIn(item, [...path, key]));
}

function isSecret(key: string | number | undefined, value: string): boolean {
  if (SECRET_VALUE.test(value)) return true;
  if (typeof key !== "string" || HARMLESS.test(key) || !SECRET_NAME.test(key)) return false;
  return value.trim() !== "" && !REFERENCE.test(value.trim());
}

function reportOf(path: Path): Report {
  return {
    code: "secret-in-file",
    path,
    message: "looks like a secret, and this file is in a repository and on every host",
    hint: "take it out, change it, and give it as pulumi config set --secret",
  };
}
