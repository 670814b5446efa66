import { readFileSync, writeFileSync } from "node:fs";
import { LabError } from "../../fleet/labError";
import { rootFromOutside } from "../boot";
import { type Fault, onHost } from "./fault";

// Where units and programs are, ours first: old tools of other names may have left theirs.
const FIND = `found=$(grep -rlsE '^(ExecStart|command)=.*(ringrift|p2p_orchestrator)' \
  /etc/systemd/system /etc/supervisor /opt/ringrift-p2p | sort) || exit 0
ours=$(echo "$found" | grep ringrift-p2p-node) || ours=$found
readlink -f "$(echo "$ours" | head -n 1)"
`;

const RELOAD = "if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi\n";

/** What a hand might do to a unit or a supervisord program: no restarts any more, and a line that says so. */
export function edit(unit: string): string {
  const edited = unit
    .replace(/^Restart=.*$/m, "Restart=no")
    .replace(/^autorestart=.*$/m, "autorestart=false");
  return `${edited.replace(/\n*$/, "\n")}# edited by hand\n`;
}

interface Made {
  readonly path: string;
  readonly before: string;
  /** Seconds since 1970 with nine decimals, as touch(1) reads them. */
  readonly modified: string;
}

/** Somebody edited the daemon's unit on the host. */
export const unitEdited: Fault = {
  cutsOff: false,
  endsWithRestart: false,
  make: async (lab, machine): Promise<Made> => {
    const path = (await onHost(lab, machine, "find the unit", FIND)).split("\n")[0];
    if (!path) throw new LabError("failed", `${machine.name}: has no unit of the daemon`);
    const file = rootFromOutside(lab, machine.name) + path;
    const before = readFileSync(file, "utf8");
    const modified = await onHost(lab, machine, "look", 'stat -c %.9Y "$1"', [path]);
    writeFileSync(file, edit(before));
    await onHost(lab, machine, "reload", RELOAD);
    return { path, before, modified: modified.trim() };
  },
  undo: async (lab, machine, made) => {
    const { path, before, modified } = made as Made;
    const file = rootFromOutside(lab, machine.name) + path;
    let now: string | null = null;
    try {
      now = readFileSync(file, "utf8");
    } catch {
      // Removed since: nothing of the edit is left.
    }
    if (now !== edit(before)) return;
    writeFileSync(file, before);
    await onHost(lab, machine, "reload", `touch -d "@$2" "$1"\n${RELOAD}`, [path, modified]);
  },
};
