import { type Fault, onHost, PORT_OWNER } from "./fault";

const SIGNAL = `${PORT_OWNER}
pid=$(owner 22)
[ -n "$pid" ] || { echo "nothing listens on port 22" >&2; exit 1; }
kill -"$1" "$pid"
`;

/** The kernel accepts connections for a stopped sshd, which then never says a word. */
export const stalledSshd: Fault = {
  cutsOff: true,
  endsWithRestart: true,
  make: (lab, machine) => onHost(lab, machine, "stop sshd", SIGNAL, ["STOP"]),
  undo: async (lab, machine) =>
    void (await onHost(lab, machine, "continue sshd", SIGNAL, ["CONT"])),
};
