import { boundOf } from "../../health/exposure";
import { type Facts } from "../../payload/facts";

const firewall = (state: "intact" | "edited" | "absent"): Facts["firewall"] => ({
  able: true,
  backend: "nft",
  state,
  digest: null,
  boot: true,
  edits: null,
  managers: [],
});
const listening = (...addresses: string[]) => [
  { address: "0.0.0.0", port: 22 },
  ...addresses.map((address) => ({ address, port: 8770 })),
];

describe("boundOf", () => {
  it.each<[string, string[], Facts["firewall"], string]>([
    ["nothing", [], null, "not bound"],
    ["nothing, beside a path forwarder", ["127.64.0.4", "127.127.255.1"], null, "not bound"],
    ["loopback addresses of both families", ["127.0.0.1", "127.64.0.4", "::1"], null, "loopback"],
    ["two loopback addresses of its own", ["127.0.0.2", "127.128.0.1"], null, "loopback"],
    ["everything, as IPv6 tells it", ["::", "127.64.0.4"], null, "all, exposed"],
    ["everything, behind our rules", ["0.0.0.0"], firewall("intact"), "all, firewalled"],
    ["everything, without rules", ["0.0.0.0", "127.0.0.1"], null, "all, exposed"],
    ["everything, behind rules that were changed", ["::"], firewall("edited"), "all, exposed"],
    ["one public address", ["192.0.2.14"], firewall("absent"), "all, exposed"],
  ])("names what listens on %s", (_, addresses, rules, bound) => {
    expect(boundOf({ listening: listening(...addresses), firewall: rules }, 8770)).toBe(bound);
  });
});
