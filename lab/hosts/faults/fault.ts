import { run, type RunResult } from "../../fleet/run";
import { LabError } from "../../fleet/labError";
import { insideHost, type LabHandle } from "../boot";
import { type Machine } from "../machine";

/** Something that goes wrong on a host, and how it is undone. */
export interface Fault {
  /** Whether nobody can log in while it lasts. */
  readonly cutsOff: boolean;
  /** Whether a restart would end it, so that it has to be made again afterwards. */
  readonly endsWithRestart: boolean;
  /** Makes the fault; what undo() needs is returned and written down. */
  make(lab: LabHandle, machine: Machine): Promise<unknown>;
  /** Brings back exactly what make() took away, unless somebody else has mended it since. */
  undo(lab: LabHandle, machine: Machine, made: unknown): Promise<void>;
}

/**
 * Runs a shell script on a host as root, past its network and sshd.
 * @param args the script's $1, $2…
 * @throws LabError "failed" on an exit code other than 0
 */
export async function onHost(
  lab: LabHandle,
  machine: Machine,
  what: string,
  script: string,
  args: readonly string[] = [],
): Promise<string> {
  const argv = insideHost(lab, machine.name, ["sh", "-eu", "-s", "--", ...args]);
  const result: RunResult = await run(argv, { input: script, timeout: 300_000 });
  if (result.code === 0) return result.stdout;
  throw new LabError("failed", `${machine.name}: ${what}: ${result.stderr.trim()}`);
}

/**
 * Shell function `owner PORT`: process ID of whoever listens on a TCP port, nothing when nobody does. The lowest one:
 * a child that its owner has just begun holds the socket too, until it becomes another program.
 */
export const PORT_OWNER = `owner() { ss -Hltnp "sport = :$1" | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -n | head -n 1; }
`;
