import { type LabCache } from "../fleet/cache";
import { type Machine } from "./machine";

/** Paths of one host within the lab's mount namespace. */
export interface HostPaths {
  /** The size-limited file system that holds the host's own files. */
  readonly disk: string;
  /** The host's root directory. */
  readonly root: string;
  /** What outlives the disk, at /workspace; only of a host with `volume: true`. */
  readonly volume: string;
}

const VOLUME = "/workspace";

/** @param run the lab's run directory */
export function hostPaths(run: string, host: string): HostPaths {
  const at = `${run}/hosts/${host}`;
  return { disk: `${at}/disk`, root: `${at}/root`, volume: `${at}/volume` };
}

/**
 * A machine's name for systemd-nspawn. The host's end of its link is `vb-` and this name, and an interface has at most
 * 15 characters; longer names would come out hashed, so such hosts are numbered.
 */
export function containerName(lab: string, host: string, index: number): string {
  const readable = `${lab}-${host}`;
  return readable.length <= 12 && /^[a-z0-9-]+$/.test(readable) ? readable : `${lab}-${index}`;
}

/** The bridge's end of a host's link. */
export function linkName(container: string): string {
  return `vb-${container}`;
}

/** What a rented container may not do: change its network, mount, or open raw sockets. */
const CONTAINER_DROPS = ["CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_NET_RAW"];
/** Those of them that one has which was given the right to its network. */
const NETWORK_RIGHTS = ["CAP_NET_ADMIN", "CAP_NET_RAW"];

function dropsOf({ netAdmin }: Machine): string[] {
  return CONTAINER_DROPS.filter((right) => !netAdmin || !NETWORK_RIGHTS.includes(right));
}

/**
 * The systemd-nspawn command line of a host.
 * @param volume directory that becomes /workspace of a host with `volume: true`
 */
export function nspawnArgv(
  machine: Machine,
  container: string,
  root: string,
  volume = "",
): string[] {
  const common = [
    "systemd-nspawn",
    "--quiet",
    `--directory=${root}`,
    `--machine=${container}`,
    `--hostname=${machine.name}`,
    // Nothing of the machine's own service manager takes part: there may be none.
    "--register=no",
    "--keep-unit",
    "--resolv-conf=off",
    "--timezone=off",
    "--link-journal=no",
    "--network-bridge=br0",
    "--console=pipe",
    ...(machine.volume ? [`--bind=${volume}:${VOLUME}`] : []),
  ];
  if (machine.kind === "systemd") {
    // systemd-nspawn makes the device in any case; in its place, this one cannot become an interface.
    const tun = machine.tun ? "/dev/net/tun" : "/dev/null:/dev/net/tun";
    return [...common, `--bind=${tun}`, "--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--boot"];
  }
  return [
    ...common,
    ...(machine.netAdmin ? [`--capability=${NETWORK_RIGHTS.join(",")}`] : []),
    `--drop-capability=${dropsOf(machine).join(",")}`,
    "--as-pid2",
    "--",
    "/usr/local/sbin/container-start",
  ];
}

function quote(word: string): string {
  return `'${word.replace(/'/g, `'\\''`)}'`;
}

/**
 * The script, run inside the lab, that mounts a host's disk and root; the host's user and checkout are made
 * with the root's own tools.
 * @param cache what all hosts stand on
 * @param size of the disk in MiB
 * @param daemon directory whose contents become the checkout
 */
export function mountScript(
  machine: Machine,
  paths: HostPaths,
  cache: Pick<LabCache, "base" | "modules">,
  size: number,
  daemon: string,
): string {
  const [disk, root] = [quote(paths.disk), quote(paths.root)];
  const { user, checkout } = machine;
  const lower = [...(machine.modules ? [cache.modules] : []), `${cache.base}/root`]
    .map(quote)
    .join(":");
  const lines = [
    `mkdir -p ${disk} ${root}`,
    `mount -t tmpfs -o mode=755,size=${size}m fleet-lab-disk ${disk}`,
    `mkdir ${disk}/upper ${disk}/work`,
    `mount -t overlay -o lowerdir=${lower},upperdir=${disk}/upper,workdir=${disk}/work overlay ${root}`,
  ];
  if (user !== "root") lines.push(`chroot ${root} useradd -m -s /bin/bash ${quote(user)}`);
  if (machine.volume) {
    const volume = quote(paths.volume);
    lines.push(`mkdir -p ${volume}`);
    // A disk may be made anew beside the volume of before.
    lines.push(
      `mountpoint -q ${volume} || mount -t tmpfs -o mode=755,size=${size}m fleet-lab-volume ${volume}`,
    );
  }
  if (checkout !== null) {
    const isOnVolume = machine.volume && checkout.startsWith(`${VOLUME}/`);
    const target = isOnVolume
      ? quote(paths.volume + checkout.slice(VOLUME.length))
      : `${root}${quote(checkout)}`;
    lines.push(`mkdir -p ${target}`, `cp -R ${quote(daemon)}/. ${target}/`);
  }
  return lines.join("\n");
}

/** The script, run inside the lab, that hands the checkout and the home directory to the host's user. */
export function ownScript(machine: Machine, paths: HostPaths): string {
  const { user, checkout } = machine;
  const lines: string[] = [];
  if (machine.venv && checkout !== null) {
    lines.push(
      `chroot ${quote(paths.root)} python3 -m venv --without-pip ${quote(`${checkout}/venv`)}`,
    );
  }
  if (user !== "root") {
    const own = [`/home/${user}`, ...(checkout === null ? [] : [checkout])].map(quote).join(" ");
    lines.push(`chroot ${quote(paths.root)} chown -R ${quote(`${user}:${user}`)} ${own}`);
  }
  return lines.join("\n");
}

/** What systemd-nspawn exits with when the host asked for a restart and a service manager is to see to it. */
const REBOOT = 133;

/**
 * The script, run inside the lab, that starts a host in control groups of its own, again after each reboot, and leaves
 * it to the lab's first process.
 * @param groups the host's control groups
 * @param log file for what the host prints while it starts
 * @param pidFile file for the process ID of systemd-nspawn
 */
export function startScript(
  argv: readonly string[],
  groups: readonly string[],
  log: string,
  pidFile: string,
): string {
  const join = groups.map((group) => `echo 0 > ${quote(`${group}/cgroup.procs`)}`).join("\n  ");
  const loop = `while :; do
  (
  ${join}
  exec ${argv.map(quote).join(" ")}
  ) &
  echo $! > ${quote(pidFile)}
  wait $!
  [ $? -eq ${REBOOT} ] || exit
done`;
  return `exec setsid -f sh -c ${quote(loop)} >> ${quote(log)} 2>&1 < /dev/null`;
}
