import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trustCommand } from "../../cli/trust";
import { chooseHosts } from "../../cli/trust/choose";
import { recordHostKeys } from "../../cli/trust/record";
import { UsageError } from "../../cli/usageError";
import { loadInventory } from "../../hosts/inventory";
import { fingerprint, parseHostKey } from "../../probe/hostKey";
import { makeKeys, pinOf, startRaw, startServer, type TestServer } from "../probe/sshServer";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
const OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIP/+/fz7+vn49/b19PPy8fDv7u3s6+rp6Ofm5eTj4uHg";
const quirks = readFileSync(join(__dirname, "fixtures", "quirks.yaml"), "utf8");

function record(text: string, names: readonly string[], replace = false) {
  const { text: after, refused } = recordHostKeys(
    text,
    new Map(names.map((name) => [name, { key: KEY, replace }])),
  );
  return { after, refused: Object.fromEntries(refused) };
}

/** Lines of `after` that are not in `before`; fails where any other byte differs. */
function addedLines(before: string, after: string): string[] {
  const old = before.split("\n");
  const added: string[] = [];
  let at = 0;
  for (const line of after.split("\n")) {
    if (line === old[at]) at += 1;
    else added.push(line);
  }
  expect(at).toBe(old.length);
  return added;
}

describe("recordHostKeys", () => {
  const names = [...quirks.matchAll(/^ {2}([a-z][\w-]+):$/gm)]
    .map((match) => match[1] ?? "")
    .filter((name) => quirks.indexOf(`\n  ${name}:`) > quirks.indexOf("\nhosts:"));

  it("adds one line for each host to a file of comments and quirks, and changes no other byte", () => {
    const { after, refused } = record(quirks, names);
    expect(refused).toEqual({});
    expect(names).toHaveLength(14);
    expect(addedLines(quirks, after)).toEqual(names.map(() => `    ssh_host_key: ${KEY}`));
  });

  it("keeps CRLF", () => {
    const crlf = quirks.replaceAll("\n", "\r\n");
    const { after, refused } = record(crlf, names);
    expect(refused).toEqual({});
    expect(addedLines(crlf, after)).toEqual(names.map(() => `    ssh_host_key: ${KEY}\r`));
  });

  it("keeps a byte order mark", () => {
    expect(record("\ufeffhosts:\n  a:\n    ssh_host: b\n", ["a"]).after).toBe(
      `\ufeffhosts:\n  a:\n    ssh_host: b\n    ssh_host_key: ${KEY}\n`,
    );
  });

  it("changes nothing for no keys", () => {
    expect(record(quirks, [])).toEqual({ after: quirks, refused: {} });
  });

  it.each([
    [
      "below the last of the ssh keys, after its comment",
      "hosts:\n  a:\n    status: ready\n    ssh_host: b   # here\n    ssh_port: '22' # and there\n\n    # more\n    note: >-\n      x\n",
      "hosts:\n  a:\n    status: ready\n    ssh_host: b   # here\n    ssh_port: '22' # and there\n    ssh_host_key: KEY\n\n    # more\n    note: >-\n      x\n",
    ],
    [
      "at the end of a file without a last newline",
      "hosts:\n  a:\n    ssh_host: b",
      "hosts:\n  a:\n    ssh_host: b\n    ssh_host_key: KEY",
    ],
    [
      "into a flow mapping",
      "hosts:\n  a: { ssh_host: b, status: ready } # x\n",
      "hosts:\n  a: { ssh_host: b, ssh_host_key: KEY, status: ready } # x\n",
    ],
    [
      "into JSON, which stays JSON",
      '{"hosts": {"a": {"ssh_host": "b", "ssh_port": 22}}}',
      '{"hosts": {"a": {"ssh_host": "b", "ssh_port": 22, "ssh_host_key": "KEY"}}}',
    ],
    [
      "right below a text of several lines that ends the file",
      "hosts:\n  a:\n    ssh_key: |\n      one\n      two\n",
      "hosts:\n  a:\n    ssh_key: |\n      one\n      two\n    ssh_host_key: KEY\n",
    ],
    [
      "right below a mapping, above what follows a blank line",
      "hosts:\n  a:\n    ssh_jump:\n      host: x\n\n    # more\n    status: ready\n",
      "hosts:\n  a:\n    ssh_jump:\n      host: x\n    ssh_host_key: KEY\n\n    # more\n    status: ready\n",
    ],
    [
      "above the first key where all ssh keys are merged",
      "base: &base { ssh_host: b }\nhosts:\n  a:\n    <<: *base\n    status: ready\n",
      "base: &base { ssh_host: b }\nhosts:\n  a:\n    ssh_host_key: KEY\n    <<: *base\n    status: ready\n",
    ],
    [
      "into an empty entry",
      "hosts:\n  a:\n    ssh_host_key:   # not yet\n    ssh_host: b\n",
      "hosts:\n  a:\n    ssh_host_key: KEY   # not yet\n    ssh_host: b\n",
    ],
    [
      "into an empty text",
      'hosts:\n  a:\n    ssh_host_key: ""\n    ssh_host: b\n',
      "hosts:\n  a:\n    ssh_host_key: KEY\n    ssh_host: b\n",
    ],
    [
      "under a quoted name with deeper indentation",
      'hosts:\n      "a":\n          "ssh_host": b\n',
      'hosts:\n      "a":\n          "ssh_host": b\n          ssh_host_key: KEY\n',
    ],
  ])("writes it %s", (_where, before, after) => {
    expect(record(before, ["a"])).toEqual({ after: after.replace("KEY", KEY), refused: {} });
  });

  it("writes over another value only where that is asked for", () => {
    const before = `hosts:\n  a:\n    ssh_host_key: "${OTHER} root@a" # since May\n    ssh_host: b\n`;
    expect(record(before, ["a"])).toEqual({
      after: before,
      refused: { a: "ssh_host_key holds something else, which --replace a would write over" },
    });
    expect(record(before, ["a"], true)).toEqual({
      after: `hosts:\n  a:\n    ssh_host_key: ${KEY} # since May\n    ssh_host: b\n`,
      refused: {},
    });
  });

  it.each([
    ["an alias", "hosts:\n  b: &b\n    ssh_host: x\n  a: *b\n"],
    ["an anchor that another host merges", "hosts:\n  a: &a\n    ssh_host: x\n  b:\n    <<: *a\n"],
    ["an explicit key", "hosts:\n  a:\n    ? ssh_host\n    : x\n"],
    ["a host that is not there", "hosts:\n  b:\n    ssh_host: x\n"],
  ])("leaves %s to a person, and records the others", (_what, part) => {
    const before = `${part}  sound:\n    ssh_host: y\n`;
    expect(record(before, ["a", "sound"])).toEqual({
      after: `${before}    ssh_host_key: ${KEY}\n`,
      refused: {
        a: "is written in a way that cannot be edited safely; add ssh_host_key by hand",
      },
    });
  });
});

describe("chooseHosts", () => {
  const { fleet, plan } = loadInventory(quirks, "quirks.yaml");
  if (!fleet || !plan) throw new Error("the fixture has a plan");
  const choose = (names: string[], all: boolean) =>
    chooseHosts(names, all, fleet, plan).map(({ name }) => name);

  it("takes every deployed host, in the order of the file", () => {
    expect(choose([], true)).toEqual([
      "mac-hub",
      "nebius-backbone-a",
      "hetzner-cpu-a",
      "hetzner-cpu-b",
      "vultr-a100-a",
      "lambda-gh200-a",
      "vast-10000001",
    ]);
  });

  it("takes a jump host that is not deployed itself", () => {
    const text = quirks.replace("ssh_port: 18352", "ssh_jump: aws-proxy-a");
    const jumping = loadInventory(text, "quirks.yaml");
    if (!jumping.fleet || !jumping.plan) throw new Error("the fixture has a plan");
    expect(chooseHosts([], true, jumping.fleet, jumping.plan).at(-1)).toEqual({
      name: "aws-proxy-a",
      connection: {
        host: "198.51.100.80",
        port: 22,
        user: "ec2-user",
        keyPath: "~/.ssh/example-proxy-key.pem",
        hostKey: null,
        jump: null,
      },
    });
  });

  it("takes a named host whatever its status, and once", () => {
    expect(choose(["vast-10000003", "aws-proxy-a", "vast-10000003"], false)).toEqual([
      "vast-10000003",
      "aws-proxy-a",
    ]);
  });

  it("suggests what an unknown name may have meant", () => {
    expect(() => choose(["mac-hud"], false)).toThrow(
      new UsageError('"mac-hud" is not a host of the file', 'Did you mean "mac-hub"?'),
    );
  });
});

describe("fleet trust", () => {
  const directory = mkdtempSync(join(tmpdir(), "fleet-trust-"));
  const file = join(directory, "hosts.yaml");
  const operator = makeKeys();
  const ed25519 = makeKeys();
  const ecdsa = makeKeys("ecdsa");
  const closers: (() => Promise<void>)[] = [];
  let server: TestServer;
  const terminals = [process.stdin.isTTY, process.stderr.isTTY] as const;
  let output = "";
  let errors = "";

  beforeEach(async () => {
    // Whoever runs this may sit at a terminal, and be asked there.
    process.stdin.isTTY = process.stderr.isTTY = false;
    output = errors = "";
    jest.spyOn(process.stdout, "write").mockImplementation((text) => {
      output += text as string;
      return true;
    });
    jest.spyOn(process.stderr, "write").mockImplementation((text) => {
      // A busy machine may need longer than those two seconds.
      if (!/^looking at \d+ hosts?\n$/.test(text as string)) errors += text as string;
      return true;
    });
    server = await startServer({ address: "127.3.0.1", hostKeys: [ecdsa, ed25519], operator });
    closers.push(() => server.close());
  });

  afterEach(async () => {
    jest.restoreAllMocks();
    [process.stdin.isTTY, process.stderr.isTTY] = terminals;
    await Promise.all(closers.splice(0).map((close) => close()));
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  const shown = (keys: { public: string }): string => {
    const key = parseHostKey(keys.public);
    if (!key) throw new Error("no key");
    return `${key.type} ${fingerprint(key)}`;
  };

  function write(entries: Record<string, string>): string {
    const text = Object.entries(entries)
      .map(([name, keys]) => `  ${name}:\n    status: ready   # yes\n${keys}`)
      .join("");
    writeFileSync(file, `hosts:\n${text}`);
    return readFileSync(file, "utf8");
  }

  const at = (port: number, more = "", address = "127.3.0.1") =>
    `    ssh_host: ${address}\n    ssh_port: ${port}\n${more}`;

  async function trust(...args: string[]) {
    const before = process.exitCode;
    await trustCommand()
      .exitOverride()
      .parseAsync([...args, "--file", file], { from: "user" });
    const code = process.exitCode;
    process.exitCode = before;
    return { code, output, errors };
  }

  it("shows the ed25519 key, records it, and sends no login", async () => {
    const before = write({ "gpu-1": at(server.port) });
    chmodSync(file, 0o640);
    expect(await trust("gpu-1", "--yes")).toEqual({
      code: 0,
      output: `gpu-1  new          ${shown(ed25519)}\n1 host key recorded in ${file}\n`,
      errors: "",
    });
    expect(readFileSync(file, "utf8")).toBe(`${before}    ssh_host_key: ${pinOf(ed25519)}\n`);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(server.attempts).toEqual([]);
  });

  it("says unchanged the second time, and leaves the file as it is", async () => {
    const before = write({ "gpu-1": at(server.port, `    ssh_host_key: ${pinOf(ed25519)}\n`) });
    const time = statSync(file).mtimeMs;
    expect(await trust("gpu-1", "--yes")).toEqual({
      code: 0,
      output: `gpu-1  unchanged    ${shown(ed25519)}\n`,
      errors: "",
    });
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(statSync(file).mtimeMs).toBe(time);
  });

  it("compares a recorded key with the host's key of the same type", async () => {
    write({ "gpu-1": at(server.port, `    ssh_host_key: ${pinOf(ecdsa)}\n`) });
    expect((await trust("gpu-1", "--yes")).output).toBe(`gpu-1  unchanged    ${shown(ecdsa)}\n`);
  });

  it("does not replace a different key, and names both", async () => {
    const before = write({ "gpu-1": at(server.port, `    ssh_host_key: ${OTHER}\n`) });
    expect(await trust("gpu-1", "--yes")).toEqual({
      code: 1,
      output: [
        `gpu-1  changed      recorded ${shown({ public: OTHER })}`,
        `                    shown    ${shown(ed25519)}`,
        "                    if the host was rebuilt: fleet trust --replace gpu-1",
        "",
      ].join("\n"),
      errors: "",
    });
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  it("replaces it where the host is named", async () => {
    const before = write({ "gpu-1": at(server.port, `    ssh_host_key: ${OTHER}\n`) });
    expect(await trust("--replace", "gpu-1", "--yes")).toEqual({
      code: 0,
      output: [
        `gpu-1  replaced     recorded ${shown({ public: OTHER })}`,
        `                    shown    ${shown(ed25519)}`,
        `1 host key recorded in ${file}`,
        "",
      ].join("\n"),
      errors: "",
    });
    expect(readFileSync(file, "utf8")).toBe(before.replace(OTHER, pinOf(ed25519)));
  });

  it("records a batch as far as it gets, and says whom it did not reach", async () => {
    const silent = await startRaw("127.3.0.2", (socket) =>
      socket.end("Not allowed at this time\r\n"),
    );
    closers.push(() => silent.close());
    const before = write({
      off: at(server.port),
      "gpu-1": at(server.port),
      "gpu-2": at(silent.port, "", "127.3.0.2"),
    });
    const result = await trust("gpu-2", "gpu-1", "--yes");
    expect(result).toEqual({
      code: 1,
      output: [
        `gpu-1  new          ${shown(ed25519)}`,
        'gpu-2  not reached  closed the connection before its SSH banner, saying "Not allowed at this time"',
        `1 host key recorded in ${file}`,
        "",
      ].join("\n"),
      errors: "",
    });
    const line = `    ssh_host_key: ${pinOf(ed25519)}`;
    expect(addedLines(before, readFileSync(file, "utf8"))).toEqual([line]);
  });

  it("records nothing without --yes where nobody can be asked", async () => {
    const before = write({ "gpu-1": at(server.port) });
    expect(await trust("gpu-1")).toEqual({
      code: 1,
      output: `gpu-1  new          ${shown(ed25519)}\n`,
      errors: "fleet: nothing is recorded without --yes\n",
    });
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  it("prints JSON", async () => {
    write({ "gpu-1": at(server.port), "gpu-2": "" });
    const { code, output: json } = await trust("gpu-1", "gpu-2", "--json", "--yes");
    const [type, print] = shown(ed25519).split(" ");
    expect(code).toBe(1);
    expect(JSON.parse(json)).toEqual({
      file,
      recorded: 1,
      hosts: {
        "gpu-1": {
          outcome: "new",
          key: pinOf(ed25519),
          shown: { type, fingerprint: print },
          refused: null,
        },
        "gpu-2": { outcome: "not-reached", reason: "it has no ssh_host", refused: null },
      },
    });
  });

  it("scans a host behind a jump host only through a pinned one", async () => {
    const keyPath = join(directory, "id");
    writeFileSync(keyPath, operator.private, { mode: 0o600 });
    const bastion = await startServer({
      address: "127.3.0.3",
      hostKeys: [ecdsa],
      operator,
      forwards: true,
    });
    closers.push(() => bastion.close());
    const hosts = (pin: string) => ({
      bastion: `${at(bastion.port, pin, "127.3.0.3")}    ssh_key: ${keyPath}\n`,
      "gpu-1": at(server.port, "    ssh_jump: bastion\n"),
    });
    write(hosts(""));
    expect((await trust("gpu-1", "--yes")).output).toBe(
      "gpu-1  not reached  no ssh_host_key is pinned for its jump host bastion\n",
    );
    expect(bastion.attempts).toEqual([]);
    output = "";
    write(hosts(`    ssh_host_key: ${pinOf(ecdsa)}\n`));
    expect((await trust("gpu-1", "--yes")).output).toBe(
      `gpu-1  new          ${shown(ed25519)}\n1 host key recorded in ${file}\n`,
    );
    expect(server.attempts).toEqual([]);
  });

  it("writes through a symbolic link", async () => {
    write({ "gpu-1": at(server.port) });
    const link = join(directory, "link.yaml");
    symlinkSync(file, link);
    const before = process.exitCode;
    await trustCommand().parseAsync(["gpu-1", "--yes", "--file", link], { from: "user" });
    process.exitCode = before;
    expect(readFileSync(file, "utf8")).toContain(`    ssh_host_key: ${pinOf(ed25519)}\n`);
    expect(() => readFileSync(link, "utf8")).not.toThrow();
  });

  it.each([
    [["nobody"], '"nobody" is not a host of the file'],
    [[], "no host is named"],
    [["--all"], "the file has no host that is deployed"],
  ])("refuses wrong usage: %j", async (args, message) => {
    write({ "gpu-1": `${at(22)}    p2p_enabled: false\n` });
    await expect(trust(...args)).rejects.toThrow(message);
  });
});
