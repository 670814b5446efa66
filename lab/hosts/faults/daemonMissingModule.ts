import { type Fault, onHost, PORT_OWNER } from "./fault";

const MODULE = "psutil";
const AWAY = ".lab-taken-away";

// The metadata stays: a package that pip takes for installed and that does not import is the case worth having.
const TAKE = `${PORT_OWNER}
found=$(find / -xdev -path "*-packages/$2/__init__.py" -printf '%h\\n')
[ -n "$found" ] || { echo "$2 is installed nowhere" >&2; exit 1; }
echo "$found" | while read -r dir; do mv "$dir" "$dir${AWAY}"; done
pid=$(owner "$1")
[ -z "$pid" ] || kill -KILL "$pid"
echo "$found"
`;

const RETURN = `for dir in "$@"; do
  [ -e "$dir${AWAY}" ] || continue
  if [ -e "$dir" ]; then rm -rf "$dir${AWAY}"; else mv "$dir${AWAY}" "$dir"; fi
done
`;

/** The daemon dies at its start for want of a module, again and again. */
export const daemonMissingModule: Fault = {
  cutsOff: false,
  endsWithRestart: false,
  make: async (lab, machine) => {
    const found = await onHost(lab, machine, "take", TAKE, [String(machine.port), MODULE]);
    return found.trim().split("\n");
  },
  undo: async (lab, machine, made) => {
    await onHost(lab, machine, "return", RETURN, made as string[]);
  },
};
