import { type Facts } from "../../payload/facts";
import { type Device } from "../../tailnet/api";
import { strangerWarnings } from "../../tailnet/strangers";

const device = (nodeId: string, name: string): Device => ({
  ...{ id: `1${nodeId}`, nodeId, name, hostname: "", addresses: [], tags: [] },
});
const joined = (nodeId: string, name: string | null, backend = "Running") =>
  ({ tailnet: { nodeId, name, backend } }) as Facts;
const warnings = (hosts: Record<string, Facts | undefined>, devices: readonly Device[]) =>
  strangerWarnings(new Map(Object.entries(hosts)), devices);

const OURS = [device("nA", "a.fleet.ts.net"), device("nB", "b.fleet.ts.net")];

describe("strangerWarnings", () => {
  it("says nothing of listed devices, whatever they are called, and of those that have just joined", () => {
    const hosts = {
      a: joined("nA", "a.fleet.ts.net"),
      b: joined("nB", "b.renamed.ts.net"),
      old: joined("1nA", "a.renamed.ts.net"),
      fresh: joined("nC", "c.fleet.ts.net"),
    };
    expect(warnings(hosts, OURS)).toEqual([]);
  });

  it("says nothing of hosts that are in no tailnet, or of which nothing is known", () => {
    const hosts = {
      ...{ away: undefined, none: { tailnet: null } as Facts, bare: joined("nX", null) },
      ...{ out: joined("nX", "x.else.ts.net", "NeedsLogin"), odd: joined("nX", "x") },
    };
    expect(warnings(hosts, OURS)).toEqual([]);
  });

  it("names those that are elsewhere once for each tailnet", () => {
    const hosts = {
      ...{ a: joined("nA", "a.fleet.ts.net"), x: joined("nX", "x.else.ts.net") },
      ...{ y: joined("nY", "y.else.ts.net"), z: joined("nZ", "z.more.ts.net") },
    };
    expect(warnings(hosts, OURS)).toEqual([
      "tailnet: x, y are in else.ts.net, and the credentials are for another tailnet (fleet.ts.net): its policy and its keys are not for them; log out there (tailscale logout), and the next up joins them",
      "tailnet: z is in more.ts.net, and the credentials are for another tailnet (fleet.ts.net): its policy and its keys are not for them; log out there (tailscale logout), and the next up joins them",
    ]);
    expect(warnings({ x: joined("nX", "x.else.ts.net") }, [])[0]).toContain(
      "another tailnet (which has no device)",
    );
  });
});
