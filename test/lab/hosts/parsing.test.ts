import { groupName, parseHierarchies } from "../../../lab/fleet/cgroups";
import { enterHost, enterLab } from "../../../lab/fleet/enter";
import { withLabKeys } from "../../../lab/fleet/inventoryCopy";
import { whyNoLab } from "../../../lab/fleet/machineCheck";
import { isInLabNet } from "../../../lab/fleet/network";
import { parseIdentity, parseStartTime } from "../../../lab/fleet/processes";
import { stackConfig } from "../../../lab/fleet/program";
import { waysOut } from "../../../lab/fleet/sealed";
import { parseServices } from "../../../lab/fleet/services";
import { renderKnownHosts, renderSshConfig } from "../../../lab/fleet/sshConfig";
import { requireFault } from "../../../lab/hosts/faults";
import { edit } from "../../../lab/hosts/faults/unitEdited";
import { isListening } from "../../../lab/hosts/leader";
import { type Machine } from "../../../lab/hosts/machine";
import { readHealth } from "../../../lab/hosts/status";

const debian = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n';
const mint =
  'NAME="Mint"\nPRETTY_NAME="Mint 22"\nVERSION_ID="22"\nID=linuxmint\nID_LIKE="debian"\n';

describe("parseServices", () => {
  it.each([
    ["tailnet", ["tailnet"]],
    ["cloudflare, tailnet", ["tailnet", "cloudflare"]],
    ["cloudflare,cloudflare", ["cloudflare"]],
  ])("%s", (list, services) => {
    expect(parseServices(list)).toEqual(services);
  });

  it.each(["", "tailnet,", "Cloudflare"])("refuses %j", (list) => {
    expect(() => parseServices(list)).toThrow("is not a service of the lab: tailnet, cloudflare");
  });
});

describe("whyNoLab", () => {
  const facts = { platform: "linux", uid: 0, osRelease: debian, missing: [] } as const;
  it.each([
    [facts, null],
    [{ ...facts, missing: ["mmdebstrap"] }, null],
    [{ ...facts, osRelease: debian.replace('"12"', '"13"') }, null],
    [{ ...facts, uid: 1000 }, "root (this is user ID 1000)"],
    [{ ...facts, osRelease: mint }, "Debian 12 or newer (this is Mint 22)"],
    [
      { ...facts, osRelease: debian.replace(/12/g, "11") },
      "Debian 12 or newer (this is Debian GNU/Linux 11 (bookworm))",
    ],
    [
      { ...facts, uid: 7, osRelease: "" },
      "Debian 12 or newer (this is something else) and root (this is user ID 7)",
    ],
    [
      { ...facts, platform: "darwin" as const, osRelease: "", uid: 501 },
      "Linux (this is darwin) and root (this is user ID 501)",
    ],
  ])("of %j", (given, reason) => {
    expect(whyNoLab(given)).toBe(
      reason && `The lab boots real hosts, for which it needs ${reason}. Nothing was changed.`,
    );
  });
});

describe("parseHierarchies", () => {
  it("finds both versions, and names groups by the lab", () => {
    const mounts = `proc /proc proc rw 0 0
cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0
cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0
tmpfs /sys/fs/cgroup tmpfs rw 0 0
`;
    expect(parseHierarchies(mounts)).toEqual([
      { path: "/sys/fs/cgroup/cpu", version: 1 },
      { path: "/sys/fs/cgroup/unified", version: 2 },
    ]);
    expect(groupName("l1a2b")).toBe("fleet-lab-l1a2b");
  });
});

describe("processes", () => {
  it.each([
    ["7 (a) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20", "4711"],
    ["7 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4712 20", "4712"],
    ["7 (a) S 1", null],
  ])("the start time in %j is %j", (stat, start) => {
    expect(parseStartTime(stat)).toBe(start);
  });

  it.each([
    ["12 3456\n", { pid: 12, start: "3456" }],
    ["12 \n", null],
    ["", null],
    ["12 3456 7", null],
  ])("the identity in %j is %j", (text, identity) => {
    expect(parseIdentity(text)).toEqual(identity);
  });
});

describe("isInLabNet", () => {
  it.each([
    ["10.77.0.2", true],
    ["10.77.255.254", true],
    ["10.77.0.1", false],
    ["10.77.0.0", false],
    ["10.77.1.255", false],
    ["10.78.0.2", false],
    ["10.77.0.2.example", false],
    ["localhost", false],
  ])("%s: %s", (address, is) => {
    expect(isInLabNet(address)).toBe(is);
  });
});

describe("waysOut", () => {
  const bridge = { ifname: "br0", linkinfo: { info_kind: "bridge" } };
  const port = { ifname: "vb-l-h1", master: "br0", linkinfo: { info_kind: "veth" } };
  it.each([
    [[{ ifname: "lo" }, bridge, port], [{ dst: "10.77.0.0/16" }], []],
    [[{ ifname: "eth0", master: "br0" }], [], ["interface eth0"]],
    [[{ ifname: "w", linkinfo: { info_kind: "wireguard" } }], [], ["interface w"]],
    [[{ ifname: "v0", linkinfo: { info_kind: "veth" } }], [], ["interface v0"]],
    [[bridge], [{ dst: "default" }], ["a default route"]],
  ])("of %j and %j", (links, routes, out) => {
    expect(waysOut(links, routes)).toEqual(out);
  });
});

describe("entering", () => {
  it("takes the lab's network alone, or its mounts and processes too", () => {
    expect(enterLab(7, "network", ["true"])).toEqual([
      "nsenter",
      "--net=/proc/7/ns/net",
      "--",
      "true",
    ]);
    expect(enterLab(7, "inside", ["true"])).toEqual([
      "nsenter",
      "--mount=/proc/7/ns/mnt",
      "--pid=/proc/7/ns/pid_for_children",
      "--net=/proc/7/ns/net",
      "--",
      "true",
    ]);
  });

  it("takes a host's namespaces by its number in the lab, and nothing of our environment", () => {
    const argv = enterHost(7, 42, ["true"]);
    expect(argv.slice(0, 6)).toEqual([
      "nsenter",
      "--mount=/proc/7/root/proc/42/ns/mnt",
      "--uts=/proc/7/root/proc/42/ns/uts",
      "--ipc=/proc/7/root/proc/42/ns/ipc",
      "--net=/proc/7/root/proc/42/ns/net",
      "--pid=/proc/7/root/proc/42/ns/pid_for_children",
    ]);
    expect(argv.slice(6, 9)).toEqual(["--", "env", "-i"]);
  });
});

describe("withLabKeys", () => {
  it("adds keys and leaves the rest, comments and order included", () => {
    const inventory = `# first
hosts:
  b:
    # second
    ssh_host: 10.77.0.2
    ssh_key: ~/.ssh/old
  a: { ssh_host: 10.77.0.3 } # third
p2p_voters: [b] # fourth
`;
    expect(withLabKeys(inventory, "/run/key", new Map([["b", "ssh-ed25519 B"]]))).toBe(`# first
hosts:
  b:
    # second
    ssh_host: 10.77.0.2
    ssh_key: /run/key
    ssh_host_key: ssh-ed25519 B
  a: { ssh_host: 10.77.0.3, ssh_key: /run/key } # third
p2p_voters: [ b ] # fourth
`);
  });
});

describe("ssh", () => {
  const machine = { name: "h1", address: "10.77.0.11", user: "ubuntu" } as Machine;
  const dead = { name: "d1", address: "10.77.0.31", user: "root" } as Machine;

  it("knows the hosts that have a key", () => {
    const keys = new Map([["h1", "ssh-ed25519 K"]]);
    expect(renderKnownHosts([machine, dead], keys)).toBe("10.77.0.11 ssh-ed25519 K\n");
  });

  it("reaches every host by name, with this lab's keys and no others", () => {
    const config = renderSshConfig([machine, dead], "/run/key", "/run/known");
    expect(config.split("Host *")[0]).toBe(
      "Host h1\n  HostName 10.77.0.11\n  User ubuntu\nHost d1\n  HostName 10.77.0.31\n  User root\n",
    );
    expect(config).toContain("\n  StrictHostKeyChecking yes\n");
    expect(config).toContain("\n  IdentityAgent none\n");
  });
});

describe("isListening", () => {
  const table = `  sl  local_address rem_address   st tx_queue
   0: 00000000:0016 00000000:0000 0A 00000000:00000000
   1: 0B00004D:2242 0100004D:D2F0 01 00000000:00000000
`;
  it.each([
    [22, true],
    [8770, false],
    [6, false],
  ])("port %i: %s", (port, is) => {
    expect(isListening(table, port)).toBe(is);
  });
});

describe("readHealth", () => {
  it.each([
    ['{"healthy":true,"node_id":"h1"}', { daemon: "healthy", node: "h1" }],
    ['{"healthy":false,"node_id":"h1"}', { daemon: "unhealthy", node: "h1" }],
    ['{"healthy":true}', { daemon: "healthy", node: null }],
    ['{"ok":true}', { daemon: "foreign", node: null }],
    ["null", { daemon: "foreign", node: null }],
    ["<html>", { daemon: "foreign", node: null }],
  ])("of %s", (body, seen) => {
    expect(readHealth(body)).toEqual(seen);
  });
});

describe("unit-edited", () => {
  it.each([
    [
      "[Service]\nExecStart=/x\nRestart=always\nRestartSec=5\n",
      "[Service]\nExecStart=/x\nRestart=no\nRestartSec=5\n# edited by hand\n",
    ],
    [
      "[program:x]\ncommand=/x\nautorestart=true",
      "[program:x]\ncommand=/x\nautorestart=false\n# edited by hand\n",
    ],
    ["x", "x\n# edited by hand\n"],
  ])("makes of %j %j", (before, after) => {
    expect(edit(before)).toBe(after);
  });
});

describe("requireFault", () => {
  it("names the faults there are", () => {
    expect(requireFault("cut")).toBe("cut");
    expect(() => requireFault("toString")).toThrow(
      '"toString" is not a fault: daemon-killed, daemon-missing-module, unit-edited, cut, off, ' +
        "stalled-sshd, disk-full, slow-link, index-down, port-taken",
    );
  });
});

describe("stackConfig", () => {
  it("sets the inventory and keeps the rest", () => {
    expect(stackConfig("# lab\nconfig:\n  p2p:probe: on # yes\n", "/run/x.yaml")).toBe(
      "# lab\nconfig:\n  p2p:probe: on # yes\n  p2p:inventory: /run/x.yaml\n",
    );
  });
});
