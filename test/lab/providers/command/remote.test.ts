import { secret, UNKNOWN } from "../../../../lab/wire";
import { failure, ProviderUnderTest } from "../client";
import { FakeEngine } from "../fakeEngine";
import { connectionTo, ours, remote } from "./executable";
import { newKey, SshServer, strangerKey } from "./sshServer";

let engine: FakeEngine;
let provider: ProviderUnderTest;
const servers: SshServer[] = [];

async function sshServer(...args: Parameters<typeof SshServer.start>): Promise<SshServer> {
  const server = await SshServer.start(...args);
  servers.push(server);
  return server;
}

beforeAll(async () => {
  engine = await FakeEngine.start();
  provider = await (await ProviderUnderTest.start(ours, engine)).configure();
});

afterEach(async () => {
  engine.take();
  for (const server of servers.splice(0)) await server.stop();
});

afterAll(async () => {
  await provider.stop();
  engine.stop();
});

const password = "pass-word-1";

describe("remote.Command create", () => {
  it("runs the command and returns the inputs with what it printed", async () => {
    const server = await sshServer({ password });
    const inputs = {
      connection: connectionTo(server.port, { password }),
      create: "cat; echo; echo two >&2; printf 'no newline'",
      stdin: '{"a":"ä"}',
      triggers: [1, null, { a: "b" }],
    };
    const { id, outputs } = await provider.create(remote, inputs);
    expect(id).toMatch(/^it[0-9a-f]{8}$/);
    expect(outputs).toEqual({
      ...inputs,
      stdout: '{"a":"ä"}\nno newline',
      stderr: "two",
    });
    await server.allClosed();
    expect([server.connections, server.logins]).toEqual([1, ["password"]]);
  });

  it("trims one newline from the end and no more", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    const { outputs } = await provider.create(remote, { connection, create: "printf ' a \\n\\n'" });
    expect([outputs["stdout"], outputs["stderr"]]).toEqual([" a \n", ""]);
  });

  it("shows each line as progress, as `logging` says", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    const texts: Record<string, string[]> = {};
    for (const logging of ["stdout", "stderr", "stdoutAndStderr", "none"]) {
      const create = "echo out; sleep 0.2; printf 'err\\r\\n\\nrest' >&2";
      await provider.create(remote, { connection, create, logging });
      texts[logging] = engine.take().map((line) => line.text);
    }
    expect(texts).toEqual({
      stdout: ["out"],
      stderr: ["err", "", "rest"],
      stdoutAndStderr: ["out", "err", "", "rest"],
      none: [],
    });
    await provider.create(remote, { connection, create: "echo out" });
    expect(engine.take()).toEqual([
      { severity: "info", text: "out", urn: remote, ephemeral: true },
    ]);
  });

  it("takes a line of any length", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    const create = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after";
    const { outputs } = await provider.create(remote, { connection, create });
    expect(outputs["stdout"] === `${"x".repeat(3_000_000)}\nafter`).toBe(true);
    const lines = engine.take().map(({ text }) => text);
    expect(lines.map((text) => text.length < 70_000)).toEqual([true, true]);
    expect(lines[1]).toBe("after");
  });

  it("feeds a stdin of several megabytes, and does not mind one that is not read", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    const stdin = "y".repeat(5_000_000);
    const read = await provider.create(remote, { connection, create: "wc -c", stdin });
    expect(read.outputs["stdout"]).toBe("5000000");
    const ignored = await provider.create(remote, { connection, create: "echo done", stdin });
    expect(ignored.outputs["stdout"]).toBe("done");
  });

  it("ends stdin when there is none", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    const { outputs } = await provider.create(remote, { connection, create: "cat; echo end" });
    expect(outputs["stdout"]).toBe("end");
  });

  it("does not dial in a preview, nor without a command", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    const preview = await provider.create(
      remote,
      { connection, create: "echo a", stdin: UNKNOWN },
      { preview: true },
    );
    expect(preview).toEqual({
      id: "",
      outputs: { connection, create: "echo a", stdin: UNKNOWN, stdout: UNKNOWN, stderr: UNKNOWN },
    });
    const { outputs } = await provider.create(remote, { connection, delete: "echo b" });
    expect(outputs).toEqual({ connection, delete: "echo b", stdout: "", stderr: "" });
    expect(server.connections).toBe(0);
  });
});

describe("a command that fails", () => {
  it.each([
    ["echo out; sleep 0.2; echo err >&2; exit 3", "Process exited with status 3", "out\nerr\n"],
    ['echo "ü\t"; kill -TERM $$', "Process exited with status 143 from signal TERM", "ü\t\n"],
  ])(
    "%j says how it ended, which command it was and what it printed",
    async (create, how, output) => {
      const server = await sshServer({ password });
      const connection = connectionTo(server.port, { password });
      const error = await failure(provider.create(remote, { connection, create }));
      const quoted = create.replaceAll('"', '\\"').replaceAll("\t", "\\t");
      expect([error.code, error.details]).toEqual([2, `${how}: running "${quoted}":\n${output}`]);
      await server.allClosed();
    },
  );

  it("tells no secret: not of the command, stdin, environment or connection", async () => {
    const key = newKey();
    const server = await sshServer({ publicKey: key.public, acceptEnv: ["TOKEN"] });
    const stdin = JSON.stringify({ files: [{ content: "planted-in-json" }] });
    const inputs = {
      connection: connectionTo(server.port, { privateKey: key.private }),
      create: secret('echo "planted-in-command"; echo $TOKEN; cat; exit 1'),
      stdin: secret(stdin),
      environment: { TOKEN: secret("planted-in-environment") },
    };
    const error = await failure(provider.create(remote, inputs));
    expect(error.details).toBe(
      'Process exited with status 1: running "[secret]":\nplanted-in-command\n[secret]\n[secret]',
    );
    expect(engine.take().map((line) => line.text)).toEqual([
      "planted-in-command",
      "[secret]",
      "[secret]",
    ]);
    const echoed = { ...inputs, create: "cat | tr -d ' ' | cut -c 11-; exit 1" };
    const part = await failure(provider.create(remote, echoed));
    expect(part.details).not.toContain("planted");
  });

  it("marks what it printed as secret when a secret is in it", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    const inputs = { connection, create: "cat; echo clean >&2", stdin: secret("planted-1") };
    const { outputs } = await provider.create(remote, inputs);
    expect([outputs["stdout"], outputs["stderr"]]).toEqual([secret("planted-1"), "clean"]);
  });
});

describe("remote.Command update", () => {
  it("runs update, or else create, or else nothing", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    const old = { connection, create: "echo old" };
    const olds = { ...old, stdout: "old", stderr: "" };
    const both = { connection, create: "echo c", update: "echo u" };
    expect(await provider.update(remote, "it1", olds, old, both)).toEqual({
      ...both,
      stdout: "u",
      stderr: "",
    });
    const created = { connection, create: "echo c" };
    expect(await provider.update(remote, "it1", olds, old, created)).toEqual({
      ...created,
      stdout: "c",
      stderr: "",
    });
    expect(await provider.update(remote, "it1", olds, old, { connection })).toEqual({
      connection,
      stdout: "old",
      stderr: "",
    });
    expect(server.commands).toEqual(["echo u", "echo c"]);
  });

  it("does not dial in a preview", async () => {
    const connection = connectionTo(1);
    const old = { connection, create: "echo a" };
    const olds = { ...old, stdout: "a", stderr: "" };
    expect(
      await provider.update(remote, "it1", olds, old, { connection, create: "echo b" }, true),
    ).toEqual({ connection, create: "echo b", stdout: UNKNOWN, stderr: UNKNOWN });
  });

  it("offers what was printed last, if the server takes it, and goes on if not", async () => {
    const create = "echo [$PULUMI_COMMAND_STDOUT] [$PULUMI_COMMAND_STDERR]";
    const run = async (server: SshServer, more: { addPreviousOutputInEnv?: boolean }) => {
      const news = { connection: connectionTo(server.port, { password }), create, ...more };
      const olds = { ...news, stdout: "o", stderr: "e" };
      return (await provider.update(remote, "it1", olds, news, news))["stdout"];
    };
    const names = ["PULUMI_COMMAND_STDOUT", "PULUMI_COMMAND_STDERR"];
    const willing = await sshServer({ password, acceptEnv: names });
    expect(await run(willing, {})).toBe("[o] [e]");
    expect(await run(willing, { addPreviousOutputInEnv: false })).toBe("[] []");
    engine.take();
    const strict = await sshServer({ password });
    expect(await run(strict, {})).toBe("[] []");
    expect(strict.refused).toEqual(names);
    const logged = engine.take().map(({ severity, text }) => `${severity}: ${text.slice(0, 37)}`);
    expect(logged).toEqual([
      "warning: Unable to set 'PULUMI_COMMAND_STDOUT'",
      "warning: Unable to set 'PULUMI_COMMAND_STDERR'",
      "info: [] []",
    ]);
  });
});

describe("remote.Command delete", () => {
  it("runs the command with the connection of the state", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    await provider.delete(remote, "it1", {
      connection,
      delete: "echo bye",
      stdout: "",
      stderr: "",
    });
    expect(server.commands).toEqual(["echo bye"]);
    await server.allClosed();
  });

  it("never dials without a command", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password });
    await provider.delete(remote, "it1", { connection, create: "echo a", stdout: "", stderr: "" });
    expect(server.connections).toBe(0);
  });

  it("fails when the host is gone", async () => {
    const gone = await sshServer({ password });
    const { port } = gone;
    await servers.pop()!.stop();
    const state = { connection: connectionTo(port, { password }), delete: "echo bye" };
    const error = await failure(provider.delete(remote, "it1", state));
    expect(error.details).toBe(
      `after 0 failed attempts: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
  });
});

describe("environment", () => {
  it("reaches the command where the server accepts it", async () => {
    const server = await sshServer({ password, acceptEnv: ["A", "B"] });
    const inputs = {
      connection: connectionTo(server.port, { password }),
      create: 'echo "$A|$B"',
      environment: { A: "1 2", B: "ä" },
    };
    expect((await provider.create(remote, inputs)).outputs["stdout"]).toBe("1 2|ä");
  });

  it("is an error where it does not, and nothing is run", async () => {
    const server = await sshServer({ password, acceptEnv: ["A"] });
    const inputs = {
      connection: connectionTo(server.port, { password }),
      create: "echo ran",
      environment: { A: "1", B: "2" },
    };
    const error = await failure(provider.create(remote, inputs));
    expect(error.details).toBe('could not set environment variable "B": ssh: setenv failed');
    expect(server.commands).toEqual([]);
    expect(engine.take().map(({ severity }) => severity)).toEqual(["error"]);
    await server.allClosed();
  });
});

describe("logging in", () => {
  it.each([
    ["an ed25519 key", "ed25519", undefined],
    ["an RSA key", "rsa", undefined],
    ["a key with a password", "ed25519", "key-password"],
  ] as const)("with %s", async (_what, type, passphrase) => {
    const key = newKey(type, passphrase);
    const server = await sshServer({ publicKey: key.public });
    const connection = connectionTo(server.port, {
      privateKey: key.private,
      ...(passphrase && { privateKeyPassword: passphrase }),
    });
    const { outputs } = await provider.create(remote, { connection, create: "echo in" });
    expect(outputs["stdout"]).toBe("in");
  });

  it("with a password that is asked for interactively", async () => {
    const server = await sshServer({ password, interactive: true });
    const connection = connectionTo(server.port, { password });
    const { outputs } = await provider.create(remote, { connection, create: "echo in" });
    expect([outputs["stdout"], server.logins.at(-1)]).toEqual(["in", "keyboard-interactive"]);
  });

  it("with the password when the key is not taken", async () => {
    const server = await sshServer({ password, publicKey: newKey().public });
    const connection = connectionTo(server.port, { password, privateKey: newKey().private });
    const { outputs } = await provider.create(remote, { connection, create: "echo in" });
    expect([outputs["stdout"], server.logins]).toEqual(["in", ["publickey", "password"]]);
  });

  it("as another user", async () => {
    const server = await sshServer({ password, user: "robin" });
    const connection = connectionTo(server.port, { password, user: "robin" });
    const { outputs } = await provider.create(remote, { connection, create: "echo in" });
    expect(outputs["stdout"]).toBe("in");
  });

  it("says what was tried when nothing is taken, and not with which words", async () => {
    const server = await sshServer({ password, publicKey: newKey().public });
    const connection = connectionTo(server.port, {
      password: "planted-password",
      privateKey: strangerKey(),
    });
    const error = await failure(provider.create(remote, { connection, create: "echo in" }));
    expect(error.details).toBe(
      "after 0 failed attempts: ssh: handshake failed: ssh: unable to authenticate, " +
        "attempted methods [none publickey password], no supported methods remain",
    );
    await server.allClosed();
  });

  it("is tried again after a refusal, as often as dialErrorLimit forgives", async () => {
    const server = await sshServer({ password, refuseLogins: 2 });
    const connection = connectionTo(server.port, { password, dialErrorLimit: 2 });
    const { outputs } = await provider.create(remote, { connection, create: "echo in" });
    expect([outputs["stdout"], server.connections]).toEqual(["in", 3]);
    expect(engine.take().map(({ text }) => text)).toEqual([
      "Dial 1/2 failed: retrying",
      "Dial 2/2 failed: retrying",
      "in",
    ]);
  });

  it.each([
    ["no key at all", {}, /^ssh: the private key cannot be read: /],
    [
      "a key without its password",
      { passphrase: "pw-1" },
      /^ssh: this private key is passphrase protected$/,
    ],
  ])("does not dial for %s", async (_what, { passphrase }: { passphrase?: string }, message) => {
    const server = await sshServer({ password });
    const privateKey = passphrase ? newKey("ed25519", passphrase).private : "planted-no-key";
    const connection = connectionTo(server.port, { privateKey, dialErrorLimit: 3 });
    const error = await failure(provider.create(remote, { connection, create: "echo in" }));
    expect(error.details).toMatch(message);
    expect(error.details).not.toContain("planted");
    expect(server.connections).toBe(0);
  });
});

describe("the host's key", () => {
  it.each(["ed25519", "rsa"] as const)("lets in when it is the pinned one (%s)", async (type) => {
    const server = await sshServer({ password, hostKeyType: type });
    const hostKey = `${server.hostKey} a comment`;
    const connection = connectionTo(server.port, { password, hostKey });
    const { outputs } = await provider.create(remote, { connection, create: "echo in" });
    expect(outputs["stdout"]).toBe("in");
  });

  it("stops at once, before any login, when it is another one", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, {
      password,
      hostKey: newKey().public,
      dialErrorLimit: 5,
    });
    const error = await failure(provider.create(remote, { connection, create: "echo in" }));
    expect(error.details).toMatch(
      /^ssh: handshake failed: ssh: host key mismatch: pinned ssh-ed25519 SHA256:[\w+/]{43}, the host shows SHA256:[\w+/]{43}$/,
    );
    await server.allClosed();
    expect([server.connections, server.logins]).toEqual([1, []]);
  });

  it("must be readable", async () => {
    const server = await sshServer({ password });
    const connection = connectionTo(server.port, { password, hostKey: "ssh-ed25519 nonsense" });
    const error = await failure(provider.create(remote, { connection, create: "x" }));
    expect(error.details).toBe("failed to parse host key: ssh: no key found");
    expect(server.connections).toBe(0);
  });
});

describe("a proxy", () => {
  it("is dialed with its own fields, and both connections are closed", async () => {
    const key = newKey();
    const target = await sshServer({ password });
    const bastion = await sshServer({ publicKey: key.public, user: "jump" });
    const connection = connectionTo(target.port, {
      password,
      hostKey: target.hostKey,
      proxy: {
        host: "127.0.0.1",
        port: bastion.port,
        user: "jump",
        privateKey: key.private,
        hostKey: bastion.hostKey,
      },
    });
    const { outputs } = await provider.create(remote, { connection, create: "echo in" });
    expect(outputs["stdout"]).toBe("in");
    await Promise.all([target.allClosed(), bastion.allClosed()]);
    expect([target.commands, bastion.commands]).toEqual([["echo in"], []]);
  });

  it("is named in the error when it, or the host behind it, cannot be reached", async () => {
    const bastion = await sshServer({ password });
    const gone = await sshServer({ password });
    const { port } = gone;
    await servers.pop()!.stop();
    const proxy = { host: "127.0.0.1", user: "root", password, dialErrorLimit: 0 };
    const run = async (targetPort: number, proxyPort: number) => {
      const connection = connectionTo(targetPort, {
        password,
        proxy: { ...proxy, port: proxyPort },
      });
      return (await failure(provider.create(remote, { connection, create: "x" }))).details;
    };
    expect(await run(bastion.port, port)).toBe(
      `proxy: after 0 failed attempts: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    );
    expect(await run(port, bastion.port)).toMatch(
      /^proxy: after 0 failed attempts: ssh: rejected: connect failed \(.*\)$/,
    );
    await bastion.allClosed();
  });
});
