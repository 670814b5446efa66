import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { projectRoot } from "../../lab/fleet/projectRoot";
import { runChecked } from "../../lab/fleet/run";
import { until } from "../../lab/fleet/until";
import { enginesHere, LabFleet } from "./labFleet";
import { both, NOTHING, tailnetFiles, TailnetLab } from "./tailnetLab";

// What a joined fleet lives through: DNS, renewed keys, addresses, a lock-out, and the way out of the tailnet.

const obstacle = whyNoLab(machineFacts());
const onLab = obstacle === null ? describe : describe.skip;
const title = `the life of a tailnet on a lab${obstacle === null ? "" : ` (no lab here: ${obstacle})`}`;

jest.setTimeout(900_000);

const HOSTS = ["h1", "c1"];
// Two minutes and more until the host's own timer fires: `npm run test:soak`.
const isSoak = process.env["TAILNET_LOCKOUT"] !== undefined;
const DNS = "/api/v2/tailnet/-/dns/configuration";
/** As keys are named: the day, in UTC. */
const today = (): string => new Date().toISOString().slice(0, 10);
/** Answers nobody, and lets nobody through. */
const DEAF = "#!/bin/sh\ncase $1 in --cleanup) exit 0;; esac\nexec sleep 1000\n";

onLab.each(enginesHere())(`${title}, on $name`, (engine) => {
  let fleet: LabFleet;
  let tailnet: TailnetLab;
  const folder = mkdtempSync(join(tmpdir(), "tailnet-life-"));

  const settings = (more: object) => {
    const { tailnet: standard } = fleetSettings();
    fleet.configure("p2p:tailnet", { ...standard, ...more });
  };
  let standardSettings: { tailnet: Record<string, unknown> } | undefined;
  const fleetSettings = () => (standardSettings ??= { tailnet: fleet.config("p2p:tailnet") });
  const nothingToDo = async () => {
    const preview = await fleet.pulumi("preview", "--expect-no-changes");
    expect({ code: preview.code, printed: preview.code === 0 ? "" : both(preview) }).toEqual({
      code: 0,
      printed: "",
    });
  };
  const keysOf = async () => {
    const { tailnet: told } = (await fleet.outputs()) as {
      tailnet: { classKeys: { generation: string; id: string; expires: string }[] };
    };
    return told.classKeys;
  };
  const LIVING = {
    policy: { existing: "adopt", ssh: { from: ["operator@lab.example"], users: ["root"] } },
    dns: { nameservers: ["192.0.2.53"], searchPaths: ["lab.example"] },
    classes: { "vast-nodes": { days: 30 } },
  };

  beforeAll(async () => {
    const files = tailnetFiles(folder, [...HOSTS, "x1"]);
    fleet = await LabFleet.up(engine, { ...files, with: ["tailnet"] });
    tailnet = new TailnetLab(fleet);
    // There is one voter.
    fleet.environment = { P2P_ALLOW_QUORUM_LOSS: "true" };
    await fleet.pulumi("config");
    settings(LIVING);
    await fleet.mustUp();
  });

  afterAll(async () => {
    await (fleet as LabFleet | undefined)?.lab.down();
    rmSync(folder, { recursive: true });
  });

  it("sets DNS once, and again when somebody has edited it", async () => {
    const set = await tailnet.request("GET", DNS);
    expect(JSON.parse(set)).toMatchObject({
      nameservers: [{ address: "192.0.2.53" }],
      searchPaths: ["lab.example"],
      preferences: { magicDNS: true, overrideLocalDNS: false },
    });
    expect(await fleet.mustUp()).toMatch(NOTHING);
    await tailnet.request("POST", DNS, '{"nameservers":[{"address":"192.0.2.99"}]}');
    const edited = "nameservers 192.0.2.53 → 192.0.2.99";
    expect(both(await fleet.pulumi("preview"))).toContain(edited);
    expect(await fleet.mustUp()).toContain(edited);
    expect(await tailnet.request("GET", DNS)).toBe(set);
    await nothingToDo();
  });

  it("renews a class's key beside the old one before that lapses, and touches no host", async () => {
    const before = await tailnet.standing(HOSTS);
    const [first] = await keysOf();
    // As it will be in three weeks: the state tells when the key was made and when it lapses.
    const soon = new Date(Date.now() + 9 * 86_400_000).toISOString();
    const file = join(folder, "state.json");
    await fleet.pulumi("stack", "export", "--file", file);
    const old = readFileSync(file, "utf8")
      .replaceAll(first?.generation ?? "", "2026-01-01")
      .replaceAll(
        `p2p vast-nodes ${first?.generation.replaceAll("-", "")}`,
        "p2p vast-nodes 20260101",
      )
      .replaceAll(first?.expires ?? "", soon);
    writeFileSync(file, old);
    expect(await fleet.pulumi("stack", "import", "--file", file)).toMatchObject({ code: 0 });
    const printed = await fleet.mustUp();
    expect(printed).toMatch(/Resources:\n\s+\+ 1 created\n\s+\d+ unchanged/);
    const [kept, renewed] = await keysOf();
    expect(kept).toMatchObject({ generation: "2026-01-01", expires: soon });
    // It is the next day's where midnight was in between.
    expect([first?.generation, today()]).toContain(renewed?.generation);
    expect(await tailnet.usableKeys("vast-nodes")).toBe(2);
    expect(await tailnet.standing(HOSTS)).toEqual(before);
    await nothingToDo();
  });

  it("makes a class's key anew that somebody revoked, and touches no host", async () => {
    const before = await tailnet.standing(HOSTS);
    const [kept, revoked] = await keysOf();
    await tailnet.request("DELETE", `/api/v2/tailnet/-/keys/${revoked?.id}`);
    const name = `vast-nodes-${revoked?.generation}`;
    expect(both(await fleet.pulumi("preview"))).toContain(
      `tailnet: ${name} was revoked or deleted`,
    );
    expect(await fleet.mustUp()).toMatch(
      /Resources:\n\s+\+ 1 created\n\s+- 1 deleted\n\s+2 changes\. \d+ unchanged/,
    );
    const after = await keysOf();
    expect(after).toHaveLength(2);
    expect(after[0]).toEqual(kept);
    expect([`${revoked?.generation}-2`, today()]).toContain(after[1]?.generation);
    expect(await tailnet.usableKeys("vast-nodes")).toBe(2);
    expect(await tailnet.standing(HOSTS)).toEqual(before);
    await nothingToDo();
  });

  it("brings new addresses and stale devices to the inventory as a diff, and leaves the rest of it", async () => {
    const { h1 = "", c1 = "" } = await tailnet.addresses();
    const path = fleet.lab.inventory;
    const comment = "# the team's own words\n";
    writeFileSync(path, comment + fleet.read().replace("  c1:\n", "  c1: # rented\n"));
    const before = fleet.read();
    const sync = async (...words: string[]) => {
      const env = `TAILSCALE_API_KEY=${fleet.lab.tailnet()?.apiKey}`;
      const url = `TAILSCALE_BASE_URL=${fleet.lab.tailnet()?.url}`;
      const argv = [process.execPath, "bin/fleet.js", "sync", "tailscale", "--file", path];
      return fleet.lab.exec(["env", env, url, ...argv, ...words], { cwd: projectRoot() });
    };
    const shown = await sync();
    expect(shown.code).toBe(1);
    const added = (address: string) => new RegExp(`^\\+ +tailscale_ip: "?${address}"?$`, "m");
    expect(shown.stdout).toMatch(added(h1));
    expect(shown.stdout).toMatch(added(c1));
    expect(shown.stdout.split("\n").filter((line) => /^-(?!--)/.test(line))).toEqual([]);
    expect(fleet.read()).toBe(before);
    expect((await sync("--write")).code).toBe(0);
    const lines = fleet.read().split("\n");
    expect(lines.filter((line) => !line.includes("tailscale_ip")).join("\n")).toBe(before);
    expect(await sync()).toMatchObject({ code: 0 });
    fleet.edit(["hosts", "x1", "tailscale_ip"], "100.64.99.99");
    const stale = await sync();
    expect(stale.code).toBe(1);
    expect(stale.stdout).toMatch(/^- +tailscale_ip: "?100\.64\.99\.99"?$/m);
    fleet.edit(["hosts", "x1", "tailscale_ip"], undefined);
    await fleet.mustUp();
    await nothingToDo();
  });

  it("names the checksum that a host's machine type misses, before anything starts", async () => {
    const other = process.arch === "arm64" ? "x86_64" : "aarch64";
    settings({ ...LIVING, version: "1.102.9", sha256: { [other]: "0".repeat(64) } });
    const preview = both(await fleet.pulumi("preview"));
    for (const host of HOSTS)
      expect(preview).toMatch(
        new RegExp(`${host}.*warning: held: p2p:tailnet\\.sha256\\.\\w+ is not set, and this host`),
      );
    settings(LIVING);
  });

  it("says one thing when the credentials are gone, and leaves everything as it is", async () => {
    const before = await tailnet.standing(HOSTS);
    const usual = fleet.environment;
    fleet.environment = { ...usual, TAILSCALE_API_KEY: "" };
    const failed = await fleet.up();
    fleet.environment = usual;
    expect(failed.code).not.toBe(0);
    expect(both(failed)).toMatch(
      /error: tailnet: this stack has the policy, the DNS settings, 4 auth keys at the Tailscale API, and there are no credentials for it any more; nothing was changed/,
    );
    expect(both(failed)).not.toMatch(/^\s+at .*:\d+:\d+/m);
    expect(await tailnet.standing(HOSTS)).toEqual(before);
    await nothingToDo();
  });

  describe("a host that is reached over the tailnet", () => {
    let addresses: Record<string, string>;
    let usual: (readonly [string, unknown])[];

    beforeAll(async () => {
      await tailnet.joinByHand("x1");
      addresses = await tailnet.addresses();
      usual = HOSTS.map((host) => [host, fleet.get(["hosts", host, "ssh_host"])] as const);
      for (const host of HOSTS) {
        fleet.edit(["hosts", host, "ssh_host"], addresses[host]);
        fleet.edit(["hosts", host, "ssh_jump"], "x1");
      }
      await fleet.mustUp();
    });

    afterAll(async () => {
      settings(LIVING);
      for (const [host, address] of usual) {
        fleet.edit(["hosts", host, "ssh_host"], address);
        fleet.edit(["hosts", host, "ssh_jump"], undefined);
      }
      await fleet.mustUp();
    });

    /** Settings with another version, whose programs `write` brings. */
    const another = async (version: string, write: (folder: string) => Promise<void>) => {
      const name = `tailscale_${version}_amd64`;
      const mirror = fleet.lab.directory.file(`mirror/${version}/stable`);
      for (const directory of [mirror, join(folder, name)])
        mkdirSync(directory, { recursive: true });
      await write(join(folder, name));
      const archive = join(mirror, `${name}.tgz`);
      await runChecked("tar", ["tar", "czf", archive, "-C", folder, name]);
      const sum = await runChecked("sum", ["sha256sum", archive]);
      fleet.configure("p2p:mirror", `${usualMirror()}/${version}`);
      settings({ ...LIVING, version, sha256: { x86_64: sum.split(" ")[0] } });
    };
    let standardMirror: string | undefined;
    const usualMirror = () => (standardMirror ??= fleet.config<string>("p2p:mirror"));
    const warned = (host: string) =>
      new RegExp(`${host}.*warning: its tailscaled is started anew, and it is reached over it`);

    // The official command plugin waits for ever for a session that a restart of tailscaled cut (docs/tailnet.md).
    const isOurs = engine.pulumi === undefined;
    const onSoak = (name: string, test: () => Promise<void>) =>
      void (isSoak && isOurs && it(name, test));
    onSoak("gets back in after a tailscaled that lets nobody through", async () => {
      const { nodes } = await tailnet.standing(HOSTS);
      await another("1.0.1", async (into) => {
        for (const tool of ["tailscale", "tailscaled"])
          writeFileSync(join(into, tool), DEAF, { mode: 0o755 });
        return Promise.resolve();
      });
      const locked = await fleet.up();
      expect(locked.code).not.toBe(0);
      for (const host of HOSTS) expect(both(locked)).toMatch(warned(host));
      for (const host of HOSTS) {
        const isBack = () => tailnet.reaches("x1", addresses[host] ?? "", 22);
        expect({ host, isBack: (await until(isBack, 400_000, 1000)) !== null }).toEqual({
          host,
          isBack: true,
        });
      }
      fleet.configure("p2p:mirror", usualMirror());
      settings(LIVING);
      await fleet.mustUp();
      expect((await tailnet.standing(HOSTS)).nodes).toEqual(nodes);
      await nothingToDo();
    });

    const runs = (host: string) => fleet.on(host, "readlink -f /opt/ringrift-p2p/bin/tailscaled");
    onSoak(
      "gets another tailscaled over its own address with a TUN device, and keeps its own without one",
      async () => {
        const { nodes } = await tailnet.standing(HOSTS);
        await another("1.102.9", async (into) => {
          const archive = fleet.lab.directory.file("mirror/stable/tailscale_1.102.2_amd64.tgz");
          await runChecked("tar", ["tar", "xzf", archive, "--strip-components=1", "-C", into]);
        });
        // Userspace networking ends the session, and with it the verdict (docs/tailnet.md).
        const printed = await fleet.up();
        expect(printed.code).not.toBe(0);
        for (const host of HOSTS) expect(both(printed)).toMatch(warned(host));
        expect(both(printed)).toMatch(/c1-prepare error: wait: remote command exited without exit/);
        expect(await runs("h1")).toContain("tailscaled-1.102.9");
        const isBack = async () => (await runs("c1")).includes("tailscaled-1.102.2");
        expect(await until(isBack, 400_000, 1000)).not.toBe(null);
        const reaches = () => tailnet.reaches("x1", addresses["c1"] ?? "", 22);
        expect(await until(reaches, 400_000, 1000)).not.toBe(null);
        fleet.configure("p2p:mirror", usualMirror());
        settings(LIVING);
        await fleet.mustUp();
        expect((await tailnet.standing(HOSTS)).nodes).toEqual(nodes);
        await nothingToDo();
      },
    );

    it("is not logged out over its own address", async () => {
      settings({ enabled: false });
      const held = both(await fleet.pulumi("preview"));
      for (const host of HOSTS)
        expect(held).toMatch(new RegExp(`${host}.*the logout would cut the tailnet address`));
    });
  });

  it("takes hosts and their devices out of the tailnet when it is turned off", async () => {
    settings({ enabled: false });
    expect(both(await fleet.pulumi("preview", "--diff"))).toContain(
      "none → joined as c1.lab.ts.net",
    );
    await fleet.mustUp();
    expect(Object.keys(await tailnet.devices())).toEqual(["x1"]);
    const left = "ls -d /opt/ringrift-p2p/tailscale /workspace/.ringrift-p2p 2>/dev/null";
    for (const host of HOSTS)
      expect(await fleet.on(host, `${left}; pidof tailscaled || true`)).toBe("");
    expect(Object.values(await fleet.startTimes(HOSTS)).includes(null)).toBe(false);
    await nothingToDo();
  });
});
