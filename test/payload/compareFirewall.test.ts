import { comparePrepare } from "../../payload/compare";
import { shortDigest } from "../../payload/digest";
import { type Facts } from "../../payload/facts";
import { renderActivate, renderPrepare } from "../../payload/render";
import { type FirewallSpec } from "../../payload/spec";
import { factsInOrder } from "./facts";
import { planOf } from "./plans";

const options = { inventory: null, clusterToken: null };
const activate = renderActivate(planOf(), options);
const firewall: FirewallSpec = {
  ports: [8770, 8771],
  interfaces: ["lo"],
  ipv4: ["192.0.2.0/24"],
  ipv6: ["2001:db8::/32"],
};
const wanted = renderPrepare(planOf(), { ...options, firewall });
const none = renderPrepare(planOf(), options);
const intact: NonNullable<Facts["firewall"]> = {
  able: true,
  backend: "nft",
  state: "intact",
  digest: shortDigest(firewall),
  boot: true,
  edits: null,
  managers: [],
};
const WANT = "ports 8770, 8771 open to lo, 192.0.2.0/24, 2001:db8::/32 alone";

describe("compareFirewall", () => {
  const drift = (fact: Facts["firewall"], spec = wanted) =>
    comparePrepare(spec, factsInOrder(spec, activate, { firewall: fact }));

  it("finds nothing where the rules are as applied, or where there are none and none are wanted", () => {
    expect(drift(intact)).toEqual([]);
    expect(drift(null, none)).toEqual([]);
  });

  it.each<[string, Facts["firewall"], object]>([
    ["never applied", null, { want: WANT, is: "absent" }],
    ["gone", { ...intact, state: "absent", digest: null }, { want: WANT, is: "absent" }],
    [
      "of another wish",
      { ...intact, digest: "0123" },
      { want: WANT, is: "rules of an older wish" },
    ],
    [
      "edited",
      { ...intact, state: "edited", edits: "+drop" },
      { want: WANT, is: "edited", detail: "+drop" },
    ],
  ])("shows rules that are %s", (_, fact, item) => {
    expect(drift(fact)).toEqual([{ what: "firewall", ...item }]);
  });

  it("shows rules that the next boot would not bring back", () => {
    expect(drift({ ...intact, boot: false })).toEqual([
      { what: "firewall at boot", want: "applied", is: "not applied" },
    ]);
  });

  it("asks nothing of a container that may have none", () => {
    expect(drift({ ...intact, able: false, state: "absent", digest: null, boot: false })).toEqual(
      [],
    );
  });

  it("shows rules of ours that nobody wants any more", () => {
    expect(drift(intact, none)).toEqual([
      { what: "firewall", want: "no rule of ours", is: "rules intact" },
    ]);
  });
});
