/** Paths on a host, worked out once from what the file says; `~` is the login user's home. */

import { posix } from "node:path";
import { type Host } from "../fleet";
import { type Interpreter } from "./types";

/** /Users/<user> and /var/root on macOS, /home/<user> and /root elsewhere. */
export function homeOf(host: Host): string {
  if (host.isMac) return host.ssh.user === "root" ? "/var/root" : `/Users/${host.ssh.user}`;
  return host.ssh.user === "root" ? "/root" : `/home/${host.ssh.user}`;
}

function expand(path: string, home: string): string {
  const absolute = path === "~" || path.startsWith("~/") ? home + path.slice(1) : path;
  const normal = posix.normalize(absolute);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

/** True where `ringrift_path` names the repository instead of its ai-service directory. */
export function isRepositoryRoot(path: string): boolean {
  return posix.basename(expand(path, "/")) !== "ai-service";
}

/** The ai-service directory: the daemon looks for its config there and nowhere else. */
export function aiServicePathOf(host: Host): string {
  const path = expand(host.ringriftPath ?? "~", homeOf(host));
  return isRepositoryRoot(path) ? posix.join(path, "ai-service") : path;
}

export type VenvReading =
  | { readonly kind: "venv"; readonly path: string }
  | { readonly kind: "none" }
  /** Something else than an activation; it is not run, so it says nothing. */
  | { readonly kind: "other" };

/** Reads `source <venv>/bin/activate`; the text is data and never reaches a shell. */
export function readVenvActivate(text: string | undefined): VenvReading {
  const line = (text ?? "").trim();
  if (line === "" || line === ":") return { kind: "none" };
  const match = /^(?:source|\.)\s+(["']?)([~/][^"']*)\/bin\/activate\1$/.exec(line);
  const path = match?.[2];
  if (path === undefined || /[$`;&|<>(){}*?![\]\\\n]/.test(path)) return { kind: "other" };
  // Unquoted white space would end the word in a shell: more than one thing stands there.
  if (match?.[1] === "" && /\s/.test(path)) return { kind: "other" };
  return { kind: "venv", path };
}

export function interpreterOf(host: Host): Interpreter {
  const venv = readVenvActivate(host.venvActivate);
  if (venv.kind !== "venv") return { path: "python3", origin: "system" };
  return {
    path: posix.join(expand(venv.path, homeOf(host)), "bin/python"),
    origin: "venv_activate",
  };
}
