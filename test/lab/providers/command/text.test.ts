import { globToRegExp } from "../../../../lab/providers/command/assets";
import { checkFields } from "../../../../lab/providers/command/fields";
import { dialError, quote } from "../../../../lab/providers/command/goText";
import { algorithmsFor, parseHostKey } from "../../../../lab/providers/command/hostKey";
import { remoteCommandFields } from "../../../../lab/providers/command/inputs";
import { LineSplitter } from "../../../../lab/providers/command/lines";
import { UNKNOWN } from "../../../../lab/wire";
import { newKey } from "./sshServer";

describe("quote", () => {
  // From Go's strconv.Quote.
  it.each([
    ["", '""'],
    ['a "b" \\c', '"a \\"b\\" \\\\c"'],
    ["\x07\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
    ["\x1b[0m\x7f\x00", '"\\x1b[0m\\x7f\\x00"'],
    ["é 日本 🙂", '"é 日本 🙂"'],
    ["\u00a0\u200b\u2028", '"\\u00a0\\u200b\\u2028"'],
  ])("%j", (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });
});

describe("dialError", () => {
  it.each([
    ["192.0.2.1:22", "ECONNREFUSED", "dial tcp 192.0.2.1:22: connect: connection refused"],
    ["[2001:db8::1]:22", "EHOSTUNREACH", "dial tcp [2001:db8::1]:22: connect: no route to host"],
    ["host.example:22", "ENOTFOUND", "dial tcp: lookup host.example: no such host"],
    ["192.0.2.1:22", "EWHATEVER", "dial tcp 192.0.2.1:22: what happened"],
  ])("%s %s", (address, code, text) => {
    const error = Object.assign(new Error("what happened"), { code });
    expect(dialError(address, error).message).toBe(text);
  });
});

describe("LineSplitter", () => {
  it.each([
    [["a\nb\n"], ["a", "b"]],
    [
      ["a", "b\nc"],
      ["ab", "c"],
    ],
    [["\n\r\nx\r\n"], ["", "", "x"]],
    [[""], []],
    [["10%\r20%\r\n"], ["10%\r20%"]],
  ])("%j", (writes, expected) => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (const text of writes) splitter.write(text);
    splitter.end();
    expect(lines).toEqual(expected);
  });

  it("keeps 64 KiB of a line", () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    for (let i = 0; i < 100; i++) splitter.write("x".repeat(1000));
    splitter.write("\nshort");
    splitter.end();
    expect(lines.map((line) => line.length)).toEqual([65_536, 5]);
  });
});

describe("parseHostKey", () => {
  it("finds the key among options and comment", () => {
    const { public: line } = newKey();
    const plain = parseHostKey(line);
    expect(parseHostKey(`restrict,command="x" ${line} me@example\n`)).toEqual(plain);
    expect(algorithmsFor(plain)).toEqual(["ssh-ed25519"]);
  });

  it("asks an RSA host for today's signatures", () => {
    const key = parseHostKey(newKey("rsa").public);
    expect(algorithmsFor(key)).toEqual(["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]);
  });

  it.each(["", "nonsense", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAA"])(
    "refuses %j",
    (text) => {
      expect(() => parseHostKey(text)).toThrow("failed to parse host key: ssh: no key found");
    },
  );
});

describe("globToRegExp", () => {
  it.each([
    ["*.txt", "a.txt", true],
    ["*.txt", "a/b.txt", false],
    ["**", "a/b/c", true],
    ["src/**.js", "src/a/b.js", true],
    ["a?c", "abc", true],
    ["a?c", "a/c", false],
    ["{a,b}.[!x]", "b.y", true],
    ["{a,b}.[!x]", "b.x", false],
    ["a+b(1).txt", "a+b(1).txt", true],
  ])("%s and %s: %s", (glob, path, matches) => {
    expect(globToRegExp(glob).test(path)).toBe(matches);
  });
});

describe("checkFields", () => {
  it("names fields and types, never a value", () => {
    const connection = { host: "h", port: "planted-1", nodeId: "planted-2", proxy: { user: 1 } };
    const inputs = {
      connection,
      create: 1,
      environment: ["planted-3"],
      logging: "planted-4",
      foo: 1,
    };
    expect(checkFields(remoteCommandFields, inputs).failures).toEqual([
      { property: "connection.port", reason: "must be a number, got a string" },
      {
        property: "connection.nodeId",
        reason: "Unrecognized field 'nodeId' on 'remote.Connection'",
      },
      { property: "connection.proxy.user", reason: "must be a string, got a number" },
      {
        property: "connection.proxy.host",
        reason: "Missing required field 'host' on 'remote.ProxyConnection'",
      },
      { property: "create", reason: "must be a string, got a number" },
      { property: "environment", reason: "must be a map of strings, got a list" },
      { property: "logging", reason: "must be one of stdout, stderr, stdoutAndStderr, none" },
      { property: "foo", reason: "Unrecognized field 'foo' on 'remote.CommandInputs'" },
    ]);
  });

  it("takes unknowns anywhere and fills in defaults", () => {
    const given = { connection: { host: UNKNOWN }, create: UNKNOWN, environment: { A: UNKNOWN } };
    expect(checkFields(remoteCommandFields, given)).toEqual({
      checked: {
        ...given,
        connection: {
          host: UNKNOWN,
          port: 22,
          user: "root",
          dialErrorLimit: 10,
          perDialTimeout: 15,
        },
      },
      failures: [],
    });
  });
});
