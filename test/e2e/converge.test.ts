import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { enginesHere, LabFleet } from "./labFleet";

// What this cannot prove: the orchestrator, which is a stand-in here, and macOS (launchd is rendered and parsed only).

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "the program on a lab" : `the program on a lab (skipped here: ${why})`;

const LIVE = ["h1", "h2", "h3", "h4", "h5", "h6", "c1", "c2"];
const TOKEN = "planted-cluster-token-5f1e7c";

/** Drift, unreachable hosts and notes change what a run prints, not these words. */
const NOTHING = /Resources:\n\s+\d+ unchanged\n/;

/** Files of a host that belong to the system's own running and not to anybody's configuration. */
const SYSTEM_NOISE =
  "( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/systemd -o -path /var/lib/apt -o -path /var/lib/dpkg -o -path /var/tmp -o -path /root/.ssh )";

onLab.each(enginesHere())(`${title}, on $name`, (engine) => {
  let fleet: LabFleet;
  let before: { files: string; units: string };

  /** What stands on a host: every file with mode, owner and size, and every unit file's state. */
  const inventoryOf = async (host: string) => ({
    files: await fleet.on(
      host,
      `find / -xdev ${SYSTEM_NOISE.replace(/[()]/g, "\\$&")} -prune -o -path '*/ai-service/*' -prune -o -printf '%p %y %m %u %l\\n' | grep -v __pycache__ | sort`,
    ),
    units: await fleet.on(host, "systemctl list-unit-files --no-legend --no-pager | sort"),
  });

  beforeAll(async () => {
    fleet = await LabFleet.up(engine);
    before = await inventoryOf("h6");
    const set = await fleet.pulumi("config", "set", "--secret", "p2p:clusterToken", TOKEN);
    expect(set).toMatchObject({ code: 0 });
  });

  afterAll(async () => {
    await (fleet as LabFleet | undefined)?.lab.down();
  });

  it("makes every reachable host healthy, and leaves the dead one owed", async () => {
    const printed = await fleet.mustUp();
    expect(printed).toMatch(/d1\s+warning: unreachable/);
    const { hosts, debt } = (await fleet.outputs()) as {
      hosts: Record<string, { state: string }>;
      debt: Record<string, { why: string }>;
    };
    expect(
      Object.fromEntries(Object.entries(hosts).map(([name, { state }]) => [name, state])),
    ).toEqual({
      ...Object.fromEntries(LIVE.map((name) => [name, "healthy"])),
      d1: "unreachable",
    });
    expect(Object.keys(debt)).toEqual(["d1"]);
    const status = await fleet.lab.status();
    expect(
      status
        .filter(({ daemon }) => daemon === "healthy")
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...LIVE].sort());
  });

  it("has nothing to do in a second up and a preview", async () => {
    const started = await fleet.startTimes(LIVE);
    const again = await fleet.mustUp();
    expect(again).toMatch(NOTHING);
    const preview = await fleet.pulumi("preview", "--expect-no-changes");
    expect({ code: preview.code, said: NOTHING.test(preview.stdout) }).toEqual({
      code: 0,
      said: true,
    });
    expect(await fleet.startTimes(LIVE)).toEqual(started);
  });

  it("gives the orchestrator its peers, voters and node.conf from the plan", async () => {
    const { peers, seeds, voters, quorum, nodeConf } = (await fleet.outputs()) as {
      peers: string[];
      seeds: string[];
      voters: string[];
      quorum: unknown;
      nodeConf: Record<string, string>;
    };
    const addresses = [11, 12, 13, 14, 15].map((last) => `10.77.0.${last}:8770`);
    expect({ peers, seeds, voters, quorum }).toEqual({
      peers: addresses,
      seeds: addresses,
      voters: ["h1", "h2", "h3", "h4", "h5"],
      quorum: { declared: 5, effective: 5, required: 3, margin: 2 },
    });
    const file = await fleet.on("h2", "grep -v '^#' /etc/ringrift/node.conf");
    expect(file).toBe(nodeConf["h2"]?.trimEnd());
  });

  it("keeps the state small, and no secret in clear in it", async () => {
    const text = JSON.stringify(await fleet.resources());
    expect(text.length / (LIVE.length + 1)).toBeLessThan(64 * 1024);
    const key = readFileSync(join(fleet.lab.directory.path, "id_ed25519"), "utf8").split("\n")[2];
    expect(text).not.toContain(TOKEN);
    expect(text).not.toContain(key);
    const state = join(fleet.lab.directory.path, "state");
    for (const file of readdirSync(state, { recursive: true, encoding: "utf8" })) {
      const path = join(state, file);
      if (statSync(path).isFile()) expect(readFileSync(path, "utf8")).not.toContain(TOKEN);
    }
  });

  it.each(["h1", "h4", "c1", "c2"])(
    "leaves the token on %s in one file of mode 0600 only",
    async (host) => {
      const found = await fleet.lab.inside(host, [
        "sh",
        "-c",
        // The search itself must not be what is found: the pattern comes over a pipe, in two halves.
        `token() { printf %s%s planted-cluster -token-5f1e7c; }
token | grep -rlsF -f - /etc /opt /var /root /home /tmp /workspace /run
token | grep -lsF -f - /proc/[0-9]*/cmdline /proc/[0-9]*/environ
journalctl --no-pager 2>/dev/null > /dev/shm/journal; token | grep -lsF -f - /dev/shm/journal
rm -f /dev/shm/journal; true`,
      ]);
      const files = found.stdout.trim().split("\n");
      expect(files).toHaveLength(1);
      const mode = await fleet.lab.inside(host, ["stat", "-c", "%a", files[0] ?? ""]);
      expect(mode.stdout.trim()).toBe("600");
    },
  );

  it.each(["h2", "c1", "c2"])("comes back after kill -9 of the daemon on %s", async (host) => {
    const started = await fleet.startedAt(host);
    const pid = await fleet.on(
      host,
      'cat /proc/net/tcp >/dev/null; sh -c \'for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline 2>/dev/null | grep -q "^/opt/ringrift-p2p/venv/bin/python scripts/p2p_orchestrator.py" && echo ${p#/proc/}; done\' | head -n 1',
    );
    await fleet.on(host, `kill -KILL ${pid}`);
    expect(await fleet.restarted(host, started)).toBe(true);
  });

  it("comes back after a reboot of a machine and restarts of containers", async () => {
    const started = await fleet.startTimes(["h6", "c1", "c2"]);
    await Promise.all(["h6", "c1", "c2"].map((host) => fleet.lab.restart(host)));
    for (const host of ["h6", "c1", "c2"])
      expect({ host, back: await fleet.restarted(host, started[host] ?? null) }).toEqual({
        host,
        back: true,
      });
  });

  it("shows a hand edit and a stopped service in preview, heals just that, and is done", async () => {
    await fleet.on("h3", "echo '# by hand' >> /etc/ringrift/node.conf");
    await fleet.on(
      "h6",
      "systemctl disable --now ringrift-p2p-node 2>&1 || systemctl disable --now 'ringrift-p2p*' 2>&1",
    );
    const started = await fleet.startTimes(["h1", "h2", "h4", "h5", "c1", "c2"]);
    const preview = await fleet.pulumi("preview", "--diff");
    expect(preview.stdout).toContain("/etc/ringrift/node.conf");
    expect(preview.stdout).toContain("# by hand");
    expect(preview.stdout).toMatch(/service\s*: "running → (stopped|failed)/);
    const healed = await fleet.mustUp();
    expect(healed).toMatch(/Resources:\n\s+~ 2 updated\n\s+\d+ unchanged/);
    expect((await fleet.pulumi("preview", "--expect-no-changes")).code).toBe(0);
    expect(await fleet.startTimes(["h1", "h2", "h4", "h5", "c1", "c2"])).toEqual(started);
    expect(await fleet.on("h3", "grep -c 'by hand' /etc/ringrift/node.conf || true")).toBe("0");
  });

  it("restarts nobody when a worker joins the inventory, and only the host whose port moves", async () => {
    const others = LIVE.filter((host) => host !== "h6");
    const started = await fleet.startTimes(LIVE);
    fleet.edit(["hosts", "w9"], {
      ssh_host: "10.77.0.99",
      ssh_host_key:
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
      ringrift_path: "~/ringrift/ai-service",
      status: "ready",
      p2p_enabled: true,
    });
    await fleet.pulumi("config", "set", "p2p:policy", '{"maxUnreachable":"50%"}');
    await fleet.mustUp();
    expect(await fleet.startTimes(LIVE)).toEqual(started);
    fleet.edit(["hosts", "h6", "p2p_port"], 8780);
    await fleet.mustUp();
    expect(await fleet.startTimes(others)).toEqual(
      Object.fromEntries(others.map((host) => [host, started[host]])),
    );
    fleet.edit(["hosts", "h6", "p2p_port"], undefined);
    fleet.edit(["hosts", "w9"], undefined);
    await fleet.mustUp();
    expect(await fleet.restarted("h6", started["h6"] ?? null)).toBe(true);
  });

  it("carries hostile values as data", async () => {
    const value = "/workspace/$(touch /tmp/pwned) `id` \"quoted\" 'q' %h/ai-service";
    fleet.edit(["hosts", "h6", "ringrift_path"], value);
    await fleet.up();
    expect(await fleet.on("h6", "ls /tmp/pwned 2>/dev/null || true")).toBe("");
    fleet.edit(["hosts", "h6", "ringrift_path"], "~/ringrift/ai-service");
    await fleet.mustUp();
  });

  it("holds everybody when the canary does not get healthy, which goes back by itself", async () => {
    const started = await fleet.startTimes(LIVE);
    // The first worker by name is the canary. Its next start crashes, whatever the release.
    const path = "/workspace/ringrift/ai-service/.env.local";
    await fleet.on("c1", `echo RINGRIFT_STANDIN_CRASH_AFTER_SECONDS=0.1 > ${path}`);
    // Another set of voters is a new release for every host.
    fleet.edit(["p2p_voters"], ["h1", "h2", "h3", "h4", "h5", "h6"]);
    await fleet.pulumi("config", "set", "p2p:healthSeconds", "20");
    const { code, stdout } = await fleet.up();
    expect(code).toBe(1);
    expect(stdout).toMatch(/held: canary c1 failed/);
    const others = LIVE.filter((host) => host !== "c1");
    expect(await fleet.startTimes(others)).toEqual(
      Object.fromEntries(others.map((host) => [host, started[host]])),
    );
    await fleet.on("c1", `rm ${path}`);
    await fleet.pulumi("config", "rm", "p2p:healthSeconds");
    fleet.edit(["p2p_voters"], ["h1", "h2", "h3", "h4", "h5"]);
    // The first run may still meet a process of the crash loop, and says so; the next one converges.
    await fleet.up();
    await fleet.mustUp();
    expect((await fleet.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  });

  it("leaves a retired host as it was, and destroys with a dead host in the fleet", async () => {
    fleet.edit(["hosts", "h6", "status"], "retired");
    await fleet.mustUp();
    expect(await inventoryOf("h6")).toEqual(before);
    fleet.edit(["hosts", "h6"], undefined);
    await fleet.mustUp();
    expect((await fleet.resources()).some(({ urn }) => urn.includes("::h6"))).toBe(false);
    const destroyed = await fleet.pulumi("destroy", "--yes");
    expect(destroyed.code).toBe(0);
    expect(await fleet.resources()).toEqual([]);
  });
});
