import { hostFiles } from "../../../lab/hosts/files";
import { type Machine } from "../../../lab/hosts/machine";

const machine: Machine = {
  name: "h4",
  kind: "systemd",
  address: "10.77.0.14",
  user: "ubuntu",
  checkout: null,
  port: 8770,
  tun: false,
  netAdmin: false,
  venv: false,
  modules: false,
};
const identity = {
  hostKey: { private: "PRIVATE\n", public: "ssh-ed25519 HOST" },
  operatorKey: "ssh-ed25519 OPERATOR",
  machineId: "0123456789abcdef0123456789abcdef",
};

const shared = (home: string, name: string) => [
  { path: "/etc/hostname", content: `${name}\n` },
  { path: "/etc/hosts", content: `127.0.0.1 localhost\n::1 localhost\n127.0.1.1 ${name}\n` },
  { path: "/etc/machine-id", content: "0123456789abcdef0123456789abcdef\n", mode: 0o444 },
  { path: "/etc/resolv.conf", content: "" },
  { path: "/etc/ssh/ssh_host_ed25519_key", content: "PRIVATE\n", mode: 0o600 },
  { path: "/etc/ssh/ssh_host_ed25519_key.pub", content: "ssh-ed25519 HOST\n" },
  { path: `${home}/.ssh/authorized_keys`, content: "ssh-ed25519 OPERATOR\n", mode: 0o600 },
  { path: "/etc/apt/sources.list", content: "deb [trusted=yes] http://10.77.0.1:8080/debs/ ./\n" },
  {
    path: "/etc/pip.conf",
    content: "[global]\nindex-url = http://10.77.0.1:8080/simple/\ntrusted-host = 10.77.0.1\n",
  },
];

const onstart = {
  path: "/root/onstart.sh",
  content: "#!/bin/bash\n# What the renter of this container wants started with it.\n",
  mode: 0o755,
};

describe("hostFiles", () => {
  it("gives a machine its network, and a user other than root sudo", () => {
    expect(hostFiles(machine, identity)).toEqual([
      ...shared("/home/ubuntu", "h4"),
      { path: "/etc/sudoers.d/90-ubuntu", content: "ubuntu ALL=(ALL) NOPASSWD:ALL\n", mode: 0o440 },
      {
        path: "/etc/systemd/network/10-lab.network",
        content: "[Match]\nName=host0\n[Network]\nAddress=10.77.0.14/16\nLinkLocalAddressing=no\n",
      },
    ]);
  });

  it.each([
    ["bare", ""],
    ["supervisord", "supervisord -c /etc/supervisor/supervisord.conf\n"],
  ] as const)("gives a %s container a start script that ends in sshd", (kind, manager) => {
    expect(hostFiles({ ...machine, kind, name: "c1", user: "root" }, identity)).toEqual([
      ...shared("/root", "c1"),
      ...(kind === "bare" ? [onstart] : []),
      {
        path: "/usr/local/sbin/container-start",
        content: `#!/bin/sh
until ip -4 address show dev host0 | grep -q inet; do sleep 0.05; done
mkdir -p /run/sshd
${manager}if [ -e /root/onstart.sh ]; then setsid bash /root/onstart.sh > /var/log/onstart.log 2>&1 < /dev/null & fi
exec /usr/sbin/sshd -D -e
`,
        mode: 0o755,
      },
    ]);
  });
});
