import { readFileSync } from "node:fs";
import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { until } from "../../lab/fleet/until";
import { Agreement } from "./agreement";
import { difference, type HostSnapshot, snapshot } from "./hostSnapshot";
import { enginesHere, LabFleet } from "./labFleet";
import { findInFolder, findOnHost, watchCommandLines } from "./secretSearch";

// What this cannot prove: the orchestrator, which is a stand-in here, and macOS (launchd is rendered and parsed only).

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "the program on a lab" : `the program on a lab (skipped here: ${why})`;

const LIVE = ["h1", "h2", "h3", "h4", "h5", "h6", "c1", "c2"];
/** One host of each kind leaves again. */
const LEAVING = ["h6", "c1", "c2"];
const TOKEN = "planted-cluster-token-5f1e7c";
/** `npm test` has a canary that fails in quorum.test.ts, on a machine; `npm run test:soak` one in a container too. */
const inSoak = process.env["FAULT_KILLS"] === undefined ? it.skip : it;

/** Drift, unreachable hosts and notes change what a run prints, not these words. */
const NOTHING = /Resources:\n\s+\d+ unchanged\n/;

/** Both engines have to show the same. */
const agreement = new Agreement();

onLab.each(enginesHere())(`${title}, on $name`, (engine) => {
  let fleet: LabFleet;
  let before: Record<string, HostSnapshot>;

  const snapshots = async (): Promise<Record<string, HostSnapshot>> =>
    Object.fromEntries(
      await Promise.all(LEAVING.map(async (host) => [host, await snapshot(fleet.lab, host)])),
    ) as Record<string, HostSnapshot>;

  /** Restarts by the daemons' own start times. */
  const restartedSince = async (started: Record<string, number | null>): Promise<string[]> => {
    const now = await fleet.startTimes(LIVE);
    return LIVE.filter((host) => now[host] !== started[host]);
  };

  const expectNoChanges = async (): Promise<void> => {
    const { code, stdout } = await fleet.pulumi("preview", "--expect-no-changes");
    expect({ code, said: NOTHING.test(stdout) ? "nothing" : stdout }).toEqual({
      code: 0,
      said: "nothing",
    });
  };

  beforeAll(async () => {
    fleet = await LabFleet.up(engine);
    await fleet.stopQuickly(LIVE);
    before = await snapshots();
    await fleet.setSecret("p2p:clusterToken", TOKEN);
  });

  afterAll(async () => {
    await (fleet as LabFleet | undefined)?.lab.down();
  });

  it("makes every reachable host healthy, and leaves the dead one owed", async () => {
    agreement.check("first steps", await fleet.steps());
    const { result, looks, seen } = await watchCommandLines(TOKEN, () => fleet.mustUp());
    expect(result).toContain("unreachable: no route to it");
    expect({ seen, looked: looks > 0 }).toEqual({ seen: [], looked: true });
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
    // The lab's own look waits 3 s for an answer, which a busy machine may take.
    const isHealthy = async () =>
      (await fleet.lab.status()).filter(({ daemon }) => daemon === "healthy").length ===
      LIVE.length;
    expect(await until(isHealthy, 120_000, 500)).toBe(true);
  });

  it("has nothing to do in a second up and a preview, and costs little beyond the probe", async () => {
    const started = await fleet.startTimes(LIVE);
    const again = await fleet.upMeasured();
    expect(again.printed).toMatch(NOTHING);
    await expectNoChanges();
    expect(await fleet.startTimes(LIVE)).toEqual(started);
    // At most 4 s on a quiet machine. Here in processor time, and by what loading the SDK alone costs at this moment
    // (0.6 to 0.9 s), because a busy machine stretches both; starting a compiler would make it eight times as much.
    // Load that comes or goes between the three makes a ratio of nothing, so it is measured again then.
    const ratios: number[] = [];
    const isSmall = async ({ seconds }: { seconds: number }) => {
      const look = [process.execPath, "bin/fleet.js", "status", fleet.lab.inventory];
      const probe = await fleet.measured(look);
      const load = await fleet.measured([process.execPath, "-e", "require('@pulumi/pulumi')"]);
      ratios.push((seconds - probe) / load);
      return Math.min(...ratios) < 7;
    };
    let small = await isSmall(again);
    while (!small && ratios.length < 5) small = await isSmall(await fleet.upMeasured());
    expect({ ratios, small }).toEqual({ ratios, small: true });
  });

  it("gives the orchestrator its peers, voters and node.conf from the plan", async () => {
    const outputs = await fleet.outputs();
    const addresses = [11, 12, 13, 14, 15].map((last) => `10.77.0.${last}:8770`);
    expect(outputs).toMatchObject({
      peers: addresses,
      seeds: addresses,
      voters: ["h1", "h2", "h3", "h4", "h5"],
      quorum: { declared: 5, effective: 5, required: 3, margin: 2 },
    });
    const file = await fleet.on("h2", "grep -v '^#' /etc/ringrift/node.conf");
    expect(file).toBe((outputs["nodeConf"] as Record<string, string>)["h2"]?.trimEnd());
    agreement.check("outputs", outputs);
  });

  it("keeps the state small, with the same resources on every engine", async () => {
    const resources = await fleet.resources();
    const ofHosts = resources.filter(({ urn }) => urn.includes("P2pHost"));
    expect(JSON.stringify(ofHosts).length / (LIVE.length + 1)).toBeLessThan(40 * 1024);
    agreement.check(
      "resources",
      resources
        .filter(({ type }) => !type.startsWith("pulumi:"))
        .map(({ urn, inputs }) => ({ urn, inputs: Object.keys(inputs ?? {}).sort() }))
        .sort((a, b) => (a.urn < b.urn ? -1 : 1)),
    );
  });

  it("leaves planted secrets nowhere but in one file of mode 0600", async () => {
    const places = await Promise.all(LIVE.map((host) => findOnHost(fleet.lab, host, TOKEN)));
    // Each token has a file of its own, named by its keyed digest.
    const file = await fleet.on("h1", "ls /etc/ringrift/cluster-token-*");
    expect(file).toMatch(/^\/etc\/ringrift\/cluster-token-[0-9a-f]{8}$/);
    expect(Object.fromEntries(LIVE.map((host, index) => [host, places[index]]))).toEqual(
      Object.fromEntries(LIVE.map((host) => [host, [file]])),
    );
    expect(await fleet.on("h1", `stat -c '%a %U' ${file}`)).toBe("600 root");
    expect(await fleet.on("h4", `stat -c '%a %U' ${file}`)).toBe("600 ubuntu");
    const key = readFileSync(join(fleet.lab.directory.path, "id_ed25519"), "utf8").split("\n")[2];
    if (key === undefined) throw new Error("no key");
    const exported = JSON.stringify(await fleet.resources());
    for (const secret of [TOKEN, key]) {
      expect(findInFolder(join(fleet.lab.directory.path, "state"), secret)).toEqual([]);
      expect(findInFolder(join(fleet.lab.directory.path, "project"), secret)).toEqual([]);
      expect(fleet.said.includes(secret) || exported.includes(secret)).toBe(false);
    }
  });

  it("would have found them in every one of these places", async () => {
    const text = "decoy-text-77ab21";
    await fleet.lab.inside("h1", ["sh"], {
      input: `echo ${text} > /root/decoy; echo ${text} > /run/decoy
echo ${text} | logger -t decoy
sh -c 'sleep 900; : ${text}' > /dev/null 2>&1 &
DECOY=${text} sleep 900 > /dev/null 2>&1 &
journalctl --sync`,
    });
    const places = ["/root/decoy", "/run/decoy", "journal", "process cmdline", "process environ"];
    // A program that was just started may still be the shell that started it.
    let found: string[] = [];
    await until(
      async () => (found = await findOnHost(fleet.lab, "h1", text)).length === places.length,
      120_000,
      500,
    );
    expect(found).toEqual(places);
    const { seen } = await watchCommandLines(text, () => fleet.lab.ssh("h1", `: ${text}; sleep 3`));
    expect(seen).not.toEqual([]);
    expect(findInFolder(fleet.lab.directory.path, TOKEN)).toEqual([]);
    expect(findInFolder(fleet.lab.directory.path, "p2p:inventory").length).toBeGreaterThan(0);
  });

  it.each(["h2", "c1", "c2"])("comes back after kill -9 of the daemon on %s", async (host) => {
    const started = await fleet.startedAt(host);
    await fleet.killDaemon(host);
    expect(await fleet.restarted(host, started)).toBe(true);
  });

  it("comes back after a reboot of a machine and restarts of containers", async () => {
    const started = await fleet.startTimes(LEAVING);
    await Promise.all(LEAVING.map((host) => fleet.lab.restart(host)));
    for (const host of LEAVING)
      expect({ host, back: await fleet.restarted(host, started[host] ?? null) }).toEqual({
        host,
        back: true,
      });
  });

  it("shows hand edits, a stopped service and a lost module in preview, heals just that, and is done", async () => {
    const copy = "~/ringrift/ai-service/config/distributed_hosts.yaml";
    await fleet.on("h3", "echo '# by hand' >> /etc/ringrift/node.conf");
    await fleet.on("h2", `echo '# in the copy' >> ${copy}`);
    await fleet.on("h6", "systemctl disable --now ringrift-p2p-node 2>&1");
    await fleet.on("h3", "chmod 644 /opt/ringrift-p2p/current/run");
    const dropIn = "/etc/systemd/system/ringrift-p2p-node.service.d";
    await fleet.on("h6", `mkdir ${dropIn} && printf '[Service]\\nNice=5\\n' > ${dropIn}/a.conf`);
    // Accepts connections and never speaks: owed, and nobody else's loss.
    await fleet.lab.break("h5", "stalled-sshd");
    await fleet.lab.break("c1", "daemon-missing-module");
    const started = await fleet.startTimes(LIVE);
    const preview = await fleet.pulumi("preview", "--diff");
    expect(preview.stdout).toContain("/etc/ringrift/node.conf");
    expect(preview.stdout).toContain("-# by hand");
    expect(preview.stdout).toContain("-# in the copy");
    expect(preview.stdout).toMatch(
      /"\/opt\/ringrift-p2p\/releases\/[0-9a-f]{16}\/run mode: 0644 root"/,
    );
    expect(preview.stdout).toMatch(
      /a\.conf\s*: \[\n.*"absent → overrides the unit"\n.*\n.*"-Nice=5"/,
    );
    expect(preview.stdout).toMatch(/service\s*: "running → (stopped|failed)/);
    expect(preview.stdout).toMatch(/import psutil\s*: "works → ModuleNotFoundError/);
    const steps = await fleet.steps();
    expect(steps.map(({ op, urn }) => `${op} ${urn.split("::").at(-1)}`)).toEqual([
      "update c1-activate",
      "update c1-prepare",
      "update h2-prepare",
      "update h3-activate",
      "update h6-activate",
    ]);
    agreement.check("healing steps", steps);
    const healed = await fleet.mustUp();
    expect(healed).toMatch(/Resources:\n\s+~ 5 updated\n\s+\d+ unchanged/);
    expect(healed).toContain("stalled after accept");
    expect(Object.keys((await fleet.outputs())["debt"] as object)).toEqual(["d1", "h5"]);
    await fleet.lab.heal("h5");
    await fleet.lab.heal("c1");
    await expectNoChanges();
    expect(await restartedSince(started)).toEqual(["h6", "c1"]);
    expect(await fleet.on("h3", "grep -c 'by hand' /etc/ringrift/node.conf || true")).toBe("0");
    expect(await fleet.on("h6", "systemctl show -P DropInPaths ringrift-p2p-node")).toBe("");
    expect(await fleet.on("h2", `grep -c 'in the copy' ${copy} || true`)).toBe("0");
  });

  it("restarts nobody when a worker joins the inventory, and only the hosts whose setting changes", async () => {
    const started = await fleet.startTimes(LIVE);
    fleet.edit(["hosts", "w9"], {
      ssh_host: "10.77.0.99",
      ssh_host_key:
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
      ringrift_path: "~/ringrift/ai-service",
      status: "ready",
      p2p_enabled: true,
    });
    fleet.configure("p2p:policy", { maxUnreachable: "50%" });
    await fleet.mustUp();
    expect(await restartedSince(started)).toEqual([]);
    fleet.edit(["hosts", "h6", "p2p_port"], 8780);
    fleet.edit(["hosts", "c2", "p2p_port"], 8780);
    await fleet.mustUp();
    expect(await restartedSince(started)).toEqual(["h6", "c2"]);
    fleet.edit(["hosts", "c2", "p2p_port"], undefined);
    fleet.edit(["hosts", "w9"], undefined);
  });

  it("carries hostile values as data, and the daemon works with them", async () => {
    const folder = `/workspace/it's $(touch /tmp/pwned) \`id\` "q" %h; #`;
    const note = "two\nlines $(touch /tmp/pwned) 'q' \"q\" `id` ${HOME} %h\n";
    const quoted = folder.replaceAll("'", "'\\''");
    await fleet.on("h6", `mkdir -p '${quoted}' && cp -r ~/ringrift/ai-service '${quoted}/'`);
    fleet.edit(["hosts", "h6", "p2p_port"], undefined);
    fleet.edit(["hosts", "h6", "ringrift_path"], `${folder}/ai-service`);
    fleet.edit(["hosts", "h6", "note"], note);
    const started = await fleet.startTimes(LIVE);
    await fleet.mustUp();
    expect(await restartedSince(started)).toEqual(["h6", "c2"]);
    expect(await fleet.on("h6", "ls /tmp/pwned 2>/dev/null || true")).toBe("");
    expect(
      await fleet.on(
        "h6",
        "readlink /proc/$(systemctl show -P MainPID ringrift-p2p-node)/cwd; cd /",
      ),
    ).toBe(`${folder}/ai-service`);
    const read = `import json, yaml; print(json.dumps(yaml.safe_load(open("config/distributed_hosts.yaml"))["hosts"]["h6"]["note"]))`;
    const python = "/opt/ringrift-p2p/venv/bin/python";
    expect(
      JSON.parse(await fleet.on("h6", `cd '${quoted}/ai-service' && ${python} -c '${read}'`)),
    ).toBe(note);
    fleet.edit(["hosts", "h6", "ringrift_path"], "~/ringrift/ai-service");
    // Done by the next run.
    fleet.edit(["hosts", "h6", "note"], undefined);
  });

  inSoak(
    "holds everybody when the canary does not get healthy, which goes back by itself",
    async () => {
      const started = await fleet.startTimes(LIVE);
      // The first worker by name is the canary. Its next start crashes, whatever the release.
      const path = "/workspace/ringrift/ai-service/.env.local";
      await fleet.on("c1", `echo RINGRIFT_STANDIN_CRASH_AFTER_SECONDS=0.1 >> ${path}`);
      // Another set of voters is a new release for every host.
      fleet.edit(["p2p_voters"], ["h1", "h2", "h3", "h4", "h5", "h6"]);
      fleet.configure("p2p:healthSeconds", 20);
      const { code, stdout } = await fleet.up();
      expect(code).not.toBe(0);
      expect(stdout).toMatch(/held: canary c1 failed/);
      expect((await restartedSince(started)).filter((host) => host !== "c1")).toEqual([]);
      await fleet.on("c1", `sed -i /CRASH_AFTER/d ${path}`);
      fleet.configure("p2p:healthSeconds", undefined);
      fleet.edit(["p2p_voters"], ["h1", "h2", "h3", "h4", "h5"]);
      // The first run may still meet a process of the crash loop, and says so; the next one converges.
      await fleet.up();
      await fleet.mustUp();
      await expectNoChanges();
    },
  );

  it("leaves hosts of each kind as they were, and destroys with a dead host in the fleet", async () => {
    for (const host of LEAVING) fleet.edit(["hosts", host, "status"], "retired");
    await fleet.mustUp();
    // Made by these tests.
    await fleet.on("h6", "rm -rf /workspace");
    // A timer of the system's own may be running at that moment.
    let different: string[] = [];
    await until(async () => {
      const after = await snapshots();
      different = LEAVING.flatMap((host) =>
        difference(before[host] as HostSnapshot, after[host] as HostSnapshot).map(
          (line) => `${host} ${line}`,
        ),
      );
      return different.length === 0;
    }, 30_000);
    expect(different).toEqual([]);
    for (const host of LEAVING) fleet.edit(["hosts", host], undefined);
    // The dead one is the only worker left, and half of one is none.
    fleet.configure("p2p:policy", { maxUnreachable: 1 });
    await fleet.mustUp();
    const gone = new RegExp(`::(${LEAVING.join("|")})(-|$)`);
    expect((await fleet.resources()).some(({ urn }) => gone.test(urn))).toBe(false);
    const destroyed = await fleet.pulumi("destroy", "--yes");
    expect(destroyed.code).toBe(0);
    expect(await fleet.resources()).toEqual([]);
  });
});
