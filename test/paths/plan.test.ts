import { readdirSync } from "node:fs";
import { join } from "node:path";
import { loadInventory } from "../../hosts/inventory";
import { type DeployHostPlan, type FleetPlan } from "../../hosts/plan/types";
import { renderNodes } from "../../paths/nodes";
import {
  FLEET_SECRET,
  forwarderContents,
  forwarderPart,
  NODES,
  type PartOptions,
} from "../../paths/part";
import { sha256 } from "../../payload/digest";
import { forwarderProgram, FORWARDER_MODULES } from "../../payload/forwarder";
import { CLUSTER_TOKEN, RELEASE_FILE } from "../../payload/names";
import { renderActivate, renderPrepare, renderSecrets } from "../../payload/render";
import { readSource } from "../../payload/sources";
import { readPaths } from "../../settings/paths";
import { policyPart } from "../../tailnet/policy";
import { planTunnels } from "../../tunnels/plan";

const HOSTS: Record<string, string> = {
  h1: "{ssh_host: 192.0.2.1, role: coordinator, p2p_number: 1, tailscale_ip: 100.64.0.1}",
  h2: "{ssh_host: 192.0.2.2, p2p_number: 2, tailscale_ip: 100.64.0.2, p2p_url: 'https://h2.example.com'}",
  h3: "{ssh_host: 192.0.2.3, p2p_number: 3, p2p_port: 9000, p2p_methods: [direct, tailscale]}",
  "vast-1":
    "{ssh_host: ssh.example.com, ssh_port: 20001, p2p_number: 70000, tailscale_ip: 100.64.0.9}",
};

function planOf(
  hosts: Record<string, string>,
  paths: { inboundPort: number } | undefined,
): FleetPlan {
  const body = Object.entries(hosts).map(
    ([name, text]) =>
      `  ${name}: ${text.replace("{", "{p2p_enabled: true, ringrift_path: ~/r/ai-service, ")}`,
  );
  const text = `p2p_voters: [h1, h2, h3]\nhosts:\n${body.join("\n")}\n`;
  const { plan, findings } = loadInventory(text, "hosts.yaml", paths ? { paths } : {});
  if (!plan) throw new Error(JSON.stringify(findings));
  return plan;
}

const ON = { inboundPort: 8779 };
const deployed = (plan: FleetPlan, name: string): DeployHostPlan => {
  const host = plan.hosts.get(name);
  if (host?.action !== "deploy") throw new Error(`${name} is not deployed`);
  return host;
};
const settings = () => {
  const found = readPaths({ enabled: true }, { hasSecret: true, hasNetwork: false }, (...told) => {
    throw new Error(JSON.stringify(told));
  });
  if (!found) throw new Error("off");
  return found;
};
const optionsOf = (plan: FleetPlan, more: Partial<PartOptions> = {}): PartOptions => ({
  settings: settings(),
  nodes: renderNodes(plan, { nodes: {}, entry: null }),
  secret: { text: "secret\n", digest: "keyed" },
  tailnet: "tun",
  accessFile: null,
  servesEntry: false,
  ...more,
});

describe("a plan with paths", () => {
  const plan = planOf(HOSTS, ON);

  it("puts every node at its loopback address, the same for all who look", () => {
    const told = ["h1", "h3", "vast-1"].map((name) => {
      const { listen, advertise, port, networkPort, peerAddresses } = deployed(plan, name);
      return [name, listen, advertise, port, networkPort, peerAddresses];
    });
    expect(told).toEqual([
      ["h1", "127.0.0.1", "127.64.0.1", 8770, 8779, ["127.64.0.2:8770", "127.64.0.3:9000"]],
      ["h3", "127.0.0.1", "127.64.0.3", 9000, 8779, ["127.64.0.1:8770", "127.64.0.2:8770"]],
      [
        ...["vast-1", "127.0.0.1", "127.65.17.112", 8770, 8779],
        ["127.64.0.1:8770", "127.64.0.2:8770", "127.64.0.3:9000"],
      ],
    ]);
  });

  it("keeps the SOCKS proxy from the daemon, which dials loopback addresses only", () => {
    const socks = (from: FleetPlan) =>
      Object.keys(deployed(from, "vast-1").environment).filter((name) =>
        /SOCKS|USERSPACE/.test(name),
      );
    expect(socks(plan)).toEqual([]);
    expect(socks(planOf(HOSTS, undefined))).toEqual([
      "RINGRIFT_NEEDS_USERSPACE_TAILSCALE",
      "RINGRIFT_SOCKS_PROXY",
      "RINGRIFT_TAILSCALE_SOCKS_PORT",
    ]);
    const render = { inventory: null, clusterToken: null };
    expect(renderPrepare(deployed(plan, "vast-1"), render).python.wanted).toEqual({});
  });

  it("leads tunnels and the tailnet's policy to the forwarders", () => {
    const { nodes, entry } = planTunnels(plan, {
      zone: "example.com",
      hostname: "{node}.{zone}",
      entry: "p2p",
    });
    expect([nodes.get("h3")?.port, entry?.port, entry?.passedOver]).toEqual([8779, 8779, []]);
    const { grants } = policyPart(plan, {
      owners: [],
      sshFrom: [],
      sshUsers: [],
      morePorts: [],
      moreTags: [],
    });
    expect(grants.map(({ value }) => (value as { ip: string[] }).ip)).toEqual([["tcp:8779"]]);
  });

  it("changes nothing of any other daemon when a host comes, goes or moves", () => {
    const more = {
      ...HOSTS,
      "vast-2": "{ssh_host: ssh.example.com, ssh_port: 20002, tailscale_ip: 100.64.0.10}",
    };
    const fewer = Object.fromEntries(Object.entries(HOSTS).filter(([name]) => name !== "vast-1"));
    const moved = {
      ...HOSTS,
      h2: "{ssh_host: 198.51.100.2, p2p_number: 2, tailscale_ip: 100.64.0.77}",
    };
    const activates = (from: FleetPlan, name: string) =>
      renderActivate(deployed(from, name), {
        inventory: null,
        clusterToken: null,
        parts: [forwarderPart(deployed(from, name), optionsOf(from))],
      });
    for (const changed of [more, fewer, moved].map((hosts) => planOf(hosts, ON)))
      for (const name of ["h1", "h3"])
        expect(activates(changed, name)).toEqual(activates(plan, name));
    // Without paths the move of a voter restarts everybody: that is what they are for.
    const [before, after] = [planOf(HOSTS, undefined), planOf(moved, undefined)];
    expect(activates(after, "h1").digest).not.toBe(activates(before, "h1").digest);
  });
});

describe("the list of nodes", () => {
  it("is one text for all hosts, with what leads to each", () => {
    const text = renderNodes(planOf(HOSTS, ON), {
      nodes: { h1: "https://h1.example.net" },
      entry: "https://p2p.example.net",
    });
    expect(text.split("\n")).toHaveLength(7);
    expect(JSON.parse(text)).toEqual({
      methods: ["tailscale", "cloudflare", "direct"],
      entry: "https://p2p.example.net",
      nodes: {
        h1: {
          ...{ number: 1, port: 8770, watch: true, tailscale: "100.64.0.1" },
          ...{ cloudflare: "https://h1.example.net", direct: "192.0.2.1" },
        },
        h2: {
          ...{ number: 2, port: 8770, watch: true, tailscale: "100.64.0.2" },
          ...{ cloudflare: "https://h2.example.com", direct: "192.0.2.2" },
        },
        h3: {
          number: 3,
          port: 9000,
          watch: true,
          methods: ["direct", "tailscale"],
          direct: "192.0.2.3",
        },
        "vast-1": { number: 70000, port: 8770, tailscale: "100.64.0.9" },
      },
    });
  });

  it("names no device that two nodes would have", () => {
    const hosts = { ...HOSTS, H_3: "{ssh_host: 192.0.2.33}", "h.3": "{ssh_host: 192.0.2.34}" };
    const { nodes } = JSON.parse(
      renderNodes(planOf(hosts, ON), { nodes: {}, entry: null, joins: true }),
    ) as { nodes: Record<string, { device?: string }> };
    expect(Object.entries(nodes).map(([name, { device }]) => [name, device])).toEqual([
      ["H_3", undefined],
      ["h.3", undefined],
      ["h1", "h1"],
      ["h2", "h2"],
      ["h3", "h3"],
      ["vast-1", "vast-1"],
    ]);
  });

  it("does not depend on the order of the file", () => {
    const reversed = Object.fromEntries(Object.entries(HOSTS).reverse());
    const text = (hosts: Record<string, string>) =>
      renderNodes(planOf(hosts, ON), { nodes: {}, entry: null });
    expect(text(reversed)).toBe(text(HOSTS));
  });
});

describe("what a host gets", () => {
  const plan = planOf(HOSTS, ON);
  const host = deployed(plan, "vast-1");

  it("is the program, settings, nodes and a secret; only the program restarts the forwarder", () => {
    const options = optionsOf(plan, {
      tailnet: "userspace",
      accessFile: "/etc/access",
      servesEntry: true,
    });
    const part = forwarderPart(host, options);
    expect(part.files.map(({ path, owner }) => [path, owner])).toEqual([
      ["/opt/ringrift-p2p/paths/forwarder.py", "root"],
      ["/opt/ringrift-p2p/paths/settings.json", "root"],
      ["/opt/ringrift-p2p/paths/nodes.json", "root"],
      ["/opt/ringrift-p2p/paths/state/README", "root"],
    ]);
    const [service] = part.services;
    expect(service).toEqual({
      name: "forwarder",
      argv: [
        ...["/opt/ringrift-p2p/venv/bin/python", "-IB", "/opt/ringrift-p2p/paths/forwarder.py"],
        ...["--settings", "/opt/ringrift-p2p/paths/settings.json"],
        ...["--nodes", "/opt/ringrift-p2p/paths/nodes.json"],
        ...["--state", "/opt/ringrift-p2p/paths/state"],
      ],
      environment: { PYTHONUNBUFFERED: "1" },
      user: "root",
      tools: [],
      files: ["/opt/ringrift-p2p/paths/forwarder.py"],
      secrets: { "/etc/ringrift/fleet-secret": "keyed" },
      ready: { url: "http://127.0.0.1:8778/ready" },
      readySeconds: 30,
      restartSeconds: 1,
      cutsOff: false,
    });
    const own = part.files.find(({ path }) => path.endsWith("settings.json"));
    expect(JSON.parse(own && "text" in own ? own.text : "")).toEqual({
      ...{ node: "vast-1", daemonPort: 8770, inboundPort: 8779, adminPort: 8778 },
      ...{ tailnet: "userspace", socks: "127.0.0.1:1055", secretFile: FLEET_SECRET },
      ...{ accessFile: "/etc/access", servesEntry: true },
      ...{ releaseFile: RELEASE_FILE, tokenPrefix: CLUSTER_TOKEN },
      ...{
        probeSeconds: 5,
        standbySeconds: 10,
        timeoutSeconds: 3,
        misses: 2,
        returns: 3,
        settleSeconds: 60,
      },
    });
  });

  it("keeps the secret out of everything that can be read", () => {
    const options = optionsOf(plan, { secret: { text: "planted-secret\n", digest: "keyed" } });
    const parts = [forwarderPart(host, options)];
    const render = { inventory: null, clusterToken: null, parts };
    const readable = JSON.stringify([renderPrepare(host, render), renderActivate(host, render)]);
    expect(readable).not.toContain("planted-secret");
    expect(renderSecrets(host, null, parts).files).toEqual([
      { path: FLEET_SECRET, content: "planted-secret\n", digest: "keyed", owner: "root" },
    ]);
  });

  it("has its long texts staged, by their digests", () => {
    const options = optionsOf(plan);
    const contents = new Map(forwarderContents(options));
    const staged = forwarderPart(host, options).files.filter((file) => "staged" in file);
    expect(staged.map(({ digest }) => contents.has(digest))).toEqual([true, true]);
    expect(contents.get(staged.find(({ path }) => path === NODES)?.digest ?? "")).toBe(
      options.nodes,
    );
    expect(sha256(forwarderProgram())).toBe(staged[0]?.digest);
  });

  it("is in a program of all of its modules, which import only what is loaded before them", () => {
    const files = readdirSync(join(__dirname, "..", "..", "payload", "forwarder"));
    const modules = files.filter((name) => /^[a-z0-9]+\.py$/.test(name));
    expect(FORWARDER_MODULES.map((name) => `${name}.py`).sort()).toEqual(modules.sort());
    const late = FORWARDER_MODULES.flatMap((name, index) =>
      [
        ...readSource(`forwarder/${name}.py`).matchAll(
          /^\s*(?:import|from) (.+?)(?: import .*)?$/gm,
        ),
      ]
        .flatMap((match) => (match[1] ?? "").split(", ").map((word) => word.split(" ")[0] ?? ""))
        .filter(
          (other) =>
            FORWARDER_MODULES.indexOf(other as (typeof FORWARDER_MODULES)[number]) >= index,
        )
        .map((other) => `${name} imports ${other}`),
    );
    expect(late).toEqual([]);
  });
});
