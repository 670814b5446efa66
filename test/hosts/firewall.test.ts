import { loadInventory } from "../../hosts/inventory";
import {
  daemonPorts,
  planExposure,
  planFirewall,
  unknownHosts,
  unnamedSources,
} from "../../hosts/plan/firewall";
import { type DeployHostPlan, type FleetPlan } from "../../hosts/plan/types";

const INVENTORY = `
p2p_voters: [a, b]
hosts:
  a: { ssh_host: 198.51.100.1, ssh_user: root, ringrift_path: ~/r/ai-service, status: ready, p2p_enabled: true }
  b: { ssh_host: 198.51.100.2, ssh_user: root, ringrift_path: ~/r/ai-service, status: ready, p2p_enabled: true, p2p_public_host: "2001:db8::2" }
  named: { ssh_host: gpu.example, ssh_user: root, ringrift_path: ~/r/ai-service, status: ready, p2p_enabled: true }
  box: { ssh_host: 203.0.113.5, ssh_port: 8771, ssh_user: root, ringrift_path: /w/ai-service, status: ready, p2p_enabled: true, is_container: true }
  g1: { ssh_host: 203.0.113.9, ssh_port: 4001, ssh_user: root, ringrift_path: /w/ai-service, status: ready, p2p_enabled: true, is_container: true }
  g2: { ssh_host: 203.0.113.9, ssh_port: 4002, ssh_user: root, ringrift_path: /w/ai-service, status: ready, p2p_enabled: true, is_container: true }
  off: { ssh_host: 198.51.100.77, ssh_user: root, ringrift_path: ~/r/ai-service, status: retired, p2p_enabled: true }
`;

function plan(methods = ""): FleetPlan {
  const { plan: made, findings } = loadInventory(INVENTORY + methods, "hosts.yaml");
  if (!made) throw new Error(JSON.stringify(findings));
  return made;
}
function host(name: string, from = plan()): DeployHostPlan {
  const found = from.hosts.get(name);
  if (found?.action !== "deploy") throw new Error(`${name} is not deployed`);
  return found;
}
const ON = { allow: ["192.0.2.0/24"], hosts: {} };

describe("planFirewall", () => {
  it("lets the others in where the direct path leads here, but no gateway that hosts share", () => {
    expect(planFirewall(host("a"), plan(), ON)).toEqual({
      ports: [4321, 7947, 8766, 8770, 8771, 8772],
      interfaces: ["lo", "tailscale0"],
      ipv4: ["192.0.2.0/24", "198.51.100.2", "203.0.113.5"],
      ipv6: ["2001:db8::2"],
    });
  });

  it("knows an IPv4 address that is written as IPv6, and takes none that a rule cannot hold", () => {
    const written = INVENTORY.replace('"2001:db8::2"', '"::ffff:192.0.2.8"');
    const { plan: made } = loadInventory(written, "hosts.yaml");
    if (!made) throw new Error("no plan");
    const openings = planFirewall(host("a", made), made, ON);
    expect(openings?.ipv4).toEqual(["192.0.2.0/24", "192.0.2.8", "198.51.100.2", "203.0.113.5"]);
    expect(openings?.ipv6).toEqual([]);
    const hexadecimal = loadInventory(written.replace("192.0.2.8", "C000:208"), "hosts.yaml").plan;
    if (!hexadecimal) throw new Error("no plan");
    expect(planFirewall(host("a", hexadecimal), hexadecimal, ON)).toEqual(openings);
    const b = host("b");
    const at = (direct: string) => {
      const moved = { ...b, addresses: { ...b.addresses, direct } };
      return { ...plan(), hosts: new Map([...plan().hosts, ["b", moved]]) };
    };
    expect(planFirewall(host("a"), at("fe80::2%eth0"), ON)?.ipv6).toEqual([]);
    expect(planFirewall(host("a"), at("2001:db8::192.0.2.1"), ON)?.ipv6).toEqual([
      "2001:db8::c000:201",
    ]);
  });

  it("lets nobody but the named in where no direct path leads here", () => {
    const openings = planFirewall(host("box"), plan(), ON);
    expect([openings?.ipv4, openings?.ipv6]).toEqual([["192.0.2.0/24"], []]);
  });

  it("lets nobody but the named in where the fleet does not use the direct path", () => {
    const other = plan("p2p_discovery: { methods: [tailscale] }\n");
    expect(planFirewall(host("a", other), other, ON)?.ipv4).toEqual(["192.0.2.0/24"]);
  });

  it("takes a host's own list in the place of the fleet's", () => {
    const own = { ...ON, hosts: { box: { allow: ["2001:db8:1::/48"] } } };
    const openings = planFirewall(host("box"), plan(), own);
    expect([openings?.ipv4, openings?.ipv6]).toEqual([[], ["2001:db8:1::/48"]]);
  });

  it("wants no rule where it is off, for all or for one host", () => {
    expect(planFirewall(host("a"), plan(), null)).toBeNull();
    expect(planFirewall(host("a"), plan(), { ...ON, hosts: { a: "off" } })).toBeNull();
  });
});

describe("unknownHosts", () => {
  it("names those of the setting that the inventory does not have", () => {
    const hosts = { off: "off", a: "off", ten: "off", b1: { allow: [] } } as const;
    expect(unknownHosts(plan(), { ...ON, hosts })).toEqual(["b1", "ten"]);
    expect(unknownHosts(plan(), null)).toEqual([]);
  });
});

describe("daemonPorts", () => {
  it("has all of a daemon's ports, wherever its main one is", () => {
    expect(daemonPorts({ ...host("a"), port: 9000, networkPort: 9000 })).toEqual([
      4321, 7947, 8766, 8771, 9000, 9001, 9002,
    ]);
  });

  it("never has a port by which we log in", () => {
    expect(daemonPorts(host("box"))).toEqual([4321, 7947, 8766, 8770, 8772]);
    expect(daemonPorts({ ...host("a"), port: 20, networkPort: 20 })).toEqual([
      20, 21, 4321, 7947, 8766, 8771,
    ]);
    expect(daemonPorts({ ...host("a"), port: 65_535, networkPort: 65_535 })).toEqual([
      4321, 7947, 8766, 8771, 65_535,
    ]);
  });
});

describe("planExposure", () => {
  it("says where the daemon can be reached", () => {
    expect(planExposure(host("box"), null)).toBe("loopback");
    expect(planExposure(host("a"), ON)).toBe("all, firewalled");
    expect(planExposure(host("a"), null)).toBe("all, exposed");
    expect(planExposure(host("a"), { ...ON, hosts: { a: "off" } })).toBe("all, exposed");
  });
});

describe("unnamedSources", () => {
  it("names the hosts whose address no rule can hold, and those behind one gateway", () => {
    expect(unnamedSources(plan())).toEqual(["g1", "g2", "named"]);
  });
});
