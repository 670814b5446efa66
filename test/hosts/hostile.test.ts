/** Hostile input is a finding or plain data, and never reaches a terminal raw. */

import { execFileSync } from "node:child_process";
import { loadInventory } from "../../hosts/inventory";
import { renderNodeConf } from "../../hosts/plan/nodeConf";
import { HOST_SCHEMA } from "../../hosts/schema";
import { HOSTILE } from "./support/arbitrary";
import { faultsOf } from "./support/check";

const BASE = {
  ssh_host: "192.0.2.1",
  p2p_enabled: "true",
  ringrift_path: "/opt/ringrift/ai-service",
};

/** YAML 1.2 is a superset of JSON, and JSON writes every text. */
const withHost = (name: string, body: Record<string, unknown>): string =>
  `hosts:\n  ? ${JSON.stringify(name)}\n  : ${JSON.stringify(body)}\n`;

describe("hostile texts", () => {
  it.each(Object.keys(HOST_SCHEMA))("in %s are findings or plain data", (key) => {
    for (const text of HOSTILE) {
      const file = withHost("gpu-1", { ...BASE, [key]: text });
      const result = loadInventory(file, "hosts.yaml");
      expect(faultsOf(file, result)).toEqual([]);
      const host = result.plan?.hosts.get("gpu-1");
      const about = result.findings.filter(({ path }) => path === `hosts.gpu-1.${key}`);
      // Refused with a finding at the key, or deployed or skipped with the text as data.
      if (host?.action === "refused")
        expect(about.map(({ severity }) => severity)).toContain("error");
    }
  });

  it.each(HOSTILE)("as a host's name refuse it: %j", (name) => {
    const file = withHost(name, BASE);
    const result = loadInventory(file, "hosts.yaml");
    expect(faultsOf(file, result)).toEqual([]);
    expect(result.plan?.hosts.get(name)?.action).toBe("refused");
    expect(result.findings.map(({ code }) => code)).toContain("host-name");
  });

  it.each(HOSTILE)("as a voter, a reference and unknown keys are findings: %j", (text) => {
    const json = JSON.stringify(text);
    const file = `p2p_voters: [${json}]\nsync_routing: {priority_hosts: [${json}]}\n? ${json}\n: 1\n${withHost("gpu-1", { ...BASE, [text]: 1 })}`;
    const result = loadInventory(file, "hosts.yaml");
    expect(faultsOf(file, result)).toEqual([]);
    expect(result.plan?.hosts.get("gpu-1")?.action).toBe("deploy");
  });

  it("reach no shell through node.conf", () => {
    const values = Object.fromEntries(
      HOSTILE.filter((text) => !/[\0\n\r\ud800]/.test(text)).map((text, i) => [`V${i}`, text]),
    );
    const script = `${renderNodeConf(values)}printf '%s\\n' ${Object.keys(values)
      .map((name) => `"$${name}"`)
      .join(" ")}`;
    const shown = execFileSync("sh", ["-c", script], { encoding: "utf8" });
    expect(shown).toBe(`${Object.values(values).join("\n")}\n`);
  });

  it.each(["a\nb", "a\rb", "a\0b"])("with a line break are no node.conf: %j", (text) => {
    expect(() => renderNodeConf({ A: text })).toThrow(
      new RangeError("the value of A has a line break"),
    );
  });
});

describe("names that JavaScript knows", () => {
  it.each(["constructor", "toString", "hasOwnProperty", "valueOf"])("%s is a host", (name) => {
    const plan = loadInventory(withHost(name, BASE), "hosts.yaml").plan;
    expect([...(plan?.hosts.values() ?? [])].map((host) => [host.name, host.action])).toEqual([
      [name, "deploy"],
    ]);
  });

  it("__proto__ is refused as a host, and harmless as a key", () => {
    const text = `hosts:\n  __proto__: {ssh_host: 192.0.2.1, p2p_enabled: true}\n  gpu-1:\n    __proto__: {p2p_enabled: true}\n    constructor: x\n    ssh_host: 192.0.2.2\n`;
    const { plan, findings } = loadInventory(text, "hosts.yaml");
    expect([...(plan?.hosts.values() ?? [])].map((host) => [host.name, host.action])).toEqual([
      ["__proto__", "refused"],
      ["gpu-1", "skip"],
    ]);
    expect(findings.filter(({ code }) => code === "unknown-key").map(({ path }) => path)).toEqual([
      "hosts.gpu-1.__proto__",
      "hosts.gpu-1.constructor",
    ]);
    expect(Object.prototype).not.toHaveProperty("p2p_enabled");
  });

  it("__proto__ merges as a key like any other", () => {
    const text = `base: &b {__proto__: {p2p_enabled: true}}\nhosts:\n  gpu-1:\n    <<: *b\n    ssh_host: 192.0.2.2\n`;
    const { plan } = loadInventory(text, "hosts.yaml");
    expect(plan?.hosts.get("gpu-1")).toMatchObject({
      action: "skip",
      reason: "p2p_enabled is not set",
    });
  });
});

describe("words for what the parser stumbles over", () => {
  const messagesOf = (text: string) =>
    loadInventory(text, "hosts.yaml").findings.map(({ line, message }) => [line, message]);

  it("names a second document", () => {
    expect(messagesOf("hosts: {}\n---\nhosts: {}\n")).toEqual([
      [2, "a second document begins here (---); an inventory is one"],
    ]);
  });

  it("says once what is wrong at one place", () => {
    expect(messagesOf('hosts: {a: {ssh_host: "192.0.2.1\n')).toEqual([
      [2, "Flow map in block collection must be sufficiently indented and end with a }"],
      [2, 'Missing closing "quote'],
    ]);
  });
});

describe("sizes", () => {
  it("keeps a note of a million characters out of the finding's text", () => {
    const text = `hosts:\n  gpu-1:\n    ssh_host: 192.0.2.1\n    note: "${"x".repeat(990_000)}"\n`;
    const { findings } = loadInventory(text, "hosts.yaml");
    const note = findings.filter(({ path }) => path === "hosts.gpu-1.note");
    expect(note.map(({ code, message }) => [code, message])).toEqual([
      ["invalid-value", "expected a text of at most 65536 characters, got 990000 characters"],
    ]);
  });

  it("keeps a name of a million characters out of the finding's text", () => {
    const text = `hosts:\n  ? "${"x".repeat(990_000)}"\n  : {}\n`;
    const { findings } = loadInventory(text, "hosts.yaml");
    for (const { path, message, hint } of findings)
      expect(`${path}${message}${hint}`.length).toBeLessThan(500);
  });

  it("does not parse 5 MB", () => {
    // Unparsable text: a parser would find more to say.
    const { findings, plan } = loadInventory("[".repeat(5_000_000), "hosts.yaml");
    expect(plan).toBeUndefined();
    expect(findings.map(({ code, message }) => [code, message])).toEqual([
      ["file-too-large", "the file has more than 1000000 bytes"],
    ]);
  });
});
