import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Lab } from "../../lab/fleet/lab";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { until } from "../../lab/fleet/until";
import { comparePrepare, factsRequest } from "../../payload/compare";
import { EMPTY_PART } from "../../payload/hostPart";
import { renderAbsent, renderActivate, renderPrepare, renderSecrets } from "../../payload/render";
import { type HostPart, type PreparePresent, type SupportService } from "../../payload/spec";
import { planOf } from "../payload/plans";
import { AgentOnLab } from "./agentOnLab";

// One conformance test for what runs beside the daemon, on the three kinds of Linux hosts. The services are two
// web servers; what the real ones do with a tailnet or a tunnel is not proven here.

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
/** `npm run test:soak` tries everything on every kind; `npm test` the rarer things on one. */
const isSoak = process.env["FAULT_KILLS"] !== undefined;
const title = why === null ? "support services" : `support services (skipped here: ${why})`;

// A cold cache is filled first: packages, base root, wheels.
jest.setTimeout(900_000);

const fixture = (name: string): string => join(__dirname, "..", "lab", "hosts", "fixtures", name);
const TOOL =
  '#!/bin/sh\nexec /usr/bin/python3 -m http.server "$1" --bind 127.0.0.1 --directory /srv/web\n';
const TOKEN = "/etc/web-token";
const sha = (text: string) => createHash("sha256").update(text).digest("hex");

function partOf(port: number, version: string): HostPart {
  const source = { url: "http://127.0.0.1:9000/web", sha256: sha(TOOL), member: null };
  const early: SupportService = {
    name: "early",
    argv: ["/opt/ringrift-p2p/bin/web", String(port)],
    environment: { HOSTILE: "a'b\"c $(touch /tmp/planted) `id` %h %(ENV_HOME)s" },
    user: "root",
    tools: ["web"],
    files: [],
    secrets: {},
    ready: { url: "http://127.0.0.1:8099/" },
    readySeconds: 20,
    cutsOff: false,
  };
  const late: SupportService = {
    ...early,
    name: "late",
    argv: ["/usr/bin/python3", "-m", "http.server", "8098", "--bind", "127.0.0.1"],
    tools: [],
    secrets: { [TOKEN]: "keyed-1" },
    ready: { argv: ["/usr/bin/test", "-s", TOKEN] },
  };
  return {
    ...EMPTY_PART,
    tools: [{ name: "web", version, sources: { x86_64: source, aarch64: source } }],
    services: [early, late],
    secrets: [{ path: TOKEN, content: "planted-secret", digest: "keyed-1", owner: "root" }],
  };
}

onLab(title, () => {
  let lab: Lab;

  beforeAll(async () => {
    const files = { inventory: fixture("four.yaml"), machines: fixture("fourMachines.yaml") };
    lab = await Lab.up({ ...files, id: `s${randomBytes(3).toString("hex")}` });
  });
  afterAll(() => lab?.down());

  describe.each([
    ["s1", "systemd"],
    ["p1", "supervisord"],
    ["b1", "own"],
  ] as const)("on %s (%s)", (host, supervisor) => {
    const often = isSoak || supervisor === "systemd" ? it : it.skip;
    let agent: AgentOnLab;
    const connection = { ...planOf().connection, user: "root" };
    const plan = planOf({
      name: host,
      supervisor,
      connection,
      provider: supervisor === "own" ? "vast" : "x",
    });
    const wish = (port: number, version = "1"): PreparePresent => {
      const index = { kind: "index", url: "http://10.77.0.1:8080/simple/" } as const;
      const options = {
        inventory: null,
        clusterToken: null,
        parts: [partOf(port, version)],
        index,
      };
      const prepare = renderPrepare({ ...plan, aiServicePath: "/root" }, options);
      // The daemon is not what this is about.
      const required: Record<string, string> =
        supervisor === "own" ? { "supervisor.supervisord": "supervisor" } : {};
      return { ...prepare, python: { ...prepare.python, required } };
    };
    const first = wish(8099);
    const secrets = renderSecrets(plan, null, [partOf(8099, "1")]);
    const requestFor = (prepare: PreparePresent) =>
      factsRequest(prepare, renderActivate(plan, { inventory: null, clusterToken: null }), secrets);
    const look = async (prepare = first) => agent.facts(requestFor(prepare));
    const driftOf = async (prepare = first) => comparePrepare(prepare, await look(prepare));
    const changed = (verdict: Awaited<ReturnType<AgentOnLab["run"]>>) =>
      verdict.steps.filter(({ status }) => status !== "ok").map(({ name }) => name);

    beforeAll(async () => {
      agent = new AgentOnLab(lab, host);
      await agent.on("mkdir -p /srv/vendor /srv/web");
      const { code } = await lab.ssh(host, "cat > /srv/vendor/web", { input: TOOL });
      expect(code).toBe(0);
      await serve();
      await agent.stage();
    });

    /** The vendor's server; a reboot ends it. */
    const serve = () =>
      agent.on(
        "cd /srv/vendor && (setsid -f python3 -m http.server 9000 --bind 127.0.0.1 >/dev/null 2>&1 </dev/null)",
      );

    it("starts what it can, and what waits for secrets with them", async () => {
      await until(
        async () => (await lab.ssh(host, "curl -sf http://127.0.0.1:9000/web")).code === 0,
        120_000,
        200,
      );
      const prepared = await agent.run("prepare", first);
      expect(prepared).toMatchObject({
        ok: true,
        notes: expect.arrayContaining([`late waits for ${TOKEN}`]),
      });
      const between = (await look()).services;
      expect(between["early"]).toMatchObject({ state: "running", ready: true });
      expect(between["late"]?.state).not.toBe("running");
      expect(await agent.run("secrets", secrets)).toMatchObject({ ok: true });
      expect(await driftOf()).toEqual([]);
      expect(await agent.on("ls /tmp/planted 2>/dev/null || true")).toBe("");
    });

    it("changes nothing the second time", async () => {
      const before = (await look()).services;
      expect(changed(await agent.run("prepare", first))).toEqual([]);
      expect(changed(await agent.run("secrets", secrets))).toEqual([]);
      const stable = (services: typeof before) =>
        // The detail says for how long it has been up.
        Object.values(services).map((fact) => ({ ...fact, detail: "" }));
      expect(stable((await look()).services)).toEqual(stable(before));
    });

    it("come back after kill -9", async () => {
      const before = (await look()).services["early"];
      await agent.on(`kill -9 ${before?.pid}`);
      const back = await until(
        async () => {
          const now = (await look()).services["early"];
          return now?.state === "running" && now.ready === true && now.pid !== before?.pid;
        },
        300_000,
        500,
      );
      expect(back).not.toBeNull();
      expect(await driftOf()).toEqual([]);
    });

    often("restarts only what changed, and keeps the version before", async () => {
      const before = (await look()).services;
      const verdict = await agent.run("prepare", wish(8099, "2"));
      expect(verdict.ok).toBe(true);
      const after = (await look(wish(8099, "2"))).services;
      expect(after["early"]?.pid).not.toBe(before["early"]?.pid);
      expect(after["late"]?.pid).toBe(before["late"]?.pid);
      expect(await agent.on("ls /opt/ringrift-p2p/tools; readlink /opt/ringrift-p2p/bin/web")).toBe(
        "web-1\nweb-2\n../tools/web-2/web",
      );
    });

    often("reports a crash loop, and heals it", async () => {
      // The port is taken by the other service.
      const broken = wish(8098, "2");
      const verdict = await agent.run("prepare", broken);
      expect(verdict).toMatchObject({ ok: false, outcome: "failed" });
      expect(verdict.error).toMatch(
        /^early ready: (crash loop|not ready within 20 s): .*Address already in use/,
      );
      const drift = await driftOf(broken);
      expect(drift.map(({ what }) => what)).toContain("service early");
      expect(await agent.run("prepare", first)).toMatchObject({ ok: true });
      expect(await driftOf()).toEqual([]);
    });

    often("shows an edit of its own files and a stop by hand, and heals both", async () => {
      await agent.on("echo '# edited' >> /opt/ringrift-p2p/services/early/run");
      const stop = {
        systemd: "systemctl disable --now",
        supervisord: "supervisorctl stop",
        own: "/opt/ringrift-p2p/venv/bin/python -m supervisor.supervisorctl -c /opt/ringrift-p2p/supervisor/supervisord.conf stop",
      };
      await agent.on(`${stop[supervisor]} ringrift-p2p-late`);
      const drift = (await driftOf()).map(({ what, is }) => `${what}: ${is.split(/[ :(]/)[0]}`);
      expect(drift).toEqual([
        "/opt/ringrift-p2p/services/early/run: edited",
        "service late: stopped",
      ]);
      expect(await agent.run("prepare", first)).toMatchObject({ ok: true });
      expect(await driftOf()).toEqual([]);
    });

    it("start at boot", async () => {
      await lab.restart(host);
      const back = await until(async () => (await driftOf()).length === 0, 300_000, 1000);
      expect(back).not.toBeNull();
      const { services } = await look();
      expect(Object.keys(services)).toEqual(["early", "late"]);
    });

    it("go one by one when they are not wanted any more, and all when the host leaves", async () => {
      await serve();
      const bare: PreparePresent = { ...first, services: first.services.slice(1), tools: [] };
      expect((await driftOf(bare)).map(({ what, is }) => `${what}: ${is}`)).toEqual([
        "web: installed",
        "service early: running",
      ]);
      expect(await agent.run("prepare", bare)).toMatchObject({ ok: true });
      expect(await driftOf(bare)).toEqual([]);
      expect(await agent.run("activate", renderAbsent(host))).toMatchObject({ outcome: "absent" });
      expect((await look()).traces).toEqual([]);
      const left =
        "ps -eo args | grep -c '[h]ttp.server 80' || true; ls /opt/ringrift-p2p 2>/dev/null || true";
      // Whoever was killed may still be among the processes for a moment.
      expect(await until(async () => (await agent.on(left)) === "0", 30_000, 200)).toBe(true);
    });
  });
});
