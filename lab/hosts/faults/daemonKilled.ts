import { type Fault, onHost, PORT_OWNER } from "./fault";

const KILL = `${PORT_OWNER}
pid=$(owner "$1")
[ -n "$pid" ] || { echo "nothing listens on port $1" >&2; exit 1; }
kill -KILL "$pid"
`;

/** kill -9 of whoever owns the daemon's port. Nothing is left to undo. */
export const daemonKilled: Fault = {
  cutsOff: false,
  endsWithRestart: false,
  make: (lab, machine) => onHost(lab, machine, "kill", KILL, [String(machine.port)]),
  undo: () => Promise.resolve(),
};
