import { join } from "node:path";
import { enterLab } from "../../fleet/enter";
import { projectRoot } from "../../fleet/projectRoot";
import { runChecked } from "../../fleet/run";
import { type LabHandle, linkOf } from "../boot";
import { type Machine } from "../machine";
import { type Fault } from "./fault";

/** Milliseconds that every frame waits, each way. */
const DELAY = 150;
const RATE = "2mbit";

interface Names {
  /** The bridge's end of the host's link. */
  readonly link: string;
  /** The pair that takes the link's place in the bridge: the relay's end and the bridge's end. */
  readonly near: string;
  readonly far: string;
}

function names(lab: LabHandle, machine: Machine): Names {
  const index = lab.record.machines.findIndex(({ name }) => name === machine.name);
  return { link: linkOf(lab, machine), near: `slow${index}`, far: `slow${index}b` };
}

// A restart of the host ends its link, but not what took the link's place in the bridge.
const CLEAR = `if [ -s "$pid" ]; then kill -KILL "$(cat "$pid")" 2> /dev/null || true; fi
rm -f "$pid"
ip link delete "$near" 2> /dev/null || true
`;

// Off the bridge, the kernel must not answer for the controller's address on either of the relay's interfaces.
const MAKE = `link=$1 near=$2 far=$3 relay=$4 pid=$5
${CLEAR}ip link add "$near" type veth peer name "$far"
for name in "$link" "$near"; do
  echo 1 > "/proc/sys/net/ipv6/conf/$name/disable_ipv6"
  echo 8 > "/proc/sys/net/ipv4/conf/$name/arp_ignore"
done
ip link set "$link" nomaster
ip link set "$far" master br0
ip link set "$near" up
ip link set "$far" up
tc qdisc add dev "$link" root tbf rate ${RATE} burst 32kb latency 2s
setsid -f /usr/bin/python3 "$relay" "$link" "$near" ${DELAY} "$pid" > /dev/null 2>&1 < /dev/null
for _ in $(seq 3000); do [ -s "$pid" ] && exit 0; sleep 0.02; done
echo "the relay did not start" >&2
exit 1
`;

const UNDO = `link=$1 near=$2 pid=$3
${CLEAR}tc qdisc delete dev "$link" root 2> /dev/null || true
echo 0 > "/proc/sys/net/ipv4/conf/$link/arp_ignore"
echo 0 > "/proc/sys/net/ipv6/conf/$link/disable_ipv6"
ip link set "$link" master br0
`;

async function inLab(lab: LabHandle, what: string, script: string, args: string[]): Promise<void> {
  const argv = enterLab(lab.init, "inside", ["sh", "-eu", "-s", "--", ...args]);
  await runChecked(what, argv, { input: script });
}

/** A far and narrow line: every frame waits, and few fit through. */
export const slowLink: Fault = {
  cutsOff: false,
  endsWithRestart: true,
  make: async (lab, machine) => {
    const { link, near, far } = names(lab, machine);
    const relay = join(projectRoot(), "lab", "hosts", "faults", "frame_relay.py");
    const pid = lab.directory.file(`${near}.pid`);
    await inLab(lab, `${machine.name}: slow link`, MAKE, [link, near, far, relay, pid]);
  },
  undo: async (lab, machine) => {
    const { link, near } = names(lab, machine);
    const pid = lab.directory.file(`${near}.pid`);
    await inLab(lab, `${machine.name}: normal link`, UNDO, [link, near, pid]);
  },
};
