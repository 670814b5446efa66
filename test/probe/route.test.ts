import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentProtocol, utils } from "ssh2";
import { type Connection, type Jump } from "../../hosts/plan/types";
import { probeFleet, runOnHost } from "../../probe/probe";
import { scanHostKeys } from "../../probe/scan";
import { FACTS, REQUEST } from "./facts";
import {
  answer,
  connectionTo,
  makeKeys,
  pinOf,
  type ServerOptions,
  startRaw,
  startServer,
} from "./sshServer";

/** Deadline where somebody stalls: longer than a busy machine needs for the logins before that. */
const SHORT = 4_500;

const directory = mkdtempSync(join(tmpdir(), "route-"));
const operator = makeKeys();
const hostKeys = makeKeys();
const bastionKeys = makeKeys();
const keyPath = join(directory, "id_operator");
const closers: (() => Promise<unknown>)[] = [];

async function keep<T extends { close: () => Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  closers.push(() => started.close());
  return started;
}

const serve = (address: string, options: Partial<ServerOptions> = {}) =>
  keep(
    startServer({ address, hostKeys: [hostKeys], operator, run: answer("hello\n"), ...options }),
  );

const run = (connection: Connection, deadline?: number) =>
  runOnHost(connection, { command: "say hello", stdin: "", deadline });

beforeAll(() => writeFileSync(keyPath, operator.private, { mode: 0o600 }));

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

afterAll(() => rmSync(directory, { recursive: true }));

describe("runOnHost", () => {
  it("gives code, output and errors of a command that read its stdin", async () => {
    const server = await serve("127.4.0.1", {
      run: answer((stdin) => `got ${stdin}`, 3, "careful\n"),
    });
    const connection = connectionTo("127.4.0.1", server.port, pinOf(hostKeys), keyPath);
    const result = await runOnHost(connection, { command: "cat", stdin: "a b" });
    expect(result).toEqual({
      ok: true,
      code: 3,
      stdout: "got a b",
      stderr: "careful\n",
      milliseconds: expect.any(Number) as number,
    });
    expect(server.commands).toEqual(["cat"]);
  });

  it("passes more stdin than one window holds", async () => {
    const stdin = "x".repeat(3 * 1024 * 1024);
    const server = await serve("127.4.0.2", { run: answer((text) => String(text.length)) });
    const connection = connectionTo("127.4.0.2", server.port, pinOf(hostKeys), keyPath);
    expect(await runOnHost(connection, { command: "wc -c", stdin })).toMatchObject({
      ok: true,
      stdout: String(stdin.length),
    });
  });

  it("survives a command that ends without reading its stdin", async () => {
    const server = await serve("127.4.0.3", {
      run: (channel) => {
        channel.exit(0);
        channel.end();
      },
    });
    const connection = connectionTo("127.4.0.3", server.port, pinOf(hostKeys), keyPath);
    const stdin = "x".repeat(8 * 1024 * 1024);
    expect(await runOnHost(connection, { command: "true", stdin })).toMatchObject({
      ok: true,
      code: 0,
    });
  });

  it("tells an untrusted host, a host that does not answer, and one that is not there", async () => {
    const stalling = await serve("127.4.0.4", { stall: "exec" });
    const gone = await startRaw("127.4.0.5", () => undefined);
    await gone.close();
    const results = await Promise.all([
      run(connectionTo("127.4.0.4", stalling.port, null, keyPath)),
      run(connectionTo("127.4.0.4", stalling.port, pinOf(hostKeys), keyPath), SHORT),
      run(connectionTo("127.4.0.5", gone.port, pinOf(hostKeys), keyPath)),
    ]);
    expect(results.map((result) => !result.ok && [result.kind, result.reason])).toEqual([
      ["untrusted", "no ssh_host_key is pinned"],
      ["no-answer", "logged in, but gave no answer within 4.5 s"],
      ["refused", "connection refused"],
    ]);
  });
});

describe("through a jump host", () => {
  async function setUp(jumpChange: Partial<Jump> = {}, options: Partial<ServerOptions> = {}) {
    const server = await serve("127.4.1.1");
    const bastion = await serve("127.4.1.2", {
      hostKeys: [bastionKeys],
      forwards: true,
      user: "hop",
      ...options,
    });
    const jump: Jump = {
      host: "127.4.1.2",
      port: bastion.port,
      user: "hop",
      keyPath,
      hostKey: pinOf(bastionKeys),
      name: "bastion",
      ...jumpChange,
    };
    const own = connectionTo("127.4.1.1", server.port, pinOf(hostKeys), keyPath);
    return { server, bastion, connection: { ...own, jump } };
  }

  it("logs in to both, each with its own pinned key, and lets go of both", async () => {
    const { server, bastion, connection } = await setUp();
    expect(await run(connection)).toMatchObject({ ok: true, stdout: "hello\n" });
    expect(bastion.attempts).toEqual(["publickey hop", "publickey signed hop"]);
    expect(server.attempts).toEqual(["publickey root", "publickey signed root"]);
    await until(() => bastion.open() === 0 && server.open() === 0);
  });

  it.each<[string, Partial<Jump>, Partial<ServerOptions>, string, string]>([
    [
      "without a pinned key",
      { hostKey: null },
      {},
      "untrusted",
      "no ssh_host_key is pinned for its jump host bastion",
    ],
    [
      "that is no host of the file",
      { hostKey: null, name: null },
      {},
      "untrusted",
      "no host key can be pinned for its jump host hop@127.4.1.2: enter that as a host of the file, and name it in ssh_jump",
    ],
    [
      "that refuses the login",
      { user: "nobody" },
      {},
      "login-refused",
      "jump host bastion: login refused for nobody with KEY",
    ],
    [
      "that allows no forwarding",
      {},
      { forwards: false },
      "refused",
      "connection refused through jump host bastion",
    ],
    [
      "that stalls in the login",
      {},
      { stall: "auth" },
      "stalled",
      "jump host bastion: stalled during the login (no answer within 4.5 s)",
    ],
  ])("says what is wrong with one %s", async (_what, change, options, kind, reason) => {
    const { server, connection } = await setUp(change, options);
    const result = await run(connection, SHORT);
    expect(result).toMatchObject({ ok: false, kind, reason: reason.replace("KEY", keyPath) });
    expect(server.attempts).toEqual([]);
  });

  it("names the jump host whose key has changed", async () => {
    const { connection } = await setUp({ hostKey: pinOf(hostKeys) });
    const result = await run(connection);
    expect(result).toMatchObject({ ok: false, kind: "host-key-changed" });
    expect((result as { reason: string }).reason).toMatch(
      /^jump host bastion: the host key has changed: pinned ssh-ed25519 SHA256:\S+, shown ssh-ed25519 SHA256:\S+$/,
    );
  });

  it("checks the key of the host behind it", async () => {
    const { connection } = await setUp();
    const result = await run({ ...connection, hostKey: pinOf(bastionKeys) });
    expect(result).toMatchObject({ ok: false, kind: "host-key-changed" });
    expect((result as { reason: string }).reason).toMatch(/^the host key has changed: /);
  });

  it("tells a host behind it that accepts and stalls, and one that is not there", async () => {
    const { connection } = await setUp();
    const silent = await keep(startRaw("127.4.1.3", () => undefined));
    const stalled = await run({ ...connection, host: "127.4.1.3", port: silent.port }, SHORT);
    expect(stalled).toMatchObject({
      kind: "stalled",
      reason: "accepts connections but never speaks SSH (stalled after accept)",
    });
    await until(() => silent.open() === 0);
    await silent.close();
    closers.pop();
    const gone = await run({ ...connection, host: "127.4.1.3", port: silent.port });
    expect(gone).toMatchObject({
      kind: "refused",
      reason: "connection refused through jump host bastion",
    });
  });

  it("scans the key behind it", async () => {
    const { server, connection } = await setUp();
    const scans = await scanHostKeys([
      { name: "gpu-1", connection: { ...connection, hostKey: null } },
    ]);
    const [type, body] = pinOf(hostKeys).split(" ");
    expect(scans.get("gpu-1")).toEqual({
      ok: true,
      key: { type, bytes: Buffer.from(body ?? "", "base64") },
    });
    expect(server.attempts).toEqual([]);
  });
});

describe("with the ssh agent", () => {
  const socket = join(directory, "agent.sock");
  const before = process.env["SSH_AUTH_SOCK"];
  let agent: Server | undefined;

  afterEach(async () => {
    process.env["SSH_AUTH_SOCK"] = before;
    if (before === undefined) delete process.env["SSH_AUTH_SOCK"];
    await new Promise((resolve) => (agent ? agent.close(resolve) : resolve(undefined)));
    agent = undefined;
  });

  async function startAgent(keys: readonly string[], isDumb = false): Promise<void> {
    const parsed = keys.map((text) => {
      const key = utils.parseKey(text);
      if (key instanceof Error) throw key;
      return key;
    });
    agent = createServer((stream) => {
      stream.on("error", () => undefined);
      if (isDumb) return void stream.resume();
      const protocol = new AgentProtocol(false);
      protocol.on("identities", (request) => protocol.getIdentitiesReply(request, parsed));
      protocol.on("sign", (request, publicKey, data, options) => {
        const key = parsed.find((each) => each.getPublicSSH().equals(publicKey.getPublicSSH()));
        if (key) protocol.signReply(request, key.sign(data, options.hash));
        else protocol.failureReply(request);
      });
      protocol.on("error", () => undefined);
      stream.pipe(protocol).pipe(stream);
    });
    await new Promise<void>((resolve) => agent?.listen(socket, resolve));
    process.env["SSH_AUTH_SOCK"] = socket;
  }

  async function login(): Promise<unknown> {
    const server = await serve("127.4.2.1");
    const result = await run(connectionTo("127.4.2.1", server.port, pinOf(hostKeys), null));
    return { ok: result.ok, reason: result.ok ? null : result.reason, attempts: server.attempts };
  }

  it("tries each of its keys once", async () => {
    await startAgent([makeKeys().private, operator.private]);
    expect(await login()).toEqual({
      ok: true,
      reason: null,
      attempts: ["publickey root", "publickey root", "publickey signed root"],
    });
  });

  it("says that none of its keys is accepted", async () => {
    await startAgent([makeKeys().private]);
    expect(await login()).toEqual({
      ok: false,
      reason: "login refused for root with the keys of the ssh agent",
      attempts: ["publickey root"],
    });
  });

  it.each([
    ["that holds no keys", () => startAgent([]), "the ssh agent holds no keys"],
    [
      "that does not answer",
      () => startAgent([], true),
      "the ssh agent of SSH_AUTH_SOCK does not answer",
    ],
    [
      "that is gone",
      () => void (process.env["SSH_AUTH_SOCK"] = join(directory, "stale.sock")),
      "the ssh agent of SSH_AUTH_SOCK does not answer",
    ],
    [
      "that is not there",
      () => void delete process.env["SSH_AUTH_SOCK"],
      "ssh_key is not set, and SSH_AUTH_SOCK names no ssh agent",
    ],
  ])("dials nobody for an agent %s", async (_what, start, why) => {
    await start();
    expect(await login()).toEqual({
      ok: false,
      reason: `no key to log in with: ${why}`,
      attempts: [],
    });
  });

  it("is left alone where the host has a key file", async () => {
    process.env["SSH_AUTH_SOCK"] = join(directory, "stale.sock");
    const server = await serve("127.4.2.2");
    const connection = connectionTo("127.4.2.2", server.port, pinOf(hostKeys), keyPath);
    expect(await run(connection)).toMatchObject({ ok: true });
  });
});

describe("probeFleet", () => {
  it("leaves no connection, lookup or timer behind", async () => {
    const wraps = () =>
      process
        .getActiveResourcesInfo()
        .filter((name) => /TCPSocketWrap|GetAddrInfo|Pipe|Timeout/.test(name))
        .sort();
    const sound = await startServer({
      address: "127.4.3.1",
      hostKeys: [hostKeys],
      operator,
      run: answer(JSON.stringify(FACTS)),
    });
    const silent = await startRaw("127.4.3.2", () => undefined);
    const before = wraps();
    const result = await probeFleet(
      [sound, silent, silent].map(({ port }, index) => ({
        name: `h${index}`,
        connection: connectionTo(
          index === 0 ? "127.4.3.1" : "127.4.3.2",
          port,
          pinOf(hostKeys),
          keyPath,
        ),
        request: REQUEST,
      })),
      { deadline: SHORT },
    );
    expect([...result.values()].map((each) => each.class)).toEqual([
      "ready",
      "unreachable",
      "unreachable",
    ]);
    await Promise.all([sound.close(), silent.close()]);
    await until(() => wraps().length <= before.length);
  });
});

/** Polls, because the other side sees the end of a connection a moment later. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3_000 && !isTrue(); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isTrue()).toBe(true);
}
