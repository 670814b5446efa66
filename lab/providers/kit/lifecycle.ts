import { fstatSync } from "node:fs";

/**
 * Ends the process when its engine does: at once on SIGINT, SIGTERM and SIGHUP, and when stdin closes, which is how
 * an engine that was killed is noticed. An engine waits for a plugin after SIGINT, and calls one that takes long broken.
 * @param onExit stops what must not outlive the process
 */
export function endWithEngine(onExit: () => void): void {
  process.once("exit", onExit);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(0));
  }
  if (!isHeldOpen(0)) return;
  process.stdin.once("end", () => process.exit(0));
  process.stdin.once("error", () => process.exit(0));
  process.stdin.resume();
}

/** True for a pipe or socket: something that somebody holds the other end of. Not for /dev/null or a terminal. */
function isHeldOpen(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false;
  }
}
