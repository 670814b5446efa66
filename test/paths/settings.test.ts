import { execFileSync, spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as net from "node:net";
import * as path from "node:path";
import { loopbackAddress } from "../../hosts/plan/number";
import { eventually } from "../eventually";
import {
  ask,
  cleanUp,
  daemon,
  type Forwarder,
  forwarder,
  freeNumber,
  freePort,
  pair,
  type Pair,
  temporaryFolder,
} from "./forwarders";

jest.setTimeout(180_000);
afterEach(cleanUp);

const post = (mesh: Pair) => ask(mesh.toB.host, mesh.toB.port, { method: "POST", body: "x" });
const heard = (node: Forwarder, what: string) =>
  eventually(async () => (await node.events()).filter((event) => event.what === what).at(-1));

describe("new settings", () => {
  it("add, move and remove nodes without a restart of anything", async () => {
    const mesh = await pair();
    const pid = mesh.a.pid();
    const other = await daemon();
    const inbound = await freePort();
    const c = { number: freeNumber(), port: mesh.toB.port, direct: `127.0.0.1:${inbound}` };
    const nodes = { ...mesh.nodes, c };
    // b listens for a on this machine already, so c does it elsewhere.
    const a = { number: mesh.nodes["a"]?.number ?? 0, port: await freePort() };
    await forwarder({ name: "c", daemonPort: other.port, inbound, nodes: { a, c } });
    mesh.a.configure({}, { nodes });
    const at = loopbackAddress(c.number);
    await eventually(async () => ((await ask(at, c.port)).status === 200 ? true : undefined));
    expect(other.seen.at(-1)?.from).toBe(mesh.fromA);
    const moved = { ...c, number: freeNumber() };
    mesh.a.configure({}, { nodes: { ...mesh.nodes, c: moved } });
    const later = loopbackAddress(moved.number);
    await eventually(async () => ((await ask(later, c.port)).status === 200 ? true : undefined));
    await expect(ask(at, c.port)).rejects.toThrow("ECONNREFUSED");
    mesh.a.configure({}, { nodes: mesh.nodes });
    await eventually(() =>
      ask(later, c.port).then(
        () => undefined,
        () => true,
      ),
    );
    expect([mesh.a.pid(), (await post(mesh)).status]).toEqual([pid, 200]);
  });

  it.each([
    ["no JSON", "own", "{"],
    ["an unknown key", "own", JSON.stringify({ node: "a", hurry: true })],
    ["two nodes of one number", "nodes", '{"nodes": {"a": {"number": 1}, "b": {"number": 1}}}'],
    ["a list without this node", "nodes", '{"nodes": {}}'],
    ["half of a list", "nodes", '{"nodes": {"a": {"number": 1, "por'],
    ["nested too deeply", "nodes", "[".repeat(200_000)],
    [
      "no address in an address",
      "nodes",
      '{"nodes": {"a": {"number": 1, "cloudflare": "https://[::1"}}}',
    ],
  ] as const)(
    "that are wrong (%s) are refused and named, and the last good ones stay, also after kill -9",
    async (_, file, text) => {
      const mesh = await pair();
      mesh.a.writeRaw(file, text);
      const refusal = await heard(mesh.a, "settings refused");
      expect((await mesh.a.status()).mistake).toBe(refusal?.reason);
      expect((await post(mesh)).status).toBe(200);
      await mesh.a.kill("SIGKILL");
      await mesh.a.start();
      expect([(await post(mesh)).status, (await mesh.a.status()).mistake]).toEqual([
        200,
        refusal?.reason,
      ]);
      mesh.a.configure({});
      await eventually(async () => ((await mesh.a.status()).mistake === null ? true : undefined));
    },
  );

  it("stay with the last secret while its file cannot be used, and say so once", async () => {
    const mesh = await pair();
    const file = path.join(mesh.a.folder, "secret");
    const good = fs.readFileSync(file, "utf8");
    const ways: [() => void, RegExp][] = [
      [() => fs.chmodSync(file, 0o644), /mode 0644 instead of 0600$/],
      [() => fs.rmSync(file), /No such file/],
      [() => fs.writeFileSync(file, ""), /no secret of at least 16 characters$/],
    ];
    const says = (reason: RegExp | null) =>
      eventually(async () => {
        const { mistake } = await mesh.a.status();
        return (reason ? reason.test(mistake ?? "") : mistake === null) ? true : undefined;
      });
    for (const [spoil, reason] of ways) {
      spoil();
      await says(reason);
      expect((await post(mesh)).status).toBe(200);
      // As a whole: what is half written would be refused once more.
      mesh.a.writeRaw("secret", good);
      await says(null);
    }
    const events = (await mesh.a.events()).map(({ what }) => what);
    expect(events.filter((what) => what === "secret refused")).toHaveLength(ways.length);
  });

  it("that are deleted are missed, and nothing else is", async () => {
    const mesh = await pair();
    for (const name of ["own", "nodes"]) fs.rmSync(path.join(mesh.a.folder, name));
    expect((await heard(mesh.a, "settings refused"))?.reason).toMatch(/No such file/);
    await mesh.a.kill("SIGKILL");
    await mesh.a.start();
    expect((await post(mesh)).status).toBe(200);
    expect((await mesh.a.status()).mistake).toMatch(/No such file/);
  });

  it("name certificates that are not there: the system's count, and other paths are taken", async () => {
    const mesh = await pair({
      waysToB: (inbound) => ({
        direct: `127.0.0.1:${inbound}`,
        cloudflare: `https://${"a".repeat(70)}.example`,
      }),
      own: { caFile: "/nonexistent/certificates.pem" },
      optionsA: { methods: ["cloudflare", "direct"] },
    });
    expect((await post(mesh)).status).toBe(200);
    expect((await mesh.a.status()).mistake).toMatch(/No such file/);
    const tunnel = await eventually(async () =>
      (await mesh.a.status()).peers["b"]?.paths.find(({ up }) => up === false),
    );
    expect(tunnel).toMatchObject({ path: "cloudflare", reason: expect.stringMatching(/label/) });
  });

  it("that name it another node are taken up as a whole", async () => {
    const mesh = await pair();
    const { b, ...rest } = mesh.nodes;
    mesh.b.configure({ node: "renamed" }, { nodes: { ...rest, renamed: b } });
    mesh.a.configure({}, { nodes: { ...rest, renamed: b } });
    await eventually(async () =>
      (await mesh.a.status()).peers["renamed"]?.paths[0]?.up ? true : undefined,
    );
    expect((await post(mesh)).status).toBe(200);
  });

  it("ask for a door that somebody else has: the node says so, and takes it once it is free", async () => {
    const mesh = await pair();
    const { inbound } = mesh.b;
    await mesh.b.kill("SIGKILL");
    const squatter = net.createServer().listen(inbound, "127.0.0.1");
    await new Promise((resolve) => squatter.once("listening", resolve));
    const started = mesh.b.start();
    const door = await eventually(async () =>
      (await mesh.b.status()).waiting.find((text) => text.includes(String(inbound))),
    );
    expect(door).toMatch(/in use$/);
    squatter.close();
    await started;
    await eventually(async () => ((await post(mesh)).status === 200 ? true : undefined));
  });
});

describe("kill -9", () => {
  it("of either forwarder costs requests of that moment, and nothing after it", async () => {
    const mesh = await pair();
    for (const node of [mesh.a, mesh.b]) {
      await node.kill("SIGKILL");
      await node.start();
      await eventually(async () => ((await post(mesh)).status === 200 ? true : undefined));
    }
    expect(mesh.daemonB.seen.map(({ from }) => from)).toEqual([mesh.fromA, mesh.fromA]);
    // What happened before is still known.
    await mesh.a.kill("SIGTERM");
    await mesh.a.start();
    expect(
      (await mesh.a.events()).filter(({ what }) => what === "started").length,
    ).toBeGreaterThanOrEqual(2);
  });
});

const canMount = ((): boolean => {
  const folder = temporaryFolder();
  const mounted =
    spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).status === 0;
  if (mounted) execFileSync("umount", [folder]);
  return mounted;
})();

describe("a full disk", () => {
  (canMount ? it : it.skip)(
    "is said, and costs no request; what could not be written is written when there is room",
    async () => {
      const folder = temporaryFolder();
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
      try {
        fs.writeFileSync(path.join(folder, "filler"), Buffer.alloc(1 << 20, 1), { flag: "w" });
      } catch {
        // It is full now, which is what was wanted.
      }
      try {
        const mesh = await pair({ optionsA: { state: folder } });
        const problem = await eventually(
          async () => (await mesh.a.status()).eventsProblem ?? undefined,
        );
        expect(problem).toContain("No space left on device");
        expect((await post(mesh)).status).toBe(200);
        await mesh.a.kill("SIGKILL");
        await mesh.a.start();
        expect((await post(mesh)).status).toBe(200);
        fs.rmSync(path.join(folder, "filler"));
        const file = path.join(folder, "events.jsonl");
        await eventually(() =>
          fs.existsSync(file) && fs.statSync(file).size > 0 ? true : undefined,
        );
        expect((await mesh.a.status()).eventsProblem).toBeNull();
        await mesh.a.kill("SIGTERM");
      } finally {
        execFileSync("umount", ["-l", folder]);
      }
    },
  );
});

describe("an entry", () => {
  it("is all that a newcomer knows: it is let in, and learns the others from whoever answers", async () => {
    const { edge } = await import("./forwarders");
    const mesh = await pair({ ownB: { servesEntry: true } });
    const door = await edge(mesh.b.inbound);
    const own = await daemon();
    const [inbound, entryPort] = [await freePort(), await freePort()];
    const newcomer = { number: freeNumber(), port: mesh.toB.port };
    const late = await forwarder({
      ...{ name: "late", daemonPort: own.port, inbound, nodes: { late: newcomer } },
      ...{ entry: `https://localhost:${door.port}`, learn: true },
      own: { caFile: door.certificate, entryPort },
    });
    const told = () => ask("127.64.0.0", entryPort, { method: "POST", body: "hello" });
    const before = await told();
    const answer = await ask("127.64.0.0", entryPort);
    expect(JSON.parse(answer.body)).toMatchObject({ from: loopbackAddress(newcomer.number) });
    await eventually(async () => ("b" in (await late.status()).peers ? true : undefined));
    // The nodes have addresses of their own: under the entry's, none is to be recorded, neither before nor after.
    expect([before.status, (await told()).status]).toEqual([421, 421]);
    expect(mesh.daemonB.seen.filter(({ method }) => method === "POST")).toEqual([]);
    expect((await late.status()).peers["b"]?.paths.map(({ path: way }) => way)).toEqual(["direct"]);
    // The learnt address of b is the pair's own listener as well, so the newcomer's is not opened twice here.
    expect(
      (await late.events()).filter(({ what }) => what === "settings").length,
    ).toBeGreaterThanOrEqual(2);
  });

  it("is not asked by who serves it", async () => {
    const peersOf = async (servesEntry: boolean) => {
      const entryPort = await freePort();
      const { a } = await pair({
        own: { servesEntry, entryPort },
        optionsA: { entry: "https://localhost:1", learn: true },
      });
      return Object.keys((await a.status()).peers).sort();
    };
    expect(await peersOf(true)).toEqual(["b"]);
    expect(await peersOf(false)).toEqual(["*", "b"]);
  });
});
