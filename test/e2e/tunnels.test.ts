import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { until } from "../../lab/fleet/until";
import { enginesHere } from "./labFleet";
import { killRun } from "./runProcesses";
import { TunnelLab } from "./tunnelLab";

// What this cannot prove: Cloudflare, whose API, edge, DNS and connector are stand-ins here.

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "tunnels on a lab" : `tunnels on a lab (skipped here: ${why})`;

jest.setTimeout(900_000);

const ZONE = "fleet.example";
const NODES = ["c2", "h1", "h2"];
const VOTERS = ["h1", "h2"];
const NOTHING = /Resources:\n\s+\d+ unchanged\n/;
const url = (name: string): string => `https://${name}.${ZONE}/health`;

/** A run's words without what it repeats at its end. */
const timesSaid = (printed: string, words: RegExp): number =>
  new Set(
    printed
      .split("\n")
      .filter((line) => words.test(line))
      .map((line) => line.trim()),
  ).size;

onLab.each(enginesHere())(`${title}, on $name`, (engine) => {
  let lab: TunnelLab;
  const fleet = () => lab.fleet;

  /** Status of one request for each name. */
  const statuses = async (names: readonly string[]): Promise<Record<string, string>> => {
    const answers = await Promise.all(
      names.map(async (name) => [name, Object.keys(await lab.answers("h2", url(name)))[0]]),
    );
    return Object.fromEntries(answers) as Record<string, string>;
  };
  const systemctl = (host: string, verb: string, service: string): Promise<string> =>
    fleet().on(host, `systemctl ${verb} ringrift-p2p-${service}`);
  /** Waits for what each name is to answer: the edge hears of a connector's end or beginning a moment later. */
  const answering = async (wanted: Readonly<Record<string, string>>): Promise<void> => {
    let seen: Record<string, string> = {};
    const are = async () => {
      seen = await statuses(Object.keys(wanted)).catch((error) => ({ error: String(error) }));
      return Object.keys(wanted).every((name) => seen[name] === wanted[name]);
    };
    await until(are, 120_000, 300);
    expect(seen).toEqual(wanted);
  };
  const settled = async (): Promise<boolean> => {
    const { code, stdout } = await fleet().pulumi("preview", "--expect-no-changes");
    return code === 0 && NOTHING.test(stdout);
  };

  beforeAll(async () => {
    lab = await TunnelLab.up(engine, { hosts: [...NODES, "h6"], voters: VOTERS });
    fleet().environment = { LAB_CLOUDFLARE_BACKOFF_MS: "20" };
    fleet().edit(["hosts", "h6", "status"], "stopped");
    await fleet().mustUp();
    await Promise.all(["h1", "h2"].map((host) => lab.installClient(host)));
  });

  afterAll(async () => {
    await (lab as TunnelLab | undefined)?.down();
  });

  it("have nothing to do in a second up and a preview", async () => {
    expect(await fleet().mustUp()).toMatch(NOTHING);
    expect(await settled()).toBe(true);
  });

  it("lead each name to its own node, the bare container's too, and the entry to a voter", async () => {
    const answers = await Promise.all(NODES.map((node) => lab.answers("h1", url(node), 200)));
    expect(answers).toEqual(NODES.map((node) => ({ [node]: 200 })));
    const entry = await lab.answers("h1", url("p2p"), 40);
    expect(Object.keys(entry).filter((node) => !VOTERS.includes(node))).toEqual([]);
  });

  it("answer nobody without the token, and nothing but the P2P protocol's paths", async () => {
    expect(await lab.answers("h1", url("h2"), 3, "none")).toEqual({ "403": 3 });
    const admin = `https://h2.${ZONE}/admin/clear_nat_blocked`;
    expect(await lab.answers("h1", admin)).toEqual({ "404": 1 });
    const known = `h2.${ZONE}`;
    expect(await lab.answers("h1", url("nobody"), 1, "token", known)).toEqual({ "404": 1 });
    // No other port leads to a node by its name, and none but SSH's from the network outside.
    const isOpen = (address: string, port: number) =>
      `python3 -c 'import socket; socket.create_connection(("${address}", ${port}), 3)' 2>/dev/null && echo open || echo closed`;
    const ports = [8770, 8772, 8779];
    const named = ports.map((port) => fleet().on("h1", isOpen(known, port)));
    expect(await Promise.all(named)).toEqual(ports.map(() => "closed"));
  });

  it("tell the orchestrator their URLs, in the inventory's shape", async () => {
    const { p2pDiscovery } = (await fleet().outputs()) as {
      p2pDiscovery: { cloudflare_endpoint: string; nodes: Record<string, { p2p_url: string }> };
    };
    expect(p2pDiscovery.cloudflare_endpoint).toBe(`https://p2p.${ZONE}`);
    expect(
      Object.fromEntries(
        Object.entries(p2pDiscovery.nodes).map(([name, { p2p_url }]) => [name, p2p_url]),
      ),
    ).toEqual(Object.fromEntries(NODES.map((node) => [node, `https://${node}.${ZONE}`])));
  });

  it("fail for one name only when a connector stops; the next up starts it again", async () => {
    await systemctl("h1", "stop", "cloudflared");
    await systemctl("h1", "stop", "entry");
    await answering({ h1: "530", h2: "h2", c2: "c2", p2p: "h2" });
    const preview = await fleet().pulumi("preview", "--diff");
    expect(preview.stdout).toMatch(/cloudflared/);
    await fleet().mustUp();
    await answering({ h1: "h1", h2: "h2" });
    expect(await settled()).toBe(true);
  });

  it("keep every secret out of argv, journal, output and state", async () => {
    const secrets: string[] = [];
    for (const file of ["tunnel-token", "entry-token"])
      secrets.push(await fleet().on("h1", `cat /etc/ringrift/${file}`));
    const access = JSON.parse(await fleet().on("h1", "cat /etc/ringrift/access-token.json")) as {
      client_secret: string;
    };
    secrets.push(access.client_secret, lab.cloudflare.apiToken);
    for (const token of secrets.slice(0, 2))
      secrets.push((JSON.parse(Buffer.from(token, "base64").toString()) as { s: string }).s);
    const leaks: string[] = [];
    const look = (place: string, text: string) => {
      if (secrets.some((secret) => text.includes(secret))) leaks.push(place);
    };
    for (const host of NODES) {
      look(`${host} argv`, await fleet().on(host, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"));
      look(`${host} logs`, await fleet().on(host, "cat /var/log/ringrift-p2p/* 2>/dev/null; true"));
      const modes = await fleet().on(host, "stat -c %a /etc/ringrift/*token*");
      expect(new Set(modes.split("\n"))).toEqual(new Set(["600"]));
    }
    look("h1 journal", await fleet().on("h1", "journalctl --no-pager -q"));
    look("outputs", JSON.stringify(await fleet().outputs()));
    look("export", (await fleet().pulumi("stack", "export")).stdout);
    look("up", await fleet().mustUp());
    const state = join(fleet().lab.directory.path, "state");
    for (const file of readdirSync(state, { recursive: true, encoding: "utf8" })) {
      const path = join(state, file);
      if (statSync(path).isFile()) look(file, readFileSync(path, "utf8"));
    }
    expect(leaks).toEqual([]);
  });

  it("let every request through while the service token is rotated", async () => {
    const stop = `/tmp/stop-${randomBytes(3).toString("hex")}`;
    const urls = ["h2", "c2", "p2p"].map(url).join(" ");
    const watching = fleet().lab.ssh("h1", `python3 /root/client.py watch ${stop} ${urls}`);
    lab.set(["accessGeneration"], 2);
    const first = await fleet().mustUp();
    expect(first).toMatch(/service token 1 is let in until every host has token 2/);
    expect((await lab.state()).serviceTokens).toHaveLength(2);
    await fleet().mustUp();
    expect((await lab.state()).serviceTokens.map(({ name }) => name)).toEqual([
      expect.stringContaining(`p2p ${ZONE} 2 `),
    ]);
    await fleet().on("h1", `touch ${stop}`);
    const { asked, failures } = JSON.parse((await watching).stdout) as {
      asked: number;
      failures: string[];
    };
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(0);
    expect(await settled()).toBe(true);
  });

  it("say once what Cloudflare says no with, and leave all that stands", async () => {
    const before = await lab.names();
    const said: Record<string, number> = {};
    for (const status of [401, 403, 429, 500]) {
      const headers = { "retry-after": "1" };
      await lab.admin("POST", "/faults", { status, path: ".*", headers });
      const { code, stdout, stderr } = await fleet().up();
      await lab.admin("DELETE", "/faults");
      expect(code).toBe(1);
      said[status] = timesSaid(stdout + stderr, new RegExp(`error: p2p:cloudflare: .*${status}`));
    }
    expect(said).toEqual({ "401": 1, "403": 1, "429": 1, "500": 1 });
    expect(await lab.names()).toEqual(before);
    expect(await settled()).toBe(true);
  });

  it("leave a foreign record alone: that node waits, and says what to do", async () => {
    const path = `/zones/${lab.cloudflare.zoneId}/dns_records`;
    const theirs = {
      type: "A",
      name: `h6.${ZONE}`,
      content: "192.0.2.7",
      proxied: false,
      ttl: 300,
    };
    const made = (await lab.api("POST", path, theirs)) as { result: { id: string } };
    fleet().edit(["hosts", "h6", "status"], "ready");
    const printed = await fleet().up();
    expect(printed.stdout + printed.stderr).toMatch(
      /the DNS record h6\.fleet\.example \(A 192\.0\.2\.7\) is not ours/,
    );
    const { hosts } = (await fleet().outputs()) as { hosts: Record<string, { state: string }> };
    expect([hosts["h6"]?.state, hosts["h1"]?.state]).toEqual(["held", "healthy"]);
    const after = (await lab.api("GET", `${path}/${made.result.id}`)) as { result: object };
    expect(after.result).toMatchObject(theirs);
    await lab.api("DELETE", `${path}/${made.result.id}`);
  });

  it("take an existing tunnel and record over by the configuration", async () => {
    const account = `/accounts/${lab.cloudflare.accountId}/cfd_tunnel`;
    const tunnel = (await lab.api("POST", account, {
      name: "theirs",
      config_src: "cloudflare",
    })) as {
      result: { id: string };
    };
    const record = (await lab.api("POST", `/zones/${lab.cloudflare.zoneId}/dns_records`, {
      ...{
        type: "CNAME",
        name: `h6.${ZONE}`,
        content: "old.example.com",
        proxied: false,
        ttl: 300,
      },
    })) as { result: { id: string } };
    lab.set(["adopt"], { h6: { tunnel: tunnel.result.id, record: record.result.id } });
    await fleet().mustUp();
    await answering({ h6: "h6" });
    const { tunnels } = (await fleet().outputs()) as {
      tunnels: { tunnels: Record<string, { id: string; record: string }> };
    };
    expect(tunnels.tunnels["node:h6"]).toMatchObject({
      id: tunnel.result.id,
      record: record.result.id,
    });
    expect(await settled()).toBe(true);
  });

  it("go with their host: connector first, then the name and the tunnel", async () => {
    fleet().edit(["hosts", "h6", "status"], "retired");
    await fleet().mustUp();
    const names = [...NODES, "p2p"].map((name) => `${name}.${ZONE}`).sort();
    expect(await lab.names()).toEqual({ tunnels: names, records: names });
    expect(await fleet().on("h6", "ls /etc/systemd/system | grep -c ringrift || true")).toBe("0");
    lab.set(["adopt"], undefined);
    expect(await settled()).toBe(true);
  });

  it("come whole out of a run that was cut while they were made", async () => {
    const names = [...NODES, "h6", "p2p"].map((name) => `${name}.${ZONE}`).sort();
    fleet().edit(["hosts", "h6", "status"], "ready");
    for (const cut of [/POST .*cfd_tunnel/, /PUT .*configurations/, /POST .*dns_records/]) {
      await lab.admin("DELETE", "/requests");
      const running = fleet().up();
      await seen(cut);
      killRun(fleet().lab.id, "engine");
      await running;
    }
    const next = await fleet().nextUp();
    expect([next.code, next.code === 0 ? "" : next.stdout + next.stderr]).toEqual([0, ""]);
    expect(await lab.names()).toEqual({ tunnels: names, records: names });
    await answering({ h6: "h6" });
    expect(await settled()).toBe(true);
  });

  it("all go where nothing of ours is to stay", async () => {
    await fleet().pulumi("config", "set", "p2p:state", "absent");
    await fleet().mustUp();
    expect(await lab.names()).toEqual({ tunnels: [], records: [] });
    const { applications, policies, serviceTokens } = await lab.state();
    expect([applications, policies, serviceTokens]).toEqual([[], [], []]);
  });

  /** Waits until the API has had a request like that, or the run has gone by without. */
  async function seen(request: RegExp): Promise<void> {
    const end = Date.now() + 120_000;
    while (Date.now() < end) {
      const list = (await lab.admin("GET", "/requests")) as { method: string; path: string }[];
      if (list.some(({ method, path }) => request.test(`${method} ${path}`))) return;
    }
  }
});
