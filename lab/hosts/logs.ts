import { insideHost, type LabHandle } from "./boot";
import { type Machine } from "./machine";

// Where daemons, supervisord and start scripts of containers write.
const CONTAINER_LOGS = "/var/log/ringrift-p2p/*.log /var/log/supervisor/*.log /var/log/onstart.log";

/**
 * The command line that prints a host's newest log lines, past its network and sshd: the journal of a machine, the
 * log files of a container.
 * @param lines at most, per source
 */
export function logsArgv(lab: LabHandle, machine: Machine, lines: number): string[] {
  const argv =
    machine.kind === "systemd"
      ? ["journalctl", "--no-pager", "--boot", `--lines=${lines}`]
      : ["sh", "-c", `tail -n ${lines} ${CONTAINER_LOGS} 2> /dev/null || true`];
  return insideHost(lab, machine.name, argv);
}
