/** Everything that can be made to go wrong on a host of the lab, and what that is, in a line for the help. */
export const FAULT_SUMMARIES = {
  "daemon-killed": "kill -9 the owner of the daemon's port, once",
  "daemon-missing-module":
    "take psutil away from every Python environment and kill the daemon: a crash loop",
  "unit-edited": "edit the daemon's unit (or supervisord program) by hand: no restarts any more",
  cut: "take the host's link down",
  off: "switch the host off without warning",
  "stalled-sshd": "stop sshd in its tracks: connections are accepted and get no banner",
  "disk-full": "fill the host's disk to the last byte",
  "slow-link": "delay every frame by 150 ms each way, and let 2 Mbit/s towards the host through",
  "index-down": "the package index and the Debian mirror are gone for this host",
  "port-taken": "another program (unit somebody-else on systemd) takes the daemon's port",
} as const;

export type FaultName = keyof typeof FAULT_SUMMARIES;
