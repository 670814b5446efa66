import { connect, type Socket } from "node:net";
import { status } from "@grpc/grpc-js";
import { failure, ProviderUnderTest, until } from "../client";
import { FakeEngine } from "../fakeEngine";
import { connectionTo, ours, remote } from "./executable";
import { SshServer, StallingServer } from "./sshServer";

let engine: FakeEngine;
let provider: ProviderUnderTest;
let stalling: StallingServer | undefined;
let server: SshServer | undefined;

beforeEach(async () => {
  engine = await FakeEngine.start();
  provider = await (await ProviderUnderTest.start(ours, engine)).configure();
});

afterEach(async () => {
  await provider.stop();
  engine.stop();
  await stalling?.stop();
  await server?.stop();
  stalling = server = undefined;
});

const password = "pass-word-1";

/** Tells one server, byte for byte, to another, until the told bytes are used up. */
function relayUpTo(port: number, limit: number) {
  return (socket: Socket) => {
    const behind = connect(port, "127.0.0.1");
    let told = 0;
    behind.on("error", () => undefined);
    behind.on("data", (chunk: Buffer) => {
      const part = chunk.subarray(0, Math.max(0, limit - told));
      told += chunk.length;
      if (part.length > 0) socket.write(part);
    });
    socket.pipe(behind);
    socket.on("close", () => behind.destroy());
  };
}

describe("a host that accepts and then says nothing more", () => {
  it.each([
    ["not even its version", 0, /no answer within 5 s while waiting for its version$/],
    ["after its version", 30, /no answer within 5 s while waiting for the key exchange$/],
    [
      "in the key exchange",
      1200,
      /no answer within 5 s while waiting for the (key exchange|login)$/,
    ],
  ])("fails within its deadline: %s", async (_what, bytes, message) => {
    server = await SshServer.start({ password });
    stalling = await StallingServer.start(relayUpTo(server.port, bytes));
    const connection = connectionTo(stalling.port, { password, perDialTimeout: 1 });
    const error = await failure(provider.create(remote, { connection, create: "x" }));
    expect(error.details).toMatch(/^after 0 failed attempts: ssh: handshake failed: /);
    expect(error.details).toMatch(message);
    expect(server.commands).toEqual([]);
  });

  it("fails although it keeps dripping bytes", async () => {
    const drips: NodeJS.Timeout[] = [];
    stalling = await StallingServer.start((socket) => {
      drips.push(setInterval(() => socket.write("drip\r\n"), 500));
    });
    const connection = connectionTo(stalling.port, { password, perDialTimeout: 1 });
    const error = await failure(provider.create(remote, { connection, create: "x" }));
    drips.forEach(clearInterval);
    expect(error.details).toMatch(
      /ssh: handshake failed: .*(no answer within 20 s|[Gg]reeting|identification)/,
    );
  });

  it("fails at once when it hangs up or speaks something else", async () => {
    stalling = await StallingServer.start((socket) => socket.end());
    const run = async (port: number) => {
      const connection = connectionTo(port, { password });
      return (await failure(provider.create(remote, { connection, create: "x" }))).details;
    };
    expect(await run(stalling.port)).toMatch(/^after 0 failed attempts: ssh: handshake failed: /);
    await stalling.stop();
    stalling = await StallingServer.start((socket) => socket.end("SSH-1.5-old\r\n"));
    expect(await run(stalling.port)).toMatch(/^after 0 failed attempts: ssh: handshake failed: /);
  });
});

describe("Cancel", () => {
  const cancelled = [status.CANCELLED, "cancelled by the engine"];

  it("ends a stalled handshake and closes its connection", async () => {
    let closed = false;
    let accepted = false;
    stalling = await StallingServer.start((socket) => {
      accepted = true;
      socket.resume();
      socket.on("close", () => (closed = true));
    });
    const connection = connectionTo(stalling.port, { perDialTimeout: 0 });
    const call = failure(provider.create(remote, { connection, create: "x" }));
    await until(() => accepted);
    await provider.cancel();
    const error = await call;
    expect([error.code, error.details]).toEqual(cancelled);
    await until(() => closed);
  });

  it("ends a running command and closes its connection", async () => {
    server = await SshServer.start({ password });
    const connection = connectionTo(server.port, { password });
    const call = failure(provider.create(remote, { connection, create: "echo on; sleep 600" }));
    await until(() => engine.lines.length > 0);
    await provider.cancel();
    const error = await call;
    expect([error.code, error.details]).toEqual(cancelled);
    await server.allClosed();
  });

  it("ends the pause between two dials, and a server that never starts the command", async () => {
    stalling = await StallingServer.start((socket) => socket.destroy());
    const dialing = connectionTo(stalling.port, { dialErrorLimit: -1 });
    const retried = failure(provider.create(remote, { connection: dialing, create: "x" }));
    server = await SshServer.start({ password, muteExec: true });
    const connection = connectionTo(server.port, { password });
    const mute = failure(provider.create(remote, { connection, create: "x" }));
    await until(() => server!.commands.length > 0 && stalling!.sockets.length >= 5);
    await provider.cancel();
    for (const error of [await retried, await mute]) {
      expect([error.code, error.details]).toEqual(cancelled);
    }
    await server.allClosed();
    expect(engine.take()[0]).toEqual({
      severity: "info",
      text: "Dial 1/inf failed: retrying",
      urn: remote,
      ephemeral: true,
    });
  });
});

describe("the end of the engine", () => {
  it.each(["SIGINT", "SIGTERM", "stdin"] as const)(
    "%s ends a running command's connection",
    async (how) => {
      server = await SshServer.start({ password });
      const connection = connectionTo(server.port, { password });
      const call = failure(provider.create(remote, { connection, create: "echo on; sleep 600" }));
      await until(() => engine.lines.length > 0);
      if (how === "stdin") provider.process.stdin?.end();
      else provider.process.kill(how);
      expect(await provider.exit()).toEqual({ code: 0, signal: null });
      expect((await call).code).toBe(status.UNAVAILABLE);
      await server.allClosed();
    },
  );
});

describe("customTimeouts", () => {
  it("end a command that does not", async () => {
    server = await SshServer.start({ password });
    const connection = connectionTo(server.port, { password });
    const inputs = { connection, create: "sleep 600" };
    const error = await failure(provider.create(remote, inputs, { timeout: 2 }));
    expect([error.code, error.details]).toEqual([
      status.DEADLINE_EXCEEDED,
      "not done within 2 s (customTimeouts)",
    ]);
    await server.allClosed();
  });
});

describe("a connection that breaks in the middle of a command", () => {
  it("is an error with what was printed until then", async () => {
    server = await SshServer.start({ password });
    const connection = connectionTo(server.port, { password });
    const call = failure(provider.create(remote, { connection, create: "echo on; sleep 600" }));
    await until(() => engine.lines.length > 0);
    for (const client of server.open) client.end();
    expect((await call).details).toBe(
      'wait: remote command exited without exit status or exit signal: running "echo on; sleep 600":\non\n',
    );
  });

  it("is one also behind a jump host that leaves its channel half open", async () => {
    server = await SshServer.start({ password });
    const jump = await SshServer.start({ password, leavesHalfOpen: true });
    const proxy = { host: "127.0.0.1", port: jump.port, user: "root", password };
    const connection = connectionTo(server.port, { password, proxy });
    const call = failure(provider.create(remote, { connection, create: "echo on; sleep 600" }));
    await until(() => engine.lines.length > 0);
    await server.stop();
    expect((await call).details).toBe(
      'wait: remote command exited without exit status or exit signal: running "echo on; sleep 600":\non\n',
    );
    await jump.allClosed();
    await jump.stop();
  });
});
