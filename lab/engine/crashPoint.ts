/** The moments at which a crash has to leave a state that the next run can make good. */
export type Boundary = "before-call" | "after-call" | "before-save" | "after-save";

const counts = new Map<string, number>();

/**
 * Kills this process with SIGKILL where PULUMI_ENGINE_CRASH_AT=`<boundary>:<n>[:<method>]` says: at the n-th time that
 * the boundary is passed, counted for the method alone if one is named. For the crash tests; unset it does nothing.
 */
export function crashPoint(boundary: Boundary, method = ""): void {
  const wish = process.env["PULUMI_ENGINE_CRASH_AT"];
  if (wish === undefined) return;
  const [wantedBoundary, number, wantedMethod] = wish.split(":");
  if (boundary !== wantedBoundary || (wantedMethod ?? method) !== method) return;
  const count = (counts.get(wish) ?? 0) + 1;
  counts.set(wish, count);
  if (count === Number(number)) process.kill(process.pid, "SIGKILL");
}
