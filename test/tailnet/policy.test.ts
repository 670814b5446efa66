import { failingTests as run } from "../../tailnet/evaluate";
import { mergePolicy, type PolicyPart } from "../../tailnet/mergePolicy";
import { policyPart } from "../../tailnet/policy";
import { fleetOf, OPTIONS } from "./plan";

const failingTests = (text: string, part: Pick<PolicyPart, "tests">) =>
  run(
    text,
    part.tests.map(({ value }) => value),
    "x",
  );

const FLEET = fleetOf({
  h1: { provider: "hetzner", voter: true },
  v1: { provider: "vast" },
});

describe("policyPart", () => {
  it("names owners, one grant for the daemons' port, and tests that say the same", () => {
    const part = policyPart(FLEET, OPTIONS);
    const tags = ["tag:hetzner-nodes", "tag:p2p-voters", "tag:vast-nodes"];
    const deny = ["tag:hetzner-nodes:22", "tag:p2p-voters:22", "tag:vast-nodes:22"];
    const values = (list: readonly { value: unknown }[]) => list.map(({ value }) => value);
    expect(part.tagOwners).toEqual(
      Object.fromEntries([...tags, "tag:p2p-outside"].map((tag) => [tag, ["autogroup:admin"]])),
    );
    expect(values(part.grants)).toEqual([{ src: tags, dst: tags, ip: ["tcp:8770"] }]);
    expect(part.ssh).toEqual([]);
    expect(values(part.tests)).toEqual([
      ...tags.map((src) => ({ src, proto: "tcp", accept: ["tag:p2p-voters:8770"], deny })),
      {
        src: "tag:p2p-outside",
        proto: "tcp",
        deny: [
          "tag:hetzner-nodes:22",
          "tag:hetzner-nodes:8770",
          "tag:p2p-voters:22",
          "tag:p2p-voters:8770",
          "tag:vast-nodes:22",
          "tag:vast-nodes:8770",
        ],
      },
    ]);
    expect(values(part.sshTests)).toEqual(tags.map((src) => ({ src, dst: tags, deny: ["root"] })));
  });

  it("opens a port only on the tags whose hosts use it, and the forwarder's on all", () => {
    const fleet = fleetOf({
      a: { provider: "aws", port: 8780, networkPort: 8780 },
      v1: { provider: "vast", voter: true },
    });
    const part = policyPart(fleet, { ...OPTIONS, morePorts: [8769] });
    const src = ["tag:aws-nodes", "tag:p2p-voters", "tag:vast-nodes"];
    expect(part.grants.map(({ value }) => value)).toEqual([
      { src, dst: src, ip: ["tcp:8769"] },
      { src, dst: ["tag:p2p-voters", "tag:vast-nodes"], ip: ["tcp:8770"] },
      { src, dst: ["tag:aws-nodes"], ip: ["tcp:8780"] },
    ]);
    expect(failingTests(mergePolicy("{}", part, "x"), part)).toEqual([]);
  });

  it("lets the named people log in, and nobody else", () => {
    const part = policyPart(FLEET, { ...OPTIONS, sshFrom: ["group:ops"] });
    const dst = ["tag:hetzner-nodes", "tag:p2p-voters", "tag:vast-nodes"];
    expect(part.grants.at(-1)?.value).toEqual({ src: ["group:ops"], dst, ip: ["tcp:22"] });
    expect(part.ssh.map(({ value }) => value)).toEqual([
      { action: "accept", src: ["group:ops"], dst, users: ["root"] },
    ]);
    expect(failingTests(mergePolicy("{}", part, "x"), part)).toEqual([]);
  });

  it("owns its tags even without hosts, and grants nothing then", () => {
    const part = policyPart(fleetOf({}), OPTIONS);
    expect(part).toEqual({
      tagOwners: { "tag:p2p-outside": ["autogroup:admin"] },
      grants: [],
      ssh: [],
      tests: [],
      sshTests: [],
    });
  });
});

describe("failingTests", () => {
  const part = policyPart(FLEET, OPTIONS);
  const breaches = (policy: object) =>
    failingTests(mergePolicy(JSON.stringify(policy), part, "x"), part).map(
      ({ what, rule }) => `${what} by ${rule}`,
    );

  it.each([
    [{ grants: [{ src: ["*"], dst: ["*"], ip: ["*"] }] }, "grants[0] (line 1)"],
    [{ acls: [{ action: "accept", src: ["*"], dst: ["*:*"] }] }, "acls[0] (line 1)"],
    [{ acls: [{ action: "accept", users: ["*"], ports: ["*:1-65535"] }] }, "acls[0] (line 1)"],
    [{ ACLs: [{ Action: "accept", Users: ["*"], Ports: ["*:*"] }] }, "acls[0] (line 1)"],
    [{ acls: [{ action: "accept", src: ["*"], dst: ["*:*"], proto: "6" }] }, "acls[0] (line 1)"],
    [{ grants: [{ src: ["*"], dst: ["*"], ip: ["TCP:*"] }] }, "grants[0] (line 1)"],
    [{ grants: [{ src: ["100.64.0.0/10"], dst: ["::/0"], ip: ["*"] }] }, "grants[0] (line 1)"],
    [
      { hosts: { all: "0.0.0.0/0" }, acls: [{ action: "accept", src: ["all"], dst: ["all:*"] }] },
      "acls[0] (line 1)",
    ],
    [
      {
        ipsets: { "ipset:all": ["add host:all"] },
        hosts: { all: "100.64.0.0/10" },
        grants: [{ src: ["*"], dst: ["ipset:all"], ip: ["*"] }],
      },
      "grants[0] (line 1)",
    ],
  ])("tells which rule lets everybody in: %j", (policy, rule) => {
    const told = breaches(policy);
    // Three tags with three denied each, and the outsider's six.
    expect(told).toHaveLength(15);
    expect(told[0]).toBe(`tag:hetzner-nodes reaches tag:hetzner-nodes:22 by ${rule}`);
    expect(told.at(-1)).toBe(`tag:p2p-outside reaches tag:vast-nodes:8770 by ${rule}`);
  });

  it("tells when a rule of the user's opens SSH from a rented container", () => {
    const rule = { src: ["tag:vast-nodes"], dst: ["tag:p2p-voters"], ip: ["tcp:20-30"] };
    expect(breaches({ grants: [rule] })).toEqual([
      "tag:vast-nodes reaches tag:p2p-voters:22 by grants[0] (line 1)",
    ]);
  });

  it.each([
    [{ grants: [{ src: ["group:ops"], dst: ["*"], ip: ["*"] }] }],
    [{ grants: [{ src: ["tag:vast-nodes"], dst: ["tag:p2p-voters"], ip: ["udp:22"] }] }],
    [{ acls: [{ action: "accept", src: ["*"], dst: ["*:22"], proto: "udp" }] }],
    [{ grants: [{ src: ["autogroup:member"], dst: ["autogroup:self"], ip: ["*"] }] }],
  ])("has no objection to rules that open nothing to tags: %j", (policy) => {
    expect(breaches(policy)).toEqual([]);
  });

  it("tells what does not get through though it should", () => {
    const tests = [{ src: "tag:a", accept: ["tag:b:8770"] }, { src: "me@example.com" }];
    expect(run('{"grants": []}', tests, "x")).toEqual([
      { what: "tag:a does not reach tag:b:8770", rule: null },
    ]);
  });
});
