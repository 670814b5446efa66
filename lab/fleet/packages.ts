/** What the machine needs, as Debian packages: command that proves it is there → package. */
export const MACHINE_PACKAGES: Readonly<Record<string, string>> = {
  "systemd-nspawn": "systemd-container",
  mmdebstrap: "mmdebstrap",
  ssh: "openssh-client",
  ip: "iproute2",
  nsenter: "util-linux",
  git: "git",
  openssl: "openssl",
  "/usr/lib/python3/dist-packages/pip": "python3-pip",
};

/** What every host's root carries; what the product has to bring itself (lsof, psutil…) is left out. */
export const BASE_PACKAGES: readonly string[] = [
  "systemd",
  "systemd-sysv",
  "dbus",
  "openssh-server",
  "iproute2",
  "iptables",
  "nftables",
  "python3",
  "python3-venv",
  "sudo",
  "supervisor",
  "ca-certificates",
  "procps",
  "curl",
  "cron",
  "kmod",
];

/** What hosts can install with apt, from the lab's own repository. */
export const REPOSITORY_PACKAGES: readonly string[] = [
  "lsof",
  "logrotate",
  "python3-pip",
  "python3-psutil",
  "python3-yaml",
  "git",
  "rsync",
  // Other people's firewalls, beside which ours has to stand.
  "ufw",
  "firewalld",
];

/** What the daemon imports; hosts with `modules: true` have it from the start, the others get it from the product. */
export const MODULES: readonly string[] = [
  "psutil",
  "pyyaml",
  "aiohttp",
  "pydantic",
  "aiohttp-socks",
  "sdnotify",
];

/** What hosts can install with pip, from the lab's own index, with everything that these need. */
export const WHEELS: readonly string[] = [
  "psutil",
  "pyyaml",
  "aiohttp",
  "pydantic",
  "aiohttp-socks",
  "sdnotify",
  "prometheus_client",
  "supervisor",
  "pip",
  "setuptools",
  "wheel",
];
