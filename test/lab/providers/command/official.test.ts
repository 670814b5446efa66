import { existsSync } from "node:fs";
import { secret, UNKNOWN, type ValueMap } from "../../../../lab/wire";
import { ProviderUnderTest } from "../client";
import { FakeEngine } from "../fakeEngine";
import { connectionTo, local, ours, remote } from "./executable";
import { SshServer } from "./sshServer";

/**
 * The official plugin cannot be fetched everywhere. Where there is one, OFFICIAL_COMMAND_PLUGIN names it, and both are
 * asked the same; otherwise the log says that this was not compared.
 */
const official = process.env["OFFICIAL_COMMAND_PLUGIN"] ?? "";
const isThere = existsSync(official);

describe(
  isThere ? `compared with ${official}` : "not compared: OFFICIAL_COMMAND_PLUGIN is not set",
  () => {
    it(isThere ? "is asked for" : "needs the path of the official plugin", () => {
      expect(isThere).toBe(official !== "");
    });
  },
);

const password = "pass-word-1";
const connection = connectionTo(1, { password });
const old = { connection, create: "echo a", triggers: [1], environment: { A: "1", "b.c": "2" } };

/** Every case is one call; ids are random, and the rest of the answer has to be equal. */
const cases: Record<string, (plugin: ProviderUnderTest, port: number) => Promise<unknown>> = {
  "check fills in defaults": (p) =>
    p.check(remote, { connection: { host: "h", proxy: { host: "p" } } }),
  "check marks keys inside the connection": (p) =>
    p.check(remote, { connection: secret({ host: "h", privateKey: "k", password: "p" }) }),
  "check keeps unknowns and marks": (p) =>
    p.check(remote, { connection: UNKNOWN, create: secret("x"), environment: { A: secret("b") } }),
  "check drops nulls": (p) =>
    p.check(remote, { connection: { host: "h", user: null }, update: null }),
  "diff of nothing": (p) => p.diff(remote, "i", { ...old, stdout: "" }, old, old),
  "diff of everything": (p) =>
    p.diff(remote, "i", { ...old, stdout: "" }, old, {
      connection: connectionTo(2, { password }),
      create: secret("echo a"),
      stdin: "s",
      triggers: [1],
      environment: { A: "2" },
    }),
  "diff of new triggers": (p) =>
    p.diff(remote, "i", { connection }, { connection }, { connection, triggers: [1] }),
  "update in a preview": (p) =>
    p.update(remote, "i", { ...old, stdout: "o", stderr: "e" }, old, { ...old, create: "b" }, true),
  "update of nothing in a preview": (p) =>
    p.update(remote, "i", { ...old, stdout: "o", stderr: "e" }, old, old, true),
  "create over SSH": (p, port) =>
    p.create(remote, {
      connection: connectionTo(port, { password }),
      create: "cat; echo; printf 'x\\n\\n' >&2",
      stdin: "in",
      triggers: [secret("t")],
    }),
  "create through a proxy": (p, port) =>
    p.create(remote, {
      connection: connectionTo(port, {
        password,
        proxy: {
          host: "127.0.0.1",
          port,
          user: "root",
          password,
          dialErrorLimit: 0,
          perDialTimeout: 15,
        },
      }),
      create: "echo in",
    }),
  "a command that fails": (p, port) =>
    p.create(remote, {
      connection: connectionTo(port, { password }),
      create: 'echo "é\t"; exit 3',
    }),
  "a command that is killed": (p, port) =>
    p.create(remote, { connection: connectionTo(port, { password }), create: "kill -TERM $$" }),
  "a variable that is refused": (p, port) =>
    p.create(remote, {
      connection: connectionTo(port, { password }),
      create: "x",
      environment: { NOPE: "1" },
    }),
  "a port that is closed": (p) => p.create(remote, { connection: connectionTo(1), create: "x" }),
  "a login that is refused": (p, port) =>
    p.create(remote, { connection: connectionTo(port, { password: "wrong" }), create: "x" }),
  "update over SSH": (p, port) => {
    const inputs = {
      connection: connectionTo(port, { password }),
      create: "echo c",
      update: "echo u",
    };
    return p.update(remote, "i", { ...inputs, stdout: "o", stderr: "" }, inputs, inputs);
  },
  "a local command": (p) =>
    p.create(local, { create: "cat; echo $A", stdin: "in", environment: { A: "1" }, dir: "/" }),
  "a local command that fails": (p) => p.create(local, { create: "echo a; exit 7" }),
  "a folder that is not there": (p) => p.create(local, { create: "x", dir: "/no/such" }),
};

async function answerOf(plugin: ProviderUnderTest, ask: (typeof cases)[string], port: number) {
  try {
    const answer = (await ask(plugin, port)) as ValueMap;
    const { id, ...rest } = answer;
    return { ...rest, ...(id !== undefined && { id: String(id).length }) };
  } catch (error) {
    const { code, details } = error as { code: number; details: string };
    return { code, details };
  }
}

if (isThere) {
  describe("the official plugin and this one give the same answer:", () => {
    let engine: FakeEngine;
    let server: SshServer;
    let plugins: ProviderUnderTest[];

    beforeAll(async () => {
      engine = await FakeEngine.start();
      server = await SshServer.start({ password });
      plugins = [];
      for (const command of [[official], ours]) {
        plugins.push(await (await ProviderUnderTest.start(command, engine)).configure());
      }
    });

    afterAll(async () => {
      for (const plugin of plugins) await plugin.stop();
      await server.stop();
      engine.stop();
    });

    it.each(Object.keys(cases))("%s", async (name) => {
      const [theirs, own] = await Promise.all(
        plugins.map((plugin) => answerOf(plugin, cases[name]!, server.port)),
      );
      expect(own).toEqual(theirs);
    });
  });
}
