import { type KeyPair } from "../fleet/keys";
import { APT_REPOSITORY, LAB_ADDRESS, PIP_INDEX } from "../fleet/network";
import { homeOf, type Machine } from "./machine";

/** A file that a host gets before it starts for the first time. */
export interface HostFile {
  /** Absolute path on the host. */
  readonly path: string;
  readonly content: string;
  /** @default 0o644 */
  readonly mode?: number;
}

export interface HostIdentity {
  readonly hostKey: KeyPair;
  /** Public key that may log in. */
  readonly operatorKey: string;
  /** 32 hexadecimal digits. */
  readonly machineId: string;
}

const NETWORK_FILE = (machine: Machine): string => `[Match]
Name=host0
[Network]
Address=${machine.address}/16
LinkLocalAddressing=no
`;

/**
 * What a container runs in place of an init system: its start script, if it has one, then sshd as its main process.
 * The address comes from outside, because a container may not set one.
 */
const CONTAINER_START = (machine: Machine): string => `#!/bin/sh
until ip -4 address show dev host0 | grep -q inet; do sleep 0.05; done
mkdir -p /run/sshd
${machine.kind === "supervisord" ? "supervisord -c /etc/supervisor/supervisord.conf\n" : ""}\
if [ -e /root/onstart.sh ]; then setsid bash /root/onstart.sh > /var/log/onstart.log 2>&1 < /dev/null & fi
exec /usr/sbin/sshd -D -e
`;

/** A rented container has a start script of its renter's; one host without any other init needs it to come back. */
const ONSTART = `#!/bin/bash
# What the renter of this container wants started with it.
`;

/** The same on a host with a volume: what the docs ask the renter to enter at the provider. */
const ONSTART_OF_VOLUME = `${ONSTART}[ -x /workspace/.ringrift-p2p/start ] && /workspace/.ringrift-p2p/start
`;

/** The files that make a copy of the base root one particular host. */
export function hostFiles(machine: Machine, identity: HostIdentity): HostFile[] {
  const { name, kind, user } = machine;
  return [
    { path: "/etc/hostname", content: `${name}\n` },
    { path: "/etc/hosts", content: `127.0.0.1 localhost\n::1 localhost\n127.0.1.1 ${name}\n` },
    { path: "/etc/machine-id", content: `${identity.machineId}\n`, mode: 0o444 },
    { path: "/etc/resolv.conf", content: "" },
    { path: "/etc/ssh/ssh_host_ed25519_key", content: identity.hostKey.private, mode: 0o600 },
    { path: "/etc/ssh/ssh_host_ed25519_key.pub", content: `${identity.hostKey.public}\n` },
    {
      path: `${homeOf(user)}/.ssh/authorized_keys`,
      content: `${identity.operatorKey}\n`,
      mode: 0o600,
    },
    // A rented host reaches a package index and a Debian mirror; these are the lab's.
    { path: "/etc/apt/sources.list", content: `deb [trusted=yes] ${APT_REPOSITORY} ./\n` },
    {
      path: "/etc/pip.conf",
      content: `[global]\nindex-url = ${PIP_INDEX}\ntrusted-host = ${LAB_ADDRESS}\n`,
    },
    ...(user === "root"
      ? []
      : [
          {
            path: `/etc/sudoers.d/90-${user}`,
            content: `${user} ALL=(ALL) NOPASSWD:ALL\n`,
            mode: 0o440,
          },
        ]),
    ...(machine.volume
      ? [{ path: "/root/onstart.sh", content: ONSTART_OF_VOLUME, mode: 0o755 }]
      : kind === "bare"
        ? [{ path: "/root/onstart.sh", content: ONSTART, mode: 0o755 }]
        : []),
    ...(kind === "systemd"
      ? [{ path: "/etc/systemd/network/10-lab.network", content: NETWORK_FILE(machine) }]
      : [
          {
            path: "/usr/local/sbin/container-start",
            content: CONTAINER_START(machine),
            mode: 0o755,
          },
        ]),
  ];
}
