import { enterHost } from "../../fleet/enter";
import { makeHostGroups } from "../../fleet/cgroups";
import { LabError } from "../../fleet/labError";
import { runChecked } from "../../fleet/run";
import { leaderOf } from "../boot";
import { type Fault, onHost, PORT_OWNER } from "./fault";

const UNIT = "somebody-else";
const PROGRAM = `/usr/local/bin/${UNIT}`;
const PID_FILE = `/run/${UNIT}.pid`;

// Tries to bind until whoever has the port lets go of it, and writes its process ID once it has it.
const SQUATTER = `#!/usr/bin/python3
import http.server, os, sys, time
while True:
    try:
        server = http.server.HTTPServer(("0.0.0.0", int(sys.argv[1])), http.server.BaseHTTPRequestHandler)
        break
    except OSError:
        time.sleep(0.005)
with open("${PID_FILE}", "w") as file:
    file.write(str(os.getpid()))
server.serve_forever()
`;

const INSTALL = `rm -f ${PID_FILE}
cat > ${PROGRAM} <<'END'
${SQUATTER}END
chmod 755 ${PROGRAM}
`;

const UNIT_START = `systemd-run --quiet --collect --unit=${UNIT} ${PROGRAM} "$1"\n`;

// Whoever comes back sooner than the squatter looks is killed again.
const TAKE = `${PORT_OWNER}
for _ in $(seq 2000); do
  pid=$(owner "$1")
  if [ -s ${PID_FILE} ] && [ "$pid" = "$(cat ${PID_FILE})" ]; then exit 0; fi
  [ -z "$pid" ] || kill -KILL "$pid" 2> /dev/null || true
  sleep 0.05
done
echo "port $1 could not be taken" >&2
exit 1
`;

const LEAVE = `if [ -s ${PID_FILE} ]; then kill -KILL "$(cat ${PID_FILE})" 2> /dev/null || true; fi
rm -f ${PID_FILE} ${PROGRAM}
`;

/** A stranger has the daemon's port. */
export const portTaken: Fault = {
  cutsOff: false,
  endsWithRestart: true,
  make: async (lab, machine) => {
    const port = String(machine.port);
    await onHost(lab, machine, "install the squatter", INSTALL);
    if (machine.kind === "systemd") await onHost(lab, machine, "start it", UNIT_START, [port]);
    else {
      const leader = leaderOf(lab, machine.name);
      if (leader === null) throw new LabError("state", `${machine.name} is not running`);
      // In the host's own control groups, as if it had been started there.
      const groups = makeHostGroups(lab.record.id, machine.name);
      const join = groups.map((group) => {
        const payload = `${group}/payload/cgroup.procs`;
        return `if [ -e '${payload}' ]; then echo 0 > '${payload}'; else echo 0 > '${group}/cgroup.procs'; fi`;
      });
      const argv = enterHost(lab.init, leader, ["setsid", "-f", PROGRAM, port]);
      const script = `${join.join("\n")}\nexec "$@" > /dev/null 2>&1 < /dev/null`;
      await runChecked(`${machine.name}: squatter`, ["sh", "-ec", script, "sh", ...argv]);
    }
    await onHost(lab, machine, "take the port", TAKE, [port]);
  },
  undo: async (lab, machine) => void (await onHost(lab, machine, "leave the port", LEAVE)),
};
