import { sha256 } from "../../payload/digest";
import {
  managerOf,
  releaseDigest,
  renderAbsent,
  renderActivate,
  renderPrepare,
  renderSecrets,
  type RenderOptions,
} from "../../payload/render";
import { expectGolden } from "./golden";
import { planOf } from "./plans";

const options: RenderOptions = { inventory: "hosts:\n  h4: {}\n", clusterToken: null };
const pretty = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

describe("renderPrepare", () => {
  it("says what restarts nothing", () => {
    expectGolden("prepare-systemd.json", pretty(renderPrepare(planOf(), options)));
  });

  it("only names the inventory, which all hosts share, and gives it to the daemon's user", () => {
    expect(renderPrepare(planOf(), options).files).toEqual([
      {
        path: "/home/ubuntu/ringrift/ai-service/config/distributed_hosts.yaml",
        mode: "0644",
        owner: "ubuntu",
        digest: sha256("hosts:\n  h4: {}\n"),
        staged: true,
      },
    ]);
  });

  it("manages no inventory when there is none to give", () => {
    expect(renderPrepare(planOf(), { ...options, inventory: null }).files).toEqual([]);
  });

  it("brings supervisord only where it is ours, and the SOCKS package only where there is a proxy", () => {
    const plan = planOf({ supervisor: "own", networking: "userspace" });
    const { required, wanted } = renderPrepare(plan, options).python;
    expect(required).toEqual({
      psutil: "psutil",
      yaml: "PyYAML",
      aiohttp: "aiohttp",
      pydantic: "pydantic",
      "supervisor.supervisord": "supervisor",
    });
    expect(wanted).toEqual({ aiohttp_socks: "aiohttp-socks" });
  });

  it("converges the checkout that holds the ai-service directory", () => {
    const source = { repository: "https://git.example/r.git", commit: "a".repeat(40) };
    expect(renderPrepare(planOf(), { ...options, source }).source).toEqual({
      repository: "https://git.example/r.git",
      commit: "a".repeat(40),
      path: "/home/ubuntu/ringrift",
      owner: "ubuntu",
    });
  });
});

describe("renderActivate", () => {
  it.each(["systemd", "supervisord", "own", "launchd"] as const)("renders for %s", (supervisor) => {
    expectGolden(
      `activate-${supervisor}.json`,
      pretty(renderActivate(planOf({ supervisor }), options)),
    );
  });

  it("gives the token, and asks for it, only once it is required", () => {
    const release = (required: boolean) =>
      renderActivate(planOf(), { ...options, clusterToken: { digest: "d1", required } }).release;
    expect(release(false)).toEqual(renderActivate(planOf(), options).release);
    expect(release(true).launch.argv.at(-1)).toBe("--require-auth");
    expect(release(true).launch.environment["RINGRIFT_CLUSTER_AUTH_TOKEN_FILE"]).toBe(
      "/etc/ringrift/cluster-token-d1",
    );
    expect(release(true).secrets).toEqual({ "/etc/ringrift/cluster-token-d1": "d1" });
  });

  it("leaves the peers' flag out when there are no peers, and empty elements always", () => {
    const argv = (peerAddresses: string[]) =>
      renderActivate(planOf({ peerAddresses }), options).release.launch.argv;
    expect(argv([])).not.toContain("--peers");
    expect(argv(["", "192.0.2.11:8770", ""])).toContain("192.0.2.11:8770");
  });

  it("names relays by the string that is among the peers", () => {
    const plan = planOf({ relay: true, relayAddresses: ["192.0.2.11:8770"] });
    const { argv } = renderActivate(plan, options).release.launch;
    expect(argv.slice(argv.indexOf("--relay-peers")).slice(0, 2)).toEqual([
      "--relay-peers",
      "192.0.2.11:8770",
    ]);
  });

  it.each([
    ["0.0.0.0", "127.0.0.1"],
    ["::", "::1"],
    ["127.0.0.1", "127.0.0.1"],
    ["192.0.2.14", "192.0.2.14"],
  ])("asks for the health of a daemon that listens on %s at %s", (listen, address) => {
    expect(renderActivate(planOf({ listen }), options).health.address).toBe(address);
  });

  it("keeps values of the inventory out of the unit's text", () => {
    const hostile = `x" $(id) %h\n[Service]\nExecStart=/bin/false`;
    const plan = planOf({
      name: hostile,
      aiServicePath: `/srv/${hostile}`,
      environment: { A: hostile },
    });
    const { release } = renderActivate(plan, options);
    expect(release.service).toBe(renderActivate(planOf(), options).release.service);
    expect(release.launch.environment["A"]).toBe(hostile);
  });

  it("refuses a user that is no login name, the one value a unit holds", () => {
    const connection = { ...planOf().connection, user: "root\nExecStart=/bin/false" };
    expect(() => renderActivate(planOf({ connection }), options)).toThrow(
      'user "root\\nExecStart=/bin/false" is not a login name',
    );
  });
});

describe("releaseDigest", () => {
  const digest = (changes: Parameters<typeof planOf>[0], more: Partial<RenderOptions> = {}) =>
    renderActivate(planOf(changes), { ...options, ...more }).digest;

  it("stays when only what restarts nothing changes", () => {
    expect(digest({}, { inventory: "hosts: {}\n", deadlineSeconds: 5, takeover: true })).toBe(
      digest({}),
    );
  });

  it("changes with a setting, a secret the daemon reads at its start, and the commit", () => {
    const token = (value: string) => ({ clusterToken: { digest: value, required: true } });
    const source = { repository: "https://git.example/r.git", commit: "b".repeat(40) };
    const digests = [
      digest({}),
      digest({ port: 8771 }),
      digest({}, token("d1")),
      digest({}, token("d2")),
      digest({}, { source }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  it("does not depend on the order in which an environment was built", () => {
    const { release } = renderActivate(planOf({ environment: { A: "1", B: "2" } }), options);
    const turned = renderActivate(planOf({ environment: { B: "2", A: "1" } }), options).release;
    expect(releaseDigest(release)).toBe(releaseDigest(turned));
  });
});

describe("managerOf", () => {
  it.each([
    ["systemd", null, "systemd"],
    ["systemd", "systemd", "systemd"],
    ["supervisord", "supervisord", "supervisord"],
    ["supervisord", "none", "own"],
    ["own", "supervisord", "own"],
    ["own", "none", "own"],
    ["own", "systemd", "systemd"],
    ["systemd", "supervisord", "supervisord"],
    ["launchd", "launchd", "launchd"],
  ] as const)("plan %s on a host run by %s: %s", (supervisor, init, expected) => {
    expect(managerOf(planOf({ supervisor }), { ...options, init })).toBe(expected);
  });
});

describe("renderSecrets and renderAbsent", () => {
  it("puts the content into the secret spec alone", () => {
    expect(renderSecrets(planOf(), { text: "the-token", digest: "d1" })).toEqual({
      node: "h4",
      files: [
        {
          path: "/etc/ringrift/cluster-token-d1",
          content: "the-token",
          digest: "d1",
          owner: "ubuntu",
        },
      ],
    });
  });

  it("wants nothing of a host that leaves", () => {
    expect(renderAbsent("h4")).toEqual({ state: "absent", node: "h4" });
  });
});
