import {
  containerName,
  hostPaths,
  mountScript,
  nspawnArgv,
  ownScript,
  startScript,
} from "../../../lab/hosts/container";
import { type Machine } from "../../../lab/hosts/machine";

const machine: Machine = {
  name: "h1",
  kind: "systemd",
  address: "10.77.0.11",
  user: "root",
  checkout: "/root/ai service",
  port: 8770,
  tun: true,
  netAdmin: false,
  venv: false,
  modules: false,
};
const common = [
  "systemd-nspawn",
  "--quiet",
  "--directory=/r",
  "--machine=l-h1",
  "--hostname=h1",
  "--register=no",
  "--keep-unit",
  "--resolv-conf=off",
  "--timezone=off",
  "--link-journal=no",
  "--network-bridge=br0",
  "--console=pipe",
];

describe("nspawnArgv", () => {
  it.each([
    [machine, ["--bind=/dev/net/tun", "--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--boot"]],
    [
      { ...machine, tun: false },
      ["--bind=/dev/null:/dev/net/tun", "--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--boot"],
    ],
    [
      { ...machine, kind: "bare" as const, volume: true },
      [
        "--bind=/v:/workspace",
        "--drop-capability=CAP_NET_ADMIN,CAP_SYS_ADMIN,CAP_NET_RAW",
        "--as-pid2",
        "--",
        "/usr/local/sbin/container-start",
      ],
    ],
    [
      { ...machine, kind: "bare" as const },
      [
        "--drop-capability=CAP_NET_ADMIN,CAP_SYS_ADMIN,CAP_NET_RAW",
        "--as-pid2",
        "--",
        "/usr/local/sbin/container-start",
      ],
    ],
  ])("ends as the kind asks: %j", (host, end) => {
    expect(nspawnArgv(host, "l-h1", "/r", "/v")).toEqual([...common, ...end]);
  });
});

describe("containerName", () => {
  it.each([
    ["l1a2b", "h1", 3, "l1a2b-h1"],
    ["l1a2b", "gpu-05", 3, "l1a2b-gpu-05"],
    ["l1a2b", "gpu-005", 3, "l1a2b-3"],
    ["l1a2b", "GPU", 12, "l1a2b-12"],
  ])("of %s and %s (number %i) is %s", (lab, host, index, name) => {
    expect(containerName(lab, host, index)).toBe(name);
    expect(`vb-${name}`.length).toBeLessThanOrEqual(15);
  });
});

const CACHE = { base: "/c/base", modules: "/c/modules" };

describe("the scripts", () => {
  const paths = hostPaths("/run/fleet-lab/l", "h1");

  it("mount a host's disk and root, and quote what the inventory says", () => {
    expect(mountScript({ ...machine, user: "ubuntu" }, paths, CACHE, 64, "/p/daemon")).toBe(
      `mkdir -p '/run/fleet-lab/l/hosts/h1/disk' '/run/fleet-lab/l/hosts/h1/root'
mount -t tmpfs -o mode=755,size=64m fleet-lab-disk '/run/fleet-lab/l/hosts/h1/disk'
mkdir '/run/fleet-lab/l/hosts/h1/disk'/upper '/run/fleet-lab/l/hosts/h1/disk'/work
mount -t overlay -o lowerdir='/c/base/root',upperdir='/run/fleet-lab/l/hosts/h1/disk'/upper,\
workdir='/run/fleet-lab/l/hosts/h1/disk'/work overlay '/run/fleet-lab/l/hosts/h1/root'
chroot '/run/fleet-lab/l/hosts/h1/root' useradd -m -s /bin/bash 'ubuntu'
mkdir -p '/run/fleet-lab/l/hosts/h1/root''/root/ai service'
cp -R '/p/daemon'/. '/run/fleet-lab/l/hosts/h1/root''/root/ai service'/`,
    );
  });

  it("make a volume beside the disk, once, and put a checkout on it that is below it", () => {
    const host = { ...machine, checkout: "/workspace/ai", volume: true };
    expect(mountScript(host, paths, CACHE, 64, "/p/daemon").split("\n").slice(4)).toEqual([
      "mkdir -p '/run/fleet-lab/l/hosts/h1/volume'",
      "mountpoint -q '/run/fleet-lab/l/hosts/h1/volume' || mount -t tmpfs -o mode=755,size=64m fleet-lab-volume '/run/fleet-lab/l/hosts/h1/volume'",
      "mkdir -p '/run/fleet-lab/l/hosts/h1/volume/ai'",
      "cp -R '/p/daemon'/. '/run/fleet-lab/l/hosts/h1/volume/ai'/",
    ]);
  });

  it("lay the Python packages over the root of a machine that has them", () => {
    const script = mountScript({ ...machine, modules: true }, paths, CACHE, 64, "/p/daemon");
    expect(script).toContain("lowerdir='/c/modules':'/c/base/root',");
  });

  it("make a virtual environment and hand both over, only where asked", () => {
    expect(ownScript(machine, paths)).toBe("");
    expect(ownScript({ ...machine, user: "ubuntu", venv: true }, paths)).toBe(
      `chroot '/run/fleet-lab/l/hosts/h1/root' python3 -m venv --without-pip '/root/ai service/venv'
chroot '/run/fleet-lab/l/hosts/h1/root' chown -R 'ubuntu:ubuntu' '/home/ubuntu' '/root/ai service'`,
    );
  });

  it("start a host in its groups, and again after a reboot only", () => {
    expect(startScript(["a", "it's"], ["/g1", "/g2"], "/log", "/pid")).toBe(
      `exec setsid -f sh -c 'while :; do
  (
  echo 0 > '\\''/g1/cgroup.procs'\\''
  echo 0 > '\\''/g2/cgroup.procs'\\''
  exec '\\''a'\\'' '\\''it'\\''\\'\\'''\\''s'\\''
  ) &
  echo $! > '\\''/pid'\\''
  wait $!
  [ $? -eq 133 ] || exit
done' >> '/log' 2>&1 < /dev/null`,
    );
  });
});
