import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { utils } from "ssh2";
import { type Connection } from "../../hosts/plan/types";
import { fingerprint, parseHostKey } from "../../probe/hostKey";
import { probeFleet, probeHost } from "../../probe/probe";
import { type ProbeResult, type ProbeTarget } from "../../probe/types";
import { FACTS, REQUEST } from "./facts";
import {
  answer,
  chokedAfter,
  connectionTo,
  makeKeys,
  pinOf,
  type ServerOptions,
  startRaw,
  startServer,
} from "./sshServer";

const directory = mkdtempSync(join(tmpdir(), "probe-"));
const operator = makeKeys();
const stranger = makeKeys();
const hostKeys = makeKeys();
const otherKeys = makeKeys();
const ecdsaKeys = makeKeys("ecdsa");
const keyPath = join(directory, "id_operator");
const strangerPath = join(directory, "id_stranger");
const factsLine = `${JSON.stringify(FACTS)}\n`;

/**
 * Deadline of the stalling cases: longer than a busy machine needs for a login; the stages' own are longer still, so
 * that each is cut off by this one.
 */
const SHORT = 4_500;

const cleanups: (() => Promise<void>)[] = [];

async function keep<T extends { close: () => Promise<void> }>(starting: Promise<T>): Promise<T> {
  const started = await starting;
  cleanups.push(() => started.close());
  return started;
}

function serve(address: string, options: Partial<ServerOptions> = {}) {
  return keep(
    startServer({ address, hostKeys: [hostKeys], operator, run: answer(factsLine), ...options }),
  );
}

function target(name: string, connection: Connection): ProbeTarget {
  return { name, connection, request: { ...REQUEST, node: name } };
}

const sshTo = (address: string, port: number, pin: string | null = pinOf(hostKeys)) =>
  connectionTo(address, port, pin, keyPath);

/** Without the time it took, which no test can know. */
function timeless(result: ProbeResult): unknown {
  const copy: Record<string, unknown> = { ...result };
  delete copy["milliseconds"];
  return copy;
}

async function probe(connection: Connection, deadline?: number): Promise<ProbeResult> {
  return probeHost(target("gpu-1", connection), { deadline });
}

function shownAs(keys: { public: string }): string {
  const key = parseHostKey(keys.public);
  if (!key) throw new Error("no key");
  return fingerprint(key);
}

beforeAll(() => {
  writeFileSync(keyPath, operator.private, { mode: 0o600 });
  writeFileSync(strangerPath, stranger.private, { mode: 0o600 });
});

afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()));
});

afterAll(() => rmSync(directory, { recursive: true }));

describe("probeHost, logged in", () => {
  it("is ready with the facts of a sound host, after one login with one key", async () => {
    let stdin = "";
    const server = await serve("127.1.0.1", { run: answer((text) => ((stdin = text), factsLine)) });
    const result = await probe(sshTo("127.1.0.1", server.port));
    expect(timeless(result)).toEqual({ class: "ready", facts: FACTS });
    // The first asks whether the key would do, the second signs: one attempt in sshd's count.
    expect(server.attempts).toEqual(["publickey root", "publickey signed root"]);
    expect(server.commands).toHaveLength(1);
    expect(JSON.parse(stdin)).toEqual(REQUEST);
  });

  it("brings the script to a host that does not have it, over the same login", async () => {
    const told: string[] = [];
    const server = await serve("127.1.0.1", {
      run: (channel, command) => {
        if (/^exec sh -c '\[ -r \S+\/packed \]/.test(command)) answer("", 75)(channel);
        else answer((text) => (told.push(text), factsLine))(channel);
      },
    });
    const result = await probe(sshTo("127.1.0.1", server.port));
    expect(timeless(result)).toEqual({ class: "ready", facts: FACTS });
    expect(server.attempts).toEqual(["publickey root", "publickey signed root"]);
    expect(server.commands).toHaveLength(2);
    expect(told.map((text) => JSON.parse(text.split("\n")[1] ?? "") as unknown)).toEqual([REQUEST]);
  });

  it.each([
    ["python3 is missing", { python: null, error: "python3 is missing", elevated: false }],
    ["the disk is gone", { error: "the disk is gone" }],
    ["root is neither root nor has passwordless sudo", { elevated: false }],
  ])("is degraded with facts: %s", async (reason, change) => {
    const facts = { ...FACTS, ...change };
    const server = await serve("127.1.0.2", { run: answer(`${JSON.stringify(facts)}\n`) });
    const result = await probe(sshTo("127.1.0.2", server.port));
    expect(timeless(result)).toEqual({ class: "degraded", facts, reason });
  });

  it.each([
    [
      "exit code 127, sh: 1: nothing here",
      answer("", 127, "first\nsh: 1: nothing\u001b[2J here\n"),
    ],
    ["it ran out of time on the host", answer("", 124)],
    ["facts: no JSON in the output, which begins with: Welcome!", answer("Welcome!\n")],
    ["facts: not JSON: {]", answer("{]\n")],
  ])("is degraded without facts: %s", async (reason, run) => {
    const server = await serve("127.1.0.3", { run });
    const result = await probe(sshTo("127.1.0.3", server.port));
    const expected = `logged in, but the script gave no facts: ${reason.replace("\u001b", "")}`;
    expect(timeless(result)).toEqual({
      class: "degraded",
      facts: null,
      reason: expected.replace("nothing here", "nothing[2J here"),
    });
  });

  it("cuts off a host that answers without end", async () => {
    const server = await serve("127.1.0.4", {
      run: (channel) => {
        const more = () => {
          while (!channel.destroyed && channel.write("x".repeat(65_536)));
        };
        channel.on("drain", more);
        more();
      },
    });
    const result = await probe(sshTo("127.1.0.4", server.port));
    expect(timeless(result)).toEqual({
      class: "degraded",
      facts: null,
      reason: "logged in, but answered with more than 512 KiB",
    });
  });

  it("takes a server that hangs up in the middle of the command for degraded", async () => {
    const holder: { server?: Awaited<ReturnType<typeof serve>> } = {};
    const server = await serve("127.1.0.5", { run: () => void holder.server?.close() });
    holder.server = server;
    const result = await probe(sshTo("127.1.0.5", server.port));
    expect(result).toMatchObject({ class: "degraded", facts: null });
    expect((result as { reason: string }).reason).toMatch(
      /^logged in, but (the connection broke off|the script gave no facts)/,
    );
    cleanups.length = 0;
  });
});

describe("probeHost, stalls", () => {
  const sshFor = async (options: Partial<ServerOptions>) => {
    const server = await serve("127.1.1.1", options);
    return { port: server.port, open: server.open };
  };
  const raw = (onConnection: (socket: Socket) => void) => keep(startRaw("127.1.1.1", onConnection));
  const choked = async (bytes: number) => {
    const behind = await serve("127.1.1.2");
    return raw(chokedAfter(bytes, "127.1.1.2", behind.port));
  };
  const unreachable = (reason: string) => ({ class: "unreachable", kind: "stalled", reason });
  const degraded = (reason: string) => ({ class: "degraded", facts: null, reason });
  const KEX = "stalled in the key exchange (no answer within 4.5 s)";
  const NO_ANSWER = "logged in, but gave no answer within 4.5 s";

  const cases: [string, () => Promise<{ port: number; open: () => number }>, unknown][] = [
    [
      "after accept",
      () => raw(() => undefined),
      unreachable("accepts connections but never speaks SSH (stalled after accept)"),
    ],
    [
      "after half a banner",
      () => raw((socket) => void socket.write("SSH-2.0-Ope")),
      unreachable('accepts connections but does not speak SSH, saying "SSH-2.0-Ope"'),
    ],
    [
      "with another protocol",
      () => raw((socket) => void socket.write("220 mail ready\r\n")),
      unreachable('accepts connections but does not speak SSH, saying "220 mail ready"'),
    ],
    [
      "after the banner",
      () => raw((socket) => void socket.write("SSH-2.0-x\r\n")),
      unreachable(KEX),
    ],
    ["in the middle of the first packet", () => choked(200), unreachable(KEX)],
    ["after the first packet", () => choked(1_100), unreachable(KEX)],
    [
      "during the login",
      () => sshFor({ stall: "auth" }),
      unreachable("stalled during the login (no answer within 4.5 s)"),
    ],
    ["after the login", () => sshFor({ stall: "session" }), degraded(NO_ANSWER)],
    ["after the command", () => sshFor({ stall: "exec" }), degraded(NO_ANSWER)],
    [
      "in the middle of the answer",
      () => sshFor({ run: (c) => c.write('{"at":') }),
      degraded(NO_ANSWER),
    ],
  ];

  // All at once: each takes as long as the deadline.
  it("end at the deadline, wherever they are, and are let go of", async () => {
    const found = await Promise.all(
      cases.map(async ([name, start]) => {
        const server = await start();
        const result = await probe(sshTo("127.1.1.1", server.port), SHORT);
        await until(() => server.open() === 0);
        return [name, timeless(result)];
      }),
    );
    expect(found).toEqual(cases.map(([name, , expected]) => [name, expected]));
  });
});

describe("probeHost, not reached", () => {
  it("says that nobody listens", async () => {
    const gone = await startRaw("127.1.2.1", () => undefined);
    await gone.close();
    expect(timeless(await probe(sshTo("127.1.2.1", gone.port)))).toEqual({
      class: "unreachable",
      kind: "refused",
      reason: "connection refused",
    });
  });

  it("says that a name does not exist", async () => {
    const result = await probe(sshTo("gpu-1.invalid", 22), 3_000);
    expect(result).toMatchObject({ class: "unreachable", kind: "unresolved" });
    expect((result as { reason: string }).reason).toMatch(/gpu-1\.invalid/);
  });

  it.each([
    ["Exceeded MaxStartups", 2],
    ["Not allowed at this time", 1],
  ])("repeats what sshd said when it hung up: %s", async (words, tries) => {
    const server = await keep(startRaw("127.1.2.2", (socket) => socket.end(`${words}\r\n`)));
    expect(timeless(await probe(sshTo("127.1.2.2", server.port)))).toEqual({
      class: "unreachable",
      kind: "closed",
      reason: `closed the connection before its SSH banner, saying "${words}"`,
    });
    expect(server.accepted()).toBe(tries);
  });

  it("tries once more when sshd was busy, and then logs in", async () => {
    const behind = await serve("127.1.2.4");
    let count = 0;
    const server = await keep(
      startRaw("127.1.2.3", (socket) => {
        count += 1;
        if (count === 1) socket.end("Exceeded MaxStartups\r\n");
        else chokedAfter(Infinity, "127.1.2.4", behind.port)(socket);
      }),
    );
    expect(await probe(sshTo("127.1.2.3", server.port))).toMatchObject({ class: "ready" });
    expect(behind.attempts).toEqual(["publickey root", "publickey signed root"]);
  });
});

describe("probeHost, keys", () => {
  it("does not even dial a host without a pinned key", async () => {
    const server = await keep(startRaw("127.1.3.1", () => undefined));
    expect(await probe(sshTo("127.1.3.1", server.port, null))).toEqual({
      class: "untrusted",
      reason: "no ssh_host_key is pinned; to see it and record it: fleet trust gpu-1",
    });
    expect(await probe(sshTo("127.1.3.1", server.port, "ssh-ed25519 AAAA"))).toEqual({
      class: "untrusted",
      reason: "ssh_host_key is no public key; to see it and record it: fleet trust gpu-1",
    });
    expect(server.accepted()).toBe(0);
  });

  it("names both fingerprints of a changed key, and does not log in", async () => {
    const server = await serve("127.1.3.2");
    const result = await probe(sshTo("127.1.3.2", server.port, pinOf(otherKeys)));
    expect(timeless(result)).toEqual({
      class: "unreachable",
      kind: "host-key-changed",
      reason: `the host key has changed: pinned ssh-ed25519 ${shownAs(otherKeys)}, shown ssh-ed25519 ${shownAs(hostKeys)}`,
    });
    expect(server.attempts).toEqual([]);
  });

  it("names a host that no longer has a key of the pinned type", async () => {
    const server = await serve("127.1.3.3", { hostKeys: [ecdsaKeys] });
    expect(timeless(await probe(sshTo("127.1.3.3", server.port)))).toEqual({
      class: "unreachable",
      kind: "host-key-changed",
      reason: `the host key has changed: pinned ssh-ed25519 ${shownAs(hostKeys)}, but no key of that type is offered`,
    });
    expect(server.attempts).toEqual([]);
  });

  it("asks for the pinned type where the server has several", async () => {
    const server = await serve("127.1.3.4", { hostKeys: [hostKeys, ecdsaKeys] });
    const pin = pinOf(ecdsaKeys);
    expect(await probe(sshTo("127.1.3.4", server.port, pin))).toMatchObject({ class: "ready" });
  });

  it("tries a refused key once, and nothing else", async () => {
    const server = await serve("127.1.3.5");
    const connection = { ...sshTo("127.1.3.5", server.port), keyPath: strangerPath };
    expect(timeless(await probe(connection))).toEqual({
      class: "unreachable",
      kind: "login-refused",
      reason: `login refused for root with ${strangerPath}`,
    });
    expect(server.attempts).toEqual(["publickey root"]);
  });

  it.each([
    ["there is no such file", "nothing", null],
    [
      "it is encrypted; load it into the ssh agent and leave ssh_key out",
      "encrypted",
      utils.generateKeyPairSync("ed25519", {
        passphrase: "planted-phrase",
        cipher: "aes256-ctr",
        rounds: 1,
      }).private,
    ],
    ["it is no private key that can be read", "noise", "planted-noise\n"],
    ["it is a public key; the private one is needed", "public", operator.public],
  ])("says what is wrong with a key before it dials: %s", async (why, name, content) => {
    const server = await keep(startRaw("127.1.3.6", () => undefined));
    const path = join(directory, name);
    if (content !== null) writeFileSync(path, content);
    const connection = { ...sshTo("127.1.3.6", server.port), keyPath: path };
    expect(await probe(connection)).toEqual({
      class: "unreachable",
      kind: "login-refused",
      reason: `no login with ${path}: ${why}`,
      milliseconds: 0,
    });
    expect(server.accepted()).toBe(0);
  });
});

describe("probeFleet", () => {
  it("gives one result for each host, in order, and reports each as it comes", async () => {
    const server = await serve("127.1.4.1");
    const seen: string[] = [];
    const results = await probeFleet(
      [
        target("b", sshTo("127.1.4.1", server.port)),
        target("a", sshTo("127.1.4.1", server.port, null)),
      ],
      { onResult: (name, result) => seen.push(`${name} ${result.class}`) },
    );
    expect([...results.keys()]).toEqual(["b", "a"]);
    expect(seen).toEqual(["a untrusted", "b ready"]);
  });

  it("gives an empty map for no hosts", async () => {
    expect(await probeFleet([])).toEqual(new Map());
  });

  it("dials hosts of one gateway one at a time, until each is logged in", async () => {
    const server = await serve("127.1.4.2", { run: answer(factsLine) });
    let unauthenticated = 0;
    let most = 0;
    const counted = await keep(
      startRaw("127.1.4.3", (socket) => {
        unauthenticated += 1;
        most = Math.max(most, unauthenticated);
        const attempts = server.attempts.length;
        const look = setInterval(() => {
          if (server.attempts.length < attempts + 2 && !socket.destroyed) return;
          clearInterval(look);
          unauthenticated -= 1;
        }, 1);
        chokedAfter(Infinity, "127.1.4.2", server.port)(socket);
      }),
    );
    const names = ["a", "b", "c", "d", "e"];
    const results = await probeFleet(
      names.map((name) => target(name, sshTo("127.1.4.3", counted.port))),
    );
    expect([...results.values()].map((result) => result.class)).toEqual(names.map(() => "ready"));
    expect(most).toBe(1);
  });

  it("finishes 200 hosts, 50 of them black holes, in about the deadline", async () => {
    const address = (index: number) => `127.2.${Math.floor(index / 100)}.${(index % 100) + 1}`;
    const isHole = (index: number) => index % 4 === 3;
    const servers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        isHole(index) ? keep(startRaw(address(index), () => undefined)) : serve(address(index)),
      ),
    );
    const targets = servers.map(({ port }, index) =>
      target(`h${index}`, sshTo(address(index), port)),
    );
    const begun = performance.now();
    const results = [...(await probeFleet(targets)).values()];
    const took = performance.now() - begun;
    const count = (wanted: string) =>
      results.filter((result) => `${result.class}` === wanted).length;
    expect({ ready: count("ready"), unreachable: count("unreachable") }).toEqual({
      ready: 150,
      unreachable: 50,
    });
    // One after the other the black holes alone would take 250 s.
    expect(took).toBeLessThan(200_000);
    await until(() => servers.every((server) => server.open() === 0));
  }, 240_000);
});

/** However few may run at a time: these do not run, they stall. */
describe("probeFleet, with hosts that stall", () => {
  it("keeps nobody waiting for them longer than a lease", async () => {
    const stalls: Partial<ServerOptions>[] = [
      { stall: "auth" },
      { stall: "session" },
      { stall: "exec" },
    ];
    const addresses = Array.from({ length: 9 }, (_, index) => `127.3.1.${index + 1}`);
    const stalling = await Promise.all(
      addresses.map((address, index) => serve(address, stalls[index % stalls.length])),
    );
    const sound = await serve("127.3.2.1");
    const ends: string[] = [];
    await probeFleet(
      [
        ...stalling.map(({ port }, index) =>
          target(`stalls${index}`, sshTo(addresses[index] ?? "", port)),
        ),
        target("sound", sshTo("127.3.2.1", sound.port)),
      ],
      { parallel: 6, deadline: 8_000, onResult: (name) => ends.push(name) },
    );
    expect(ends[0]).toBe("sound");
    expect(ends).toHaveLength(10);
  });
});

/** Polls, because the other side sees the end of a connection a moment later. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3_000 && !isTrue(); tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isTrue()).toBe(true);
}
