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

  it("tells every mistake in one message", () => {
    expect(() =>
      read({
        probe: "perhaps",
        maxParallel: "0",
        state: "gone",
        policy: '{"maxFailed":"lots","other":1}',
        source: '{"repository":"-x","commit":"main"}',
        packageIndex: "ftp://x",
        requireAuth: "true",
      }),
    ).toThrow(
      [
        'p2p:probe: expected true or false, got "perhaps"',
        'p2p:maxParallel: expected an integer from 1 to 512, got "0"',
        'p2p:policy: expected only maxUnreachable, maxFailed, workers, voters, got "other"',
        'p2p:policy.maxFailed: expected a count or a share such as 25%, got "lots"',
        'p2p:state: expected one of present, absent, got "gone"',
        'p2p:source.repository: expected the address of a repository, got "-x"',
        'p2p:source.commit: expected a full commit id (40 hexadecimal digits), got "main"',
        'p2p:packageIndex: expected the URL of a package index, or an absolute path on the hosts, got "ftp://x"',
        "p2p:requireAuth: needs p2p:clusterToken, or the daemons would not start",
      ].join("\n"),
    );
  });
});
