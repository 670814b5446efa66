import { detours, exposures } from "../../tailnet/exposure";
import { type DeployHostPlan } from "../../hosts/plan/types";
import { planOf } from "../payload/plans";

const container = (name: string, more: Partial<DeployHostPlan> = {}) =>
  planOf({
    ...{ name, networking: "userspace", forwarded: true, networkPort: 8779 },
    authKey: { class: "vast-nodes", tags: ["tag:vast-nodes"] },
    ...more,
  });
const policy = (...grants: object[]) => JSON.stringify({ grants }, null, 2);
const said = (rule: string, hosts: string, port = 8770) => [
  `tailnet: its policy opens port ${port} of tag:vast-nodes by ${rule}: in userspace networking that leads to the daemons of ${hosts} around their forwarders, and they record who comes as 127.0.0.1; close it (docs/paths.md)`,
];

describe("what a policy that is not ours leaves open on a loopback", () => {
  const hosts = [container("v2"), container("v1")];
  const warned = (who: string, rule: string) => [
    `tailnet: its policy lets ${who} reach every port of tag:vast-nodes by ${rule}; in userspace networking that is all that listens on the loopback of v2, v1`,
  ];

  it.each<[string, string, string, string]>([
    [
      "allows everything",
      '{"grants":[{"src":["*"],"dst":["*"],"ip":["*"]}]}',
      "every device",
      "grants[0] (line 1)",
    ],
    [
      "has no rules, which allows everything",
      "{}",
      "every device",
      "the default (it has neither grants nor acls)",
    ],
    [
      "opens all of the tailnet's addresses",
      '{"acls":[{"action":"accept","src":["100.64.0.0/10"],"dst":["100.64.0.0/10:*"]}]}',
      "every device",
      "acls[0] (line 1)",
    ],
    [
      "is written as long ago",
      '{"ACLs":[{"Action":"accept","Users":["*"],"Ports":["*:*"]}]}',
      "every device",
      "acls[0] (line 1)",
    ],
    [
      "lets people everywhere",
      '{"grants":[{"src":["autogroup:member","group:ops"],"dst":["*"],"ip":["tcp:*"]}]}',
      "autogroup:member, group:ops",
      "grants[0] (line 1)",
    ],
  ])("is told of one that %s", (_, text, who, rule) => {
    expect(exposures(hosts, text)).toEqual(warned(who, rule));
  });

  it.each([
    '{"grants":[]}',
    '{"acls":[]}',
    '{"grants":[{"src":["*"],"dst":["tag:vast-nodes"],"ip":["tcp:8770"]}]}',
    '{"grants":[{"src":["autogroup:member"],"dst":["autogroup:self"],"ip":["*"]}]}',
  ])("is nothing by %s", (text) => {
    expect(exposures(hosts, text)).toEqual([]);
  });

  it("is not known where nobody can see the policy, and nothing without userspace nodes", () => {
    expect(exposures(hosts, null)).toEqual([
      "tailnet: nobody here can see its policy; make sure that it opens only the daemons' port on v2, v1: in userspace networking it is all that stands before what listens on their loopback",
    ]);
    expect([exposures([], null), exposures([], "{}")]).toEqual([[], []]);
  });
});

describe("rules that lead around the forwarders of userspace nodes", () => {
  const hosts = [container("v2"), container("v1")];

  it.each<[string, object]>([
    ["the fleet itself", { src: ["tag:vast-nodes"], dst: ["tag:vast-nodes"], ip: ["tcp:8770"] }],
    ["everybody", { src: ["*"], dst: ["*"], ip: ["*"] }],
    ["people", { src: ["group:ops@example.com"], dst: ["tag:vast-nodes"], ip: ["tcp:8000-9000"] }],
  ])("are named where they let in %s", (_, grant) => {
    expect(detours(hosts, policy(grant))).toEqual(said("grants[0] (line 3)", "v1, v2"));
  });

  it("are named where they are of the older kind", () => {
    const acls = JSON.stringify({
      acls: [{ action: "accept", src: ["*"], dst: ["tag:vast-nodes:8770"] }],
    });
    expect(detours(hosts, acls)).toEqual(said("acls[0] (line 1)", "v1, v2"));
  });

  it.each<[string, readonly DeployHostPlan[], object]>([
    [
      "only the forwarders' port is open",
      hosts,
      { src: ["*"], dst: ["tag:vast-nodes"], ip: ["tcp:8779"] },
    ],
    [
      "another tag's port is open",
      hosts,
      { src: ["*"], dst: ["tag:vultr-nodes"], ip: ["tcp:8770"] },
    ],
    ["only UDP is", hosts, { src: ["*"], dst: ["tag:vast-nodes"], ip: ["udp:8770"] }],
    ["a rule lets in nobody", hosts, { src: [], dst: ["*"], ip: ["*"] }],
    [
      "nodes have no forwarders",
      [container("v1", { forwarded: false })],
      { src: ["*"], dst: ["*"], ip: ["*"] },
    ],
    [
      "daemons listen on another port",
      [container("v1", { port: 9000 })],
      { src: ["*"], dst: ["*"], ip: ["tcp:8770"] },
    ],
  ])("are none where %s", (_, nodes, grant) => {
    expect(detours(nodes, policy(grant))).toEqual([]);
  });
});
