import * as http from "node:http";
import { join } from "node:path";
import { eventually } from "../eventually";
import { ask, cleanUp, link, type NodeEntry, pair, type Pair, temporaryFolder } from "./forwarders";

// tailscaled is a stand-in here that says where devices are; test/e2e/paths.test.ts has the real one.
const closers: (() => void)[] = [];
afterEach(async () => {
  await cleanUp();
  for (const close of closers.splice(0)) close();
});

interface Tailscaled {
  readonly socket: string;
  readonly asked: string[];
  /** What it says of a device; null: it knows of none. */
  address: string | null;
  state: string;
  close(): Promise<void>;
}

async function tailscaled(): Promise<Tailscaled> {
  const socket = join(temporaryFolder(), "tailscaled.sock");
  const server = http.createServer((request, response) => {
    found.asked.push(`${request.method} ${request.url} ${request.headers.host}`);
    const device = {
      ...{ HostName: "b", DNSName: "b.tailnet.example.", Tags: ["tag:nodes"], Online: true },
      TailscaleIPs: [found.address],
    };
    const peers = found.address === null ? {} : { key: device };
    response.end(JSON.stringify({ BackendState: found.state, Peer: peers }));
  });
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  closers.push(() => server.close().closeAllConnections());
  const found: Tailscaled = {
    ...{ socket, asked: [], address: null, state: "Running" },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return found;
}

/** b is known by its device, and by an address of the file where there is one. */
async function mesh(says: Tailscaled, more: Partial<NodeEntry> = {}): Promise<Pair> {
  return pair({
    waysToB: (inbound) => ({ device: "b", deviceTag: "tag:nodes", inbound, ...more }),
    own: { tailnet: "tun", tailscaled: says.socket },
  });
}
const post = ({ toB }: Pair) => ask(toB.host, toB.port, { method: "POST", body: "x" });
const address = async ({ a }: Pair) => (await a.status()).peers["b"]?.paths[0]?.address;
const becomes = (nodes: Pair, wanted: string | undefined) =>
  eventually(async () => ((await address(nodes)) === wanted ? true : undefined));
const moves = async ({ a }: Pair) =>
  (await a.events()).filter(({ what }) => what === "tailnet").map(({ reason }) => reason);

describe("a node that is known by its device in the tailnet", () => {
  it("is found once it has joined, and followed when it joins anew", async () => {
    const says = await tailscaled();
    const nodes = await mesh(says);
    expect([await address(nodes), (await post(nodes)).status]).toEqual([undefined, 502]);
    // A device that does not answer there, and is another one after its next login.
    says.address = "127.0.0.9";
    await becomes(nodes, `127.0.0.9:${nodes.b.inbound}`);
    says.address = "127.0.0.1";
    await becomes(nodes, `127.0.0.1:${nodes.b.inbound}`);
    expect((await post(nodes)).status).toBe(200);
    expect(new Set(says.asked)).toEqual(new Set(["GET /localapi/v0/status local-tailscaled.sock"]));
    const { mistake, tailnetProblem } = await nodes.a.status();
    expect([mistake, tailnetProblem]).toEqual([null, null]);
    expect(await moves(nodes)).toEqual(["b is at 127.0.0.9", "b is at 127.0.0.1"]);
  });

  it("stays where it was while tailscaled says nothing, and is where the file says without it", async () => {
    const says = await tailscaled();
    says.address = "127.0.0.1";
    const other = await link(1);
    const nodes = await mesh(says, { tailscale: `127.0.0.9:${other.port}` });
    await becomes(nodes, `127.0.0.1:${nodes.b.inbound}`);
    says.state = "NeedsLogin";
    // It asks at once where something on the tailnet does not work.
    await nodes.b.kill("SIGTERM");
    const problem = await eventually(
      async () => (await nodes.a.status()).tailnetProblem ?? undefined,
    );
    expect(problem).toBe("tailscaled is not in a tailnet now: NeedsLogin");
    expect(await address(nodes)).toBe(`127.0.0.1:${nodes.b.inbound}`);
    says.state = "Running";
    says.address = null;
    await becomes(nodes, `127.0.0.9:${other.port}`);
    expect((await nodes.a.status()).tailnetProblem).toBeNull();
    expect(await moves(nodes)).toEqual(["b is at 127.0.0.1", "b is gone"]);
    await says.close();
    await eventually(async () => (await nodes.a.status()).tailnetProblem ?? undefined);
    expect((await nodes.a.status()).mistake).toBeNull();
  });
});
