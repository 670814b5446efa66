import { type Fault, onHost } from "./fault";

const FILE = "/var/tmp/lab-disk-full";

const FILL = `fallocate -l "$(df --output=avail -B1 / | tail -n 1)" ${FILE}
cat /dev/zero >> ${FILE} 2> /dev/null || true
`;

/** Not a byte is left on the host's disk. */
export const diskFull: Fault = {
  cutsOff: false,
  endsWithRestart: false,
  make: (lab, machine) => onHost(lab, machine, "fill the disk", FILL),
  undo: async (lab, machine) =>
    void (await onHost(lab, machine, "free the disk", `rm -f ${FILE}\n`)),
};
