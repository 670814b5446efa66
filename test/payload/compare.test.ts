import {
  compareActivate,
  comparePrepare,
  compareSecrets,
  factsRequest,
} from "../../payload/compare";
import { packAgent } from "../../payload/agent";
import { canonicalJson } from "../../payload/digest";
import { type Facts } from "../../payload/facts";
import { renderAbsent, renderActivate, renderPrepare, renderSecrets } from "../../payload/render";
import { factsInOrder } from "./facts";
import { planOf } from "./plans";

const options = { inventory: "hosts:\n  h4: {}\n", clusterToken: null };
const prepare = renderPrepare(planOf(), options);
const activate = renderActivate(planOf(), options);
const inOrder = (changes: Partial<Facts> = {}): Facts => factsInOrder(prepare, activate, changes);
const serviceIs = (changes: Partial<NonNullable<Facts["service"]>>): Facts => {
  const { service } = inOrder();
  return inOrder({ service: service && { ...service, ...changes } });
};

describe("comparePrepare", () => {
  const inventory = "/home/ubuntu/ringrift/ai-service/config/distributed_hosts.yaml";

  it("finds nothing on a host that is in order, whatever agent it has", () => {
    expect(comparePrepare(prepare, inOrder({ installedAgent: null }))).toEqual([]);
  });

  it.each<[string, Facts, unknown]>([
    [
      "a missing module",
      inOrder({ missing: { psutil: "ModuleNotFoundError: No module named 'psutil'" } }),
      [
        {
          what: "import psutil",
          want: "works",
          is: "ModuleNotFoundError: No module named 'psutil'",
        },
      ],
    ],
    [
      "another interpreter",
      inOrder({ runner: "/usr/bin/python3" }),
      [{ what: "interpreter", want: "/opt/ringrift-p2p/venv/bin/python", is: "/usr/bin/python3" }],
    ],
    [
      "no Python at all",
      inOrder({ python: null }),
      [{ what: "python3", want: "installed", is: "missing" }],
    ],
    [
      "an absent file",
      inOrder({ files: {} }),
      [{ what: inventory, want: "present", is: "absent" }],
    ],
  ])("names %s", (_name, facts, drift) => {
    expect(comparePrepare(prepare, facts)).toEqual(drift);
  });

  it("does not call an optional package drift, or it would be tried for ever", () => {
    const plan = renderPrepare(planOf({ networking: "userspace" }), options);
    expect(comparePrepare(plan, inOrder({ missing: { aiohttp_socks: "no" } }))).toEqual([]);
  });

  it("shows somebody's hand edit, and a changed mode beside it", () => {
    const file = { kind: "file" as const, digest: "ff".repeat(32), mode: "0600", owner: "ubuntu" };
    const told = { madeFrom: "aa".repeat(32), edits: "-  h9: {}\n+  h4: {}" };
    const facts = inOrder({ files: { [inventory]: { ...file, ...told } } });
    expect(comparePrepare(prepare, facts)).toEqual([
      {
        what: inventory,
        want: prepare.files[0]?.digest.slice(0, 12),
        is: "edited: ffffffffffff",
        detail: "-  h9: {}\n+  h4: {}",
      },
      { what: `${inventory} mode`, want: "0644 ubuntu", is: "0600 ubuntu" },
    ]);
  });

  it("does not call a copy edited that is only older", () => {
    const digest = "ff".repeat(32);
    const file = { kind: "file" as const, digest, mode: "0644", owner: "ubuntu" };
    expect(
      comparePrepare(prepare, inOrder({ files: { [inventory]: { ...file, madeFrom: digest } } })),
    ).toEqual([
      { what: inventory, want: prepare.files[0]?.digest.slice(0, 12), is: "older: ffffffffffff" },
    ]);
  });

  it("lists the commit, and says that local changes are kept", () => {
    const source = { repository: "https://git.example/r.git", commit: "a".repeat(40) };
    const spec = renderPrepare(planOf(), { ...options, source });
    const found = (dirty: boolean) => inOrder({ source: { commit: "b".repeat(40), dirty } });
    const item = { what: "source", want: "a".repeat(40), is: "b".repeat(40) };
    expect(comparePrepare(spec, found(false))).toEqual([item]);
    expect(comparePrepare(spec, found(true))).toEqual([
      { ...item, detail: "has local changes, which are kept" },
    ]);
    expect(comparePrepare(prepare, found(true))).toEqual([]);
  });
});

describe("compareActivate", () => {
  it("finds nothing on a host that is in order", () => {
    expect(compareActivate(activate, inOrder())).toEqual([]);
  });

  it("tells the edited service file from the service that does not run", () => {
    const { files } = inOrder();
    const edited = { kind: "file" as const, digest: "ee".repeat(32), mode: "0644", owner: "root" };
    const text = `${activate.release.service}# by hand\n`;
    expect(
      compareActivate(activate, inOrder({ files: { ...files, service: { ...edited, text } } })),
    ).toEqual([
      {
        what: "service file",
        want: expect.stringMatching(/^[0-9a-f]{12}$/),
        is: "edited: eeeeeeeeeeee",
        detail: "-# by hand",
      },
    ]);
  });

  it("takes `healthy: false` for busy, not for down", () => {
    const { health } = inOrder();
    expect(
      compareActivate(activate, inOrder({ health: health && { ...health, healthy: false } })),
    ).toEqual([]);
  });

  it.each<[string, Facts, unknown]>([
    [
      "another release",
      inOrder({
        release: { ...inOrder().release, current: "aa", good: "aa", kept: ["aa"] },
      }),
      [{ what: "release", want: activate.digest, is: "aa" }],
    ],
    [
      "a release whose files were changed",
      inOrder({
        release: { ...inOrder().release, good: null, kept: [], intact: false },
      }),
      [{ what: "release", want: activate.digest, is: "its files were changed" }],
    ],
    [
      "what was changed in them",
      inOrder({
        release: {
          ...inOrder().release,
          ...{ intact: false, text: canonicalJson({ ...activate.release, user: "eve" }) },
          altered: [
            { what: "/run mode", want: "0755 root", is: "0644 root" },
            { what: "/run", want: "as written", is: "edited", detail: "-# by hand" },
          ],
        },
      }),
      [
        {
          what: "release",
          want: activate.digest,
          is: "its files were changed",
          detail: expect.stringMatching(
            /^\/run mode: 0644 root\n-# by hand\n-\{.*"user":"eve"\}\n\+\{\n/,
          ),
        },
      ],
    ],
    [
      "a process that was started from another release",
      inOrder({ release: { ...inOrder().release, runs: false } }),
      [{ what: "process", want: activate.digest, is: "started from another release" }],
    ],
    [
      "a drop-in, once, though systemd has not read it either",
      serviceIs({
        alterations: [{ what: "/x.conf", want: "absent", is: "overrides the unit", detail: "-a" }],
        stale: true,
      }),
      [{ what: "/x.conf", want: "absent", is: "overrides the unit", detail: "-a" }],
    ],
    [
      "a unit that systemd has not read again",
      serviceIs({ stale: true }),
      [{ what: "service file", want: "read", is: "changed since systemd has read it" }],
    ],
    [
      "a crash with its last error",
      {
        ...serviceIs({ state: "failed", detail: "failed (failed)" }),
        lastError: "ModuleNotFoundError: No module named 'psutil'",
      },
      [
        {
          what: "service",
          want: "running",
          is: "failed: ModuleNotFoundError: No module named 'psutil'",
        },
      ],
    ],
    [
      "no service",
      inOrder({ service: null }),
      [{ what: "service", want: "running", is: "absent" }],
    ],
    [
      "a service that is not enabled",
      serviceIs({ enabled: false }),
      [
        {
          what: "start at boot",
          want: "enabled",
          is: "not enabled in /etc/systemd/system/ringrift-p2p-node.service",
        },
      ],
    ],
    [
      "a port that somebody else holds",
      inOrder({ port: [{ pid: 9, ours: false, name: "old.service, pid 9 (python3 p2p.py)" }] }),
      [{ what: "port", want: "ours", is: "blocked by old.service, pid 9 (python3 p2p.py)" }],
    ],
    [
      "a daemon that does not answer",
      inOrder({ health: null }),
      [{ what: "/health", want: "200", is: "status 0" }],
    ],
  ])("names %s", (_name, facts, drift) => {
    expect(compareActivate(activate, facts)).toEqual(drift);
  });

  it("names a daemon that is another node", () => {
    const { health, status } = inOrder();
    expect(
      compareActivate(activate, inOrder({ health: health && { ...health, nodeId: "h9" } })),
    ).toEqual([{ what: "/health node_id", want: "h4", is: "h9" }]);
    expect(
      compareActivate(activate, inOrder({ status: status && { ...status, nodeId: "h9" } })),
    ).toEqual([{ what: "/status node_id", want: "h4", is: "h9" }]);
  });

  it("does not call it drift when there is no place to start from at boot: nothing could mend it", () => {
    expect(compareActivate(activate, serviceIs({ enabled: false, boot: null }))).toEqual([]);
  });

  it("wants old managers disabled only with takeover", () => {
    const facts = inOrder({
      competitors: [{ kind: "unit", id: "ringrift-p2p.service", detail: "" }],
    });
    expect(compareActivate(activate, facts)).toEqual([]);
    expect(compareActivate({ ...activate, takeover: true }, facts)).toEqual([
      { what: "unit ringrift-p2p.service", want: "disabled", is: "competes for the daemon" },
    ]);
  });
});

describe("compareSecrets", () => {
  const spec = renderSecrets(planOf(), { text: "the-token", digest: "d2" });
  const path = "/etc/ringrift/cluster-token-d2";
  const found = (digest: string | null, mode = "0600") =>
    inOrder({ secrets: { [path]: { digest, mode, owner: "ubuntu" } } });

  it.each<[string, Facts, unknown]>([
    ["nothing when in order", found("d2"), []],
    ["an absent file", inOrder(), [{ what: path, want: "present", is: "absent" }]],
    ["an older one", found("d1"), [{ what: path, want: "current", is: "older" }]],
    ["an edited one", found(null), [{ what: path, want: "current", is: "edited" }]],
    [
      "a wider mode",
      found("d2", "0644"),
      [{ what: `${path} mode`, want: "0600 ubuntu", is: "0644 ubuntu" }],
    ],
  ])("finds %s", (_name, facts, drift) => {
    expect(compareSecrets(spec, facts)).toEqual(drift);
  });

  it("finds one that is no longer given to the host", () => {
    const fact = { digest: "d2", mode: "0600", owner: "ubuntu" };
    const facts = inOrder({ secrets: { [path]: fact, "/etc/ringrift/entry-token": fact } });
    expect(compareSecrets(spec, facts)).toEqual([
      { what: "/etc/ringrift/entry-token", want: "absent", is: "present" },
    ]);
  });

  it("leaves the token that the host's release goes on requiring, and none of before", () => {
    const fact = { digest: "d2", mode: "0600", owner: "ubuntu" };
    const facts = inOrder({ secrets: { [path]: fact, "/etc/ringrift/cluster-token-d1": fact } });
    const leftover = { what: "/etc/ringrift/cluster-token-d1", want: "absent", is: "present" };
    expect(compareSecrets(spec, facts, "d1")).toEqual([]);
    expect(compareSecrets(spec, facts, "d2")).toEqual([leftover]);
    expect(compareSecrets(spec, facts, null)).toEqual([leftover]);
  });
});

describe("host keys of a container", () => {
  const folder = "/workspace/.ringrift-p2p";

  it("are drift only where they would not come back", () => {
    const drift = (hostKeys: Facts["hostKeys"]) => comparePrepare(prepare, inOrder({ hostKeys }));
    expect(drift(null)).toEqual([]);
    expect(drift({ folder, fault: null })).toEqual([]);
    expect(drift({ folder, fault: "not kept" })).toEqual([
      { what: "ssh host keys", want: `kept in ${folder}`, is: "not kept" },
    ]);
  });
});

describe("a host that leaves", () => {
  const absent = renderAbsent("h4");

  it("needs work as long as anything of ours is there", () => {
    const item = { what: "/opt/ringrift-p2p", want: "absent", is: "present" };
    expect(comparePrepare(absent, inOrder())).toEqual([item]);
    expect(compareActivate(absent, inOrder())).toEqual([item]);
    expect(compareActivate(absent, inOrder({ traces: [] }))).toEqual([]);
  });

  it("is asked for traces only", () => {
    expect(factsRequest(absent, absent, null)).toEqual({
      node: "h4",
      agent: packAgent().digest,
      aiServicePath: null,
      interpreter: "python3",
      imports: [],
      user: "root",
      files: [],
      service: null,
      secrets: [],
      manager: null,
      startScript: null,
      release: null,
      address: "127.0.0.1",
      port: 8770,
      source: null,
      tools: [],
      services: [],
      firewall: null,
    });
  });
});
