/** Which namespaces of the lab a command runs in; see enterLab. */
export type LabView = "network" | "inside";

/**
 * The command line that runs a command within a lab.
 * `network`: the machine's own files and processes, the lab's network: for the program, the engine and ssh.
 * `inside`: the lab's mounts and processes too: for whatever makes or changes hosts.
 * Not `ip netns exec`: it remounts /sys, which hides the control groups from systemd-nspawn.
 * @param init process ID of the lab's first process
 */
export function enterLab(init: number, view: LabView, argv: readonly string[]): string[] {
  const ns = `/proc/${init}/ns`;
  const inside = [`--mount=${ns}/mnt`, `--pid=${ns}/pid_for_children`];
  return ["nsenter", ...(view === "inside" ? inside : []), `--net=${ns}/net`, "--", ...argv];
}

/** The command line that runs a command on a host, past its network and its sshd. */
export function enterHost(init: number, leader: number, argv: readonly string[]): string[] {
  // The leader is numbered by the lab's process namespace, so it is looked up in the lab's own /proc.
  const ns = `/proc/${init}/root/proc/${leader}/ns`;
  const names = { mount: "mnt", uts: "uts", ipc: "ipc", net: "net", pid: "pid_for_children" };
  const flags = Object.entries(names).map(([flag, file]) => `--${flag}=${ns}/${file}`);
  const env = ["env", "-i", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"];
  return ["nsenter", ...flags, "--", ...env, "HOME=/root", "LANG=C.UTF-8", ...argv];
}
