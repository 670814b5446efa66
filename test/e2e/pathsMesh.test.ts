import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import { loopbackAddress } from "../../hosts/plan/number";
import { checkout, cleanUp, temporaryFolder } from "../lab/daemon/standIn";
import { ensurePython } from "../lab/daemon/venv";
import { FORWARDER, SECRET } from "../paths/forwarders";
import { quickest } from "./quickest";

// Five stand-in daemons and five forwarders at their default settings, each pair in a network namespace of its own,
// with two networks between them that are cut and mended. Times are measured and told; the bound is the promise.

const ip = (...words: string[]): boolean =>
  spawnSync("ip", words, { stdio: "ignore" }).status === 0;
const id = randomBytes(2).toString("hex");
const canMesh = ((): boolean => {
  const made = ip("netns", "add", `pm${id}`);
  return made && ip("netns", "del", `pm${id}`);
})();
const onMesh = canMesh ? describe : describe.skip;

jest.setTimeout(900_000);
const NODES = ["n1", "n2", "n3", "n4", "n5"];
const VOTERS = ["n1", "n2", "n3"];
const HUB = `pm${id}h`;
/** Networks inside the namespaces; nothing leads out of them. */
const FIRST = (index: number): string => `198.51.100.${index + 1}`;
const SECOND = (index: number): string => `203.0.113.${index + 1}`;
/** Seconds. */
const MOST = 45;
const space = (name: string): string => `pm${id}${name}`;
const loopback = (name: string): string => loopbackAddress(100 + NODES.indexOf(name));

interface Peer {
  readonly host: string;
  readonly is_alive: boolean;
  readonly seconds_since_heartbeat: number;
}
interface Status {
  readonly leader_id: string | null;
  readonly all_peers: Record<string, Peer>;
  readonly stand_in_details: { started_at: number };
}
interface Admin {
  readonly cutOff: string[];
  readonly peers: Record<string, { active: string }>;
  readonly events: { what: string; reason: string }[];
}

const running: ChildProcess[] = [];
const measured: Record<string, number> = {};

function must(...words: string[]): void {
  const { status, stderr } = spawnSync("ip", words, { encoding: "utf8" });
  if (status !== 0) throw new Error(`ip ${words.join(" ")}: ${stderr}`);
}

function start(name: string, argv: string[], env: Record<string, string>, cwd: string): void {
  const log = fs.openSync(path.join(cwd, `${name}.log`), "a");
  const child = spawn("ip", ["netns", "exec", space(name), ...argv], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", log, log],
  });
  running.push(child);
}

const FETCH =
  "import sys, urllib.request as u; o = u.build_opener(u.ProxyHandler({})); sys.stdout.write(o.open(sys.argv[1], timeout=30).read().decode())";

function get<T>(name: string, port: number, page: string): Promise<T | undefined> {
  return new Promise((resolve) => {
    const url = `http://127.0.0.1:${port}${page}`;
    const child = spawn("ip", ["netns", "exec", space(name), "python3", "-ISc", FETCH, url]);
    let text = "";
    child.stdout.on("data", (data: Buffer) => (text += data.toString()));
    child.on("close", (code) => resolve(code === 0 ? (JSON.parse(text) as T) : undefined));
  });
}
const status = (name: string) => get<Status>(name, 8770, "/status?no_cache=true");
const admin = (name: string) => get<Admin>(name, 8778, "/status");

async function until(what: string, look: () => Promise<boolean>, seconds = 400): Promise<number> {
  const began = Date.now();
  while (Date.now() - began < seconds * 1000) {
    if (await look()) return (Date.now() - began) / 1000;
    await new Promise((resolve) => setTimeout(resolve, 400));
  }
  throw new Error(`not within ${seconds} s: ${what}`);
}

/** Waits until each node has exchanged heartbeats with a majority of the voters since now. @returns seconds */
async function heard(what: string, names: readonly string[]): Promise<number> {
  const since = Date.now();
  const times = await Promise.all(
    names.map((name) =>
      until(`${what}: ${name} hears from the voters`, async () => {
        const seen = await status(name);
        const now = Date.now();
        const fresh = VOTERS.filter((voter) => {
          const peer = seen?.all_peers[voter];
          return voter === name || (peer && now - peer.seconds_since_heartbeat * 1000 > since);
        });
        return fresh.length > VOTERS.length / 2;
      }),
    ),
  );
  return Math.round(Math.max(...times) * 10) / 10;
}

/** Does something to a network and measures how long it takes until all hear from the voters again. */
async function regain(
  what: string,
  cut: () => void,
  undo: () => void | Promise<void>,
  names: readonly string[] = NODES,
): Promise<void> {
  const measure = () => {
    cut();
    return heard(what, names);
  };
  measured[what] = await quickest(what, MOST, measure, undo);
}

const everyoneCutOff = () =>
  until("everybody is cut off", async () => ((await admin("n4"))?.cutOff.length ?? 0) >= 4);

onMesh(
  canMesh ? "a mesh over two networks" : "a mesh (skipped here: no network namespaces)",
  () => {
    beforeAll(async () => {
      const python = ensurePython();
      must("netns", "add", HUB);
      for (const bridge of ["first", "second"]) {
        must("-n", HUB, "link", "add", bridge, "type", "bridge");
        must("-n", HUB, "link", "set", bridge, "up");
      }
      for (const [index, name] of NODES.entries()) {
        const at = space(name);
        must("netns", "add", at);
        must("-n", at, "link", "set", "lo", "up");
        for (const [device, bridge, address] of [
          ["e1", "first", FIRST(index)],
          ["e2", "second", SECOND(index)],
        ] as const) {
          must(
            ...["-n", at, "link", "add", device, "type", "veth"],
            ...["peer", "name", `${name}${bridge}`, "netns", HUB],
          );
          must("-n", HUB, "link", "set", `${name}${bridge}`, "master", bridge, "up");
          must("-n", at, "addr", "add", `${address}/24`, "dev", device);
          must("-n", at, "link", "set", device, "up");
        }
      }
      const folder = temporaryFolder();
      const file = (name: string): string => path.join(folder, name);
      fs.writeFileSync(file("secret"), `${SECRET}\n`, { mode: 0o600 });
      const nodes = Object.fromEntries(
        NODES.map((name, index) => [
          name,
          {
            ...{ number: 100 + index, port: 8770, tailscale: FIRST(index), direct: SECOND(index) },
            ...(VOTERS.includes(name) ? { watch: true } : {}),
          },
        ]),
      );
      fs.writeFileSync(file("nodes"), JSON.stringify({ nodes }));
      for (const name of NODES) {
        const own = { node: name, inboundPort: 8779, adminPort: 8778, secretFile: file("secret") };
        fs.writeFileSync(file(name), JSON.stringify({ ...own, tailnet: "tun" }));
        const files = [
          "--settings",
          file(name),
          "--nodes",
          file("nodes"),
          "--state",
          file(`${name}-state`),
        ];
        start(name, ["python3", "-IB", FORWARDER, ...files], {}, folder);
        const dir = checkout();
        const peers = VOTERS.filter((voter) => voter !== name).map(
          (voter) => `${loopback(voter)}:8770`,
        );
        start(
          name,
          [
            ...[python, "scripts/p2p_orchestrator.py", "--no-zombie-check", "--node-id", name],
            ...["--host", "127.0.0.1", "--port", "8770", "--advertise-host", loopback(name)],
            ...["--advertise-port", "8770", "--ringrift-path", dir, "--peers", peers.join(",")],
          ],
          {
            ...{ PYTHONPATH: dir, PYTHONDONTWRITEBYTECODE: "1", RINGRIFT_P2P_PORT: "8770" },
            ...{
              RINGRIFT_P2P_VOTERS: VOTERS.join(","),
              RINGRIFT_IS_COORDINATOR: String(name === "n1"),
            },
            RINGRIFT_P2P_BOOTSTRAP_SEEDS: peers.join(","),
          },
          dir,
        );
      }
    });

    afterAll(async () => {
      process.stdout.write(
        `paths, seconds until a majority was heard again: ${JSON.stringify(measured)}\n`,
      );
      // `ip netns exec` becomes the program, so the process ids are the programs' own.
      await Promise.all(
        running.map(
          (child) => new Promise((resolve) => child.once("close", resolve).kill("SIGKILL")),
        ),
      );
      for (const name of [...NODES.map(space), HUB]) ip("netns", "del", name);
      await cleanUp();
    });

    it("knows every node by one address, nobody lists itself, and one leads", async () => {
      await until("all see all", async () => {
        const all = await Promise.all(NODES.map(status));
        return all.every(
          (one) => Object.values(one?.all_peers ?? {}).filter((peer) => peer.is_alive).length === 4,
        );
      });
      for (const name of NODES) {
        const seen = await status(name);
        const hosts = Object.entries(seen?.all_peers ?? {}).map(([peer, { host }]) => [peer, host]);
        const others = NODES.filter((other) => other !== name).map((other) => [
          other,
          loopback(other),
        ]);
        expect([name, hosts.sort(), seen?.leader_id]).toEqual([name, others, "n1"]);
      }
      expect((await admin("n4"))?.peers["n1"]?.active).toBe("tailscale");
    });

    it("is whole again in time whatever is cut, without a restart and with nobody marked down", async () => {
      const started = async () =>
        (await Promise.all(NODES.map(status))).map((one) => one?.stand_in_details.started_at);
      const before = await started();
      const bridge = (name: string, state: "up" | "down") =>
        must("-n", HUB, "link", "set", name, state);

      const mended = async () => void (await heard("mended", NODES));

      const first = (state: "up" | "down") => must("-n", HUB, "link", "set", "n2first", state);
      const joinAgain = () => (first("up"), mended());
      await regain("first network of one host cut", () => first("down"), joinAgain);
      first("up");

      const firstBack = () => (bridge("first", "up"), mended());
      await regain("first network of all cut", () => bridge("first", "down"), firstBack);
      const cutBoth = async (last: string) => {
        bridge(last, "down");
        await everyoneCutOff();
      };
      const [secondUp, firstUp] = [() => bridge("second", "up"), () => bridge("first", "up")];
      await cutBoth("second");
      await regain("both cut, second back", secondUp, () => cutBoth("second"));
      await cutBoth("second");
      await regain("both cut, first back", firstUp, () => cutBoth("first"));
      bridge("second", "up");

      // Packets of others still reach n3; its own do not leave.
      const HALVES = ["198.51.100.0/25", "198.51.100.128/25"];
      const blackhole = (verb: "replace" | "del") =>
        HALVES.forEach((half) => must("-n", space("n3"), "route", verb, "blackhole", half));
      const routeBack = () => (blackhole("del"), mended());
      const loseRoute = () => blackhole("replace");
      await regain("first network cut in one direction", loseRoute, routeBack, ["n3"]);

      expect(await started()).toEqual(before);
      for (const name of NODES) {
        const seen = await status(name);
        const hosts = Object.entries(seen?.all_peers ?? {}).map(([peer, { host, is_alive }]) => [
          peer,
          host,
          is_alive,
        ]);
        const others = NODES.filter((other) => other !== name).map((other) => [
          other,
          loopback(other),
          true,
        ]);
        expect([name, hosts.sort()]).toEqual([name, others]);
      }
      blackhole("del");
      const late = Object.entries(measured).filter(([, seconds]) => seconds > MOST);
      expect(late).toEqual([]);
    });

    const isLong = process.env["PATHS_LONG"] === "1";
    (isLong ? it : it.skip)(
      "changes a path at most once for ten flaps in a minute (npm run test:soak)",
      async () => {
        type Moves = { events: { what: string; peer: string }[] };
        const moves = async () =>
          ((await get<Moves>("n4", 8778, "/events"))?.events ?? []).filter(
            ({ what }) => what === "active",
          );
        await until(
          "n4 is on the first network",
          async () => {
            const peers = Object.values((await admin("n4"))?.peers ?? {});
            return peers.every(({ active }) => active === "tailscale");
          },
          240,
        );
        const before = (await moves()).length;
        for (let flap = 0; flap < 10; flap += 1)
          for (const state of ["down", "up"]) {
            must("-n", HUB, "link", "set", "n4first", state);
            await new Promise((resolve) => setTimeout(resolve, 3_000));
          }
        const after = (await moves()).slice(before);
        const times = NODES.map((name) => after.filter(({ peer }) => peer === name).length);
        expect(Math.max(...times)).toBeLessThanOrEqual(1);
      },
    );
  },
);
