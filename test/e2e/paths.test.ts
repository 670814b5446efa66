import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { LabFleet } from "./labFleet";
import { smallLab } from "./smallLab";

// A mesh over the tailnet and tunnels, on a systemd machine with a TUN device and on containers without one: every
// daemon knows every node by one address, and a cut path restarts nobody. Elections of the real daemon, QUIC and
// the real edge are not proven here (docs/lab.md).

// It has not passed on a lab yet, so nothing but PATHS_LAB=1 runs it; pathsMesh.test.ts proves the forwarders.
const why = process.env["PATHS_LAB"] === "1" ? whyNoLab(machineFacts()) : "PATHS_LAB is not 1";
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "paths" : `paths (skipped here: ${why})`;
jest.setTimeout(1_800_000);

const HOSTS = ["h1", "h2", "h3", "c2"];
const VOTERS = ["h1", "h2", "h3"];
const SECRET = "planted-fleet-secret-of-the-lab";
/** Seconds in which contact with a majority of voters is regained, at default settings. */
const MOST_SECONDS = 45;

interface Peer {
  readonly host: string;
  readonly is_alive: boolean;
  readonly seconds_since_heartbeat: number;
}
interface Status {
  readonly node_id: string;
  readonly leader_id: string | null;
  readonly all_peers: Record<string, Peer>;
}
interface Summary {
  readonly watched: Record<string, { active: string; up: string[]; down: Record<string, string> }>;
  readonly cutOff: string[];
  readonly refused: Record<string, number>;
}

onLab(title, () => {
  let fleet: LabFleet;
  const folder = mkdtempSync(join(tmpdir(), "paths-lab-"));
  const measured: Record<string, number> = {};

  const get = async <T>(host: string, port: number, path: string): Promise<T | undefined> => {
    const url = `http://127.0.0.1:${port}${path}`;
    const { code, stdout } = await fleet.lab.inside(host, ["curl", "-s", "-m", "3", url]);
    return code === 0 ? (JSON.parse(stdout) as T) : undefined;
  };
  const status = (host: string) => get<Status>(host, 8770, "/status?no_cache=true");
  const summary = (host: string) => get<Summary>(host, 8778, "/summary");
  const until = async (
    what: string,
    look: () => Promise<boolean>,
    seconds = 240,
  ): Promise<number> => {
    const began = Date.now();
    while (Date.now() - began < seconds * 1000) {
      if (await look()) return (Date.now() - began) / 1000;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error(
      `not within ${seconds} s: ${what}: ${JSON.stringify(await look().catch(String))}`,
    );
  };
  /** The host has heard from a majority of voters since `after` (milliseconds since 1970). */
  const hears = async (host: string, after: number): Promise<boolean> => {
    const seen = await status(host);
    const now = Date.now();
    const fresh = VOTERS.filter((voter) => {
      const peer = seen?.all_peers[voter];
      return voter === host || (peer && now - peer.seconds_since_heartbeat * 1000 > after);
    });
    return fresh.length > VOTERS.length / 2;
  };
  const regained = async (name: string, hosts: readonly string[], after: number): Promise<void> => {
    const times = await Promise.all(
      hosts.map((host) => until(`${host} hears from the voters`, () => hears(host, after))),
    );
    measured[name] = Math.max(...times);
  };
  const config = async (...args: string[]) => {
    const { code, stderr } = await fleet.pulumi("config", "set", ...args);
    if (code !== 0) throw new Error(stderr);
  };

  beforeAll(async () => {
    const files = smallLab(folder, { hosts: HOSTS, voters: VOTERS });
    fleet = await LabFleet.up(
      { name: "the embedded engine", pulumi: undefined },
      { ...files, with: ["tailnet", "cloudflare"] },
    );
    await config("--secret", "p2p:fleetSecret", SECRET);
    await config("--path", "p2p:paths.enabled", "true");
  });
  afterAll(async () => {
    process.stdout.write(`paths: seconds ${JSON.stringify(measured)}\n`);
    await fleet?.lab.down();
    rmSync(folder, { recursive: true, force: true });
  });

  it("come up with the fleet, and the tailnet's addresses reach them without a restart of any daemon", async () => {
    await fleet.mustUp();
    const before = await fleet.startTimes(HOSTS);
    const { p2pDiscovery } = (await fleet.outputs()) as {
      p2pDiscovery: { nodes: Record<string, { tailscale_ip: string | null }> };
    };
    for (const host of HOSTS)
      fleet.edit(["hosts", host, "tailscale_ip"], p2pDiscovery.nodes[host]?.tailscale_ip);
    // Only now: before they have addresses there, the voters are reached directly or not at all.
    fleet.edit(["p2p_discovery", "methods"], ["tailscale", "cloudflare"]);
    await fleet.mustUp();
    expect(await fleet.startTimes(HOSTS)).toEqual(before);
  });

  it("give every node one address, the same for everybody who looks, and one leader", async () => {
    await until("all see all", async () => {
      const all = await Promise.all(HOSTS.map(status));
      return all.every(
        (one) =>
          Object.values(one?.all_peers ?? {}).filter((peer) => peer.is_alive).length ===
          HOSTS.length - 1,
      );
    });
    const addresses: Record<string, string[]> = {};
    const leaders = new Set<string | null>();
    for (const host of HOSTS) {
      const seen = await status(host);
      expect(Object.keys(seen?.all_peers ?? {})).not.toContain(host);
      leaders.add(seen?.leader_id ?? null);
      for (const [name, peer] of Object.entries(seen?.all_peers ?? {}))
        addresses[name] = [...new Set([...(addresses[name] ?? []), peer.host])];
    }
    const { p2pDiscovery } = (await fleet.outputs()) as {
      p2pDiscovery: { nodes: Record<string, { loopback: string }> };
    };
    expect(addresses).toEqual(
      Object.fromEntries(HOSTS.map((host) => [host, [p2pDiscovery.nodes[host]?.loopback]])),
    );
    expect([...leaders]).toEqual(["h1"]);
    for (const host of HOSTS)
      for (const [peer, { active }] of Object.entries((await summary(host))?.watched ?? {}))
        expect([host, peer, active]).toEqual([host, peer, "tailscale"]);
  });

  it("move to the tunnel when the tailnet of a host or of all is cut, and come back from both", async () => {
    const before = await fleet.startTimes(HOSTS);
    const tailnet = (hosts: readonly string[], verb: "stop" | "start") =>
      Promise.all(hosts.map((host) => service(host, "tailscaled", verb)));
    const tunnels = (hosts: readonly string[], verb: "stop" | "start") =>
      Promise.all(hosts.map((host) => service(host, "cloudflared", verb)));
    const service = async (host: string, name: string, verb: string) => {
      const program = `ringrift-p2p-${name}`;
      const own =
        "/opt/ringrift-p2p/venv/bin/python -m supervisor.supervisorctl -c /opt/ringrift-p2p/supervisor/supervisord.conf";
      await fleet.on(
        host,
        host.startsWith("h") ? `systemctl ${verb} ${program}` : `${own} ${verb} ${program}`,
      );
    };
    await tailnet(["h2"], "stop");
    await regained("tailnet of one host cut", HOSTS, Date.now());
    await tailnet(["h1", "h3", "c2"], "stop");
    await regained("tailnet of all cut", HOSTS, Date.now());
    await tunnels(HOSTS, "stop");
    await until(
      "everybody is cut off",
      async () => ((await summary("h1"))?.cutOff.length ?? 0) >= 2,
    );
    await tunnels(HOSTS, "start");
    await regained("both cut, tunnels back", HOSTS, Date.now());
    await tunnels(HOSTS, "stop");
    await until(
      "everybody is cut off",
      async () => ((await summary("h1"))?.cutOff.length ?? 0) >= 2,
    );
    await tailnet(HOSTS, "start");
    await regained("both cut, tailnet back", HOSTS, Date.now());
    await tunnels(HOSTS, "start");
    expect(await fleet.startTimes(HOSTS)).toEqual(before);
    for (const host of HOSTS) {
      const peers = Object.entries((await status(host))?.all_peers ?? {});
      expect(peers.filter(([, peer]) => !peer.is_alive).map(([name]) => [host, name])).toEqual([]);
    }
    for (const [name, seconds] of Object.entries(measured))
      expect([name, seconds < MOST_SECONDS]).toEqual([name, true]);
  });

  it("let nobody in who is not of the fleet, and leave no secret where it can be read", async () => {
    const url = "http://10.77.0.12:8779/health";
    const { stdout } = await fleet.lab.inside("h1", [
      "curl",
      "-s",
      "-o",
      "/dev/null",
      "-w",
      "%{http_code}",
      url,
    ]);
    expect(stdout).toBe("401");
    for (const host of HOSTS)
      expect(
        await fleet.on(
          host,
          `grep -rl ${SECRET} /opt/ringrift-p2p /var/log /tmp /proc/*/cmdline 2>/dev/null || true`,
        ),
      ).toBe("");
  });

  it("are in order afterwards: nothing to change", async () => {
    const { stdout } = await fleet.pulumi("preview", "--json");
    const { changeSummary } = JSON.parse(stdout) as { changeSummary: Record<string, number> };
    expect(Object.keys(changeSummary)).toEqual(["same"]);
  });
});
