import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { readConfig } from "../config";

function read(values: Record<string, string>) {
  const config = Object.entries(values).map(([key, value]) => [`p2p:${key}`, value]);
  pulumi.runtime.setAllConfig(Object.fromEntries(config) as Record<string, string>);
  return readConfig();
}

const policy = { maxUnreachable: "34%", maxFailed: 0 };

describe("readConfig", () => {
  afterEach(() => {
    delete process.env["P2P_LIMIT"];
    delete process.env["P2P_ALLOW_QUORUM_LOSS"];
  });

  it("has a default for everything, and takes the empty texts of Pulumi.yaml for none", () => {
    const defaults = {
      inventory: "distributed_hosts.yaml",
      controller: undefined,
      probe: true,
      probeParallel: 64,
      limit: [],
      maxParallel: 8,
      allowQuorumLoss: false,
      policy: { workers: policy, voters: policy },
      takeover: false,
      state: "present",
      source: null,
      packageIndex: { kind: "default" },
      aptMirror: null,
      inventoryCopy: "whole",
      healthSeconds: 120,
      voterReturnSeconds: 120,
      clusterToken: undefined,
      requireAuth: false,
      firewall: { allow: [], hosts: {} },
      mirror: null,
      cloudflare: null,
      cloudflareSecret: undefined,
      tailnet: null,
      tailnetAuthKey: undefined,
      paths: null,
      fleetSecret: undefined,
      joinAccess: undefined,
    };
    expect(read({})).toEqual(defaults);
    const empty = { controller: "", limit: "", packageIndex: "", aptMirror: "" };
    const objects = { policy: "{}", source: "{}", cloudflare: "{}", tailnet: "{}" };
    expect(read({ ...empty, ...objects, mirror: "" })).toEqual(defaults);
  });

  it("has every setting in README.md, and those that the engine checks in Pulumi.yaml", () => {
    const root = join(__dirname, "..");
    const readme = readFileSync(join(root, "README.md"), "utf8");
    const project = readFileSync(join(root, "Pulumi.yaml"), "utf8");
    const settings = Object.keys(read({}));
    expect(settings.filter((key) => !readme.includes(`\n| \`${key}\``))).toEqual([]);
    // Secrets have no default, and no type but text.
    const secrets = /^(clusterToken|cloudflareSecret|fleetSecret|joinAccess|tailnetAuthKey)$/;
    expect(settings.filter((key) => !project.includes(`\n  ${key}:\n`))).toEqual(
      settings.filter((key) => secrets.test(key)),
    );
  });

  it("reads lists, shares and places", () => {
    const commit = "0123456789abcdef0123456789abcdef01234567";
    expect(
      read({
        limit: "vast-*, h1",
        policy: '{"maxUnreachable":2,"voters":{"maxFailed":"10%"}}',
        source: JSON.stringify({ repository: "https://git.example/r.git", commit }),
        packageIndex: "/srv/wheels",
        probe: "off",
      }),
    ).toMatchObject({
      limit: ["vast-*", "h1"],
      policy: {
        workers: { maxUnreachable: 2, maxFailed: 0 },
        voters: { maxUnreachable: 2, maxFailed: "10%" },
      },
      source: { repository: "https://git.example/r.git", commit },
      packageIndex: { kind: "wheelhouse", path: "/srv/wheels" },
      probe: false,
    });
  });

  it("lets the environment set what is meant for one run", () => {
    process.env["P2P_LIMIT"] = "d1";
    process.env["P2P_ALLOW_QUORUM_LOSS"] = "true";
    expect(read({ limit: "h1" })).toMatchObject({ limit: ["d1"], allowQuorumLoss: true });
  });

  it("names what is no setting, and what was probably meant", () => {
    expect(() =>
      read({
        polcy: "{}",
        requireAuht: "true",
        colour: "red",
        policy: '{"maxFailde":1,"workers":{"maxFaild":1},"voters":[]}',
        source: '{"repo":"https://git.example/r.git"}',
      }),
    ).toThrow(
      [
        'p2p:policy: expected only maxUnreachable, maxFailed, workers, voters (did you mean "maxFailed"?), got "maxFailde"',
        'p2p:policy.workers: expected only maxUnreachable, maxFailed (did you mean "maxFailed"?), got "maxFaild"',
        "p2p:policy.voters: expected a mapping, got []",
        'p2p:source: expected only repository, commit, got "repo"',
        "p2p:source.repository: expected the address of a repository, got undefined",
        "p2p:source.commit: expected a full commit id (40 hexadecimal digits), got undefined",
        'p2p:polcy: there is no such setting (did you mean "policy"?)',
        'p2p:requireAuht: there is no such setting (did you mean "requireAuth"?)',
        "p2p:colour: there is no such setting",
      ].join("\n"),
    );
  });

  it("leaves other programs' settings alone", () => {
    pulumi.runtime.setAllConfig({ "tailscale:apiKey": "k", "p2p:state": "absent" });
    expect(readConfig()).toMatchObject({ state: "absent" });
  });

  it("warns of a secret that was set in clear", () => {
    const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue();
    try {
      process.env["PULUMI_CONFIG_SECRET_KEYS"] = '["p2p:fleetSecret"]';
      read({ clusterToken: "a".repeat(32), fleetSecret: "b".repeat(32) });
      expect(warn.mock.calls).toEqual([
        [
          "p2p:clusterToken: stands in clear in the stack's settings; take another one, and pulumi config set --secret p2p:clusterToken",
        ],
      ]);
    } finally {
      delete process.env["PULUMI_CONFIG_SECRET_KEYS"];
      warn.mockRestore();
    }
  });

  it("tells every mistake in one message", () => {
    expect(() =>
      read({
        probe: "perhaps",
        maxParallel: "0",
        state: "gone",
        policy: '{"maxFailed":"lots","other":1}',
        source: '{"repository":"-x","commit":"main"}',
        packageIndex: "ftp://x",
        limit: "[h1",
        aptMirror: "debian",
        mirror: "ftp://x",
        requireAuth: "true",
      }),
    ).toThrow(
      [
        'p2p:probe: expected true or false, got "perhaps"',
        'p2p:limit: expected host patterns, got "[h1"',
        'p2p:maxParallel: expected an integer from 1 to 512, got "0"',
        'p2p:policy: expected only maxUnreachable, maxFailed, workers, voters, got "other"',
        'p2p:policy.maxFailed: expected a count or a share such as 25%, got "lots"',
        'p2p:state: expected one of present, absent, got "gone"',
        'p2p:source.repository: expected the address of a repository, got "-x"',
        'p2p:source.commit: expected a full commit id (40 hexadecimal digits), got "main"',
        'p2p:packageIndex: expected the URL of a package index, or an absolute path on the hosts, got "ftp://x"',
        'p2p:aptMirror: expected the base URL of a Debian mirror, got "debian"',
        'p2p:mirror: expected the base URL of a mirror, got "ftp://x"',
        "p2p:requireAuth: needs p2p:clusterToken, or the daemons would not start",
      ].join("\n"),
    );
  });
});
