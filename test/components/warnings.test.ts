import { notesOf } from "../../components/warnings";
import { type Facts } from "../../payload/facts";
import { renderActivate, renderPrepare } from "../../payload/render";
import { type FirewallSpec } from "../../payload/spec";
import { factsInOrder } from "../payload/facts";
import { planOf } from "../payload/plans";

const FIREWALL: FirewallSpec = { ports: [8770], interfaces: ["lo"], ipv4: [], ipv6: [] };
const specs = (listen: string, firewall: FirewallSpec | null) => {
  const plan = planOf({ listen });
  const options = { inventory: null, clusterToken: null, firewall };
  return { prepare: renderPrepare(plan, options), activate: renderActivate(plan, options) };
};
const told = (changes: Partial<NonNullable<Facts["firewall"]>>): Facts => {
  const { prepare, activate } = specs("0.0.0.0", FIREWALL);
  const firewall = {
    ...{ able: true, backend: "nft" as const, state: "intact" as const, digest: null },
    ...{ boot: true, edits: null, managers: [] },
  };
  return factsInOrder(prepare, activate, { firewall: { ...firewall, ...changes } });
};

describe("a daemon that turned out to be reachable", () => {
  const unable = told({ able: false, backend: null, state: "absent" });

  it("is named where the host may not have the rules that the plan counts on", () => {
    expect(notesOf(specs("0.0.0.0", FIREWALL), unable)).toEqual([
      "exposed: port 8770 listens on 0.0.0.0, and this container may not have a firewall",
    ]);
  });

  it("is not named where it listens on the loopback, where rules stand, or where the file's finding says it", () => {
    const notExposed = [expect.stringMatching(/^no firewall of ours: /)];
    expect(notesOf(specs("127.0.0.1", FIREWALL), unable)).toEqual(notExposed);
    expect(notesOf(specs("0.0.0.0", FIREWALL), told({}))).toEqual([]);
    expect(notesOf(specs("0.0.0.0", FIREWALL), undefined)).toEqual([]);
    expect(notesOf(specs("0.0.0.0", null), unable)).toEqual([]);
  });
});

describe("notes about a host's firewall", () => {
  it("are none where ours is the only one", () => {
    expect(notesOf(specs("127.0.0.1", FIREWALL), told({}))).toEqual([]);
  });

  it("name other people's, which have to let in the same", () => {
    expect(notesOf(specs("127.0.0.1", FIREWALL), told({ managers: ["ufw", "firewalld"] }))).toEqual(
      [
        "ufw is active too: it has to let in whoever p2p:firewall lets in, for ours only takes away",
        "firewalld is active too: it has to let in whoever p2p:firewall lets in, for ours only takes away",
      ],
    );
  });

  it("say what it means that a container may not have one", () => {
    expect(notesOf(specs("127.0.0.1", FIREWALL), told({ able: false }))).toEqual([
      expect.stringMatching(
        /^no firewall of ours: .*CAP_NET_ADMIN.*; its daemon is reached over the loopback alone.*; the daemon's health port \(its own \+ 2\) stays open/,
      ),
    ]);
  });
});
