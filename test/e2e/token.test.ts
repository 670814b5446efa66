import { createHmac } from "node:crypto";
import { join } from "node:path";
import { TOKEN_MISSING } from "../../components/fleetToken";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { until } from "../../lab/fleet/until";
import { LabFleet } from "./labFleet";
import { PeerWatch, type Watched } from "./peerWatch";

// The stand-in daemon refuses as the real one does; how long the real one takes to believe in its peers again after a
// restart is not proven here.

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
/** What takes more than two minutes: `npm run test:soak`. */
const onSoak = why === null && process.env["FAULT_KILLS"] !== undefined ? describe : describe.skip;
const title = why === null ? "the cluster token" : `the cluster token (skipped here: ${why})`;

// A cold cache is filled first: packages, base root, wheels.
jest.setTimeout(900_000);

const HOSTS = ["s1", "s2", "s3"];
const QUORUM = 2;
const REFUSED = HOSTS.map(() => "refused");
const fixture = (name: string): string => join(__dirname, "fixtures", name);
/** Where a token lies on a host: named by a digest keyed by itself. */
const tokenFile = (token: string): string => {
  const digest = createHmac("sha256", token).update("p2p cluster token").digest("hex");
  return `/etc/ringrift/cluster-token-${digest.slice(0, 8)}`;
};

class TokenFleet {
  private constructor(
    readonly fleet: LabFleet,
    private readonly name: string,
  ) {}

  /** Three voters that know each other and have a token that nobody asks for. */
  static async up(name: string, settings: Readonly<Record<string, unknown>>): Promise<TokenFleet> {
    const fleet = await LabFleet.up(
      { name: "the embedded engine", pulumi: undefined },
      { inventory: fixture("three.yaml"), machines: fixture("threeMachines.yaml") },
    );
    const tokens = new TokenFleet(fleet, name);
    await fleet.stopQuickly(HOSTS);
    await fleet.setSecret("p2p:fleetSecret", "planted-fleet-secret");
    await fleet.setSecret("p2p:clusterToken", "planted-first-token");
    for (const [key, value] of Object.entries(settings)) fleet.configure(key, value);
    await fleet.mustUp();
    await tokens.meet();
    return tokens;
  }

  /** What each daemon says on its own host to a request that changes state. */
  async posts(token?: string): Promise<("refused" | "let in")[]> {
    const header = token === undefined ? [] : ["-H", `Authorization: Bearer ${token}`];
    const ask = async (host: string) => {
      const words = ["-s", "-m", "60", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST"];
      const more = ["-d", "{}", "-H", "Content-Type: application/json", ...header];
      const argv = ["curl", ...words, ...more, "http://127.0.0.1:8770/heartbeat"];
      const { stdout } = await this.fleet.lab.inside(host, argv);
      if (!/^[245]/.test(stdout)) throw new Error(`${host}: no answer: ${stdout}`);
      return stdout === "401" ? "refused" : "let in";
    };
    return Promise.all(HOSTS.map(ask));
  }

  /** What a stranger gets at a port of each host. */
  async strangers(port: number): Promise<string[]> {
    const ask = async (host: string) => {
      const url = `http://${this.fleet.lab.machine(host).address}:${port}/heartbeat`;
      const words = ["-s", "-m", "10", "-o", "/dev/null", "-w", "%{http_code}", "-X", "POST"];
      return (await this.fleet.lab.exec(["curl", ...words, url])).stdout;
    };
    return Promise.all(HOSTS.map(ask));
  }

  async meet(): Promise<void> {
    const count = async (host: string) => {
      const url = "http://127.0.0.1:8770/status?no_cache=true";
      const { code, stdout } = await this.fleet.lab.inside(host, ["curl", "-s", "-m", "60", url]);
      return code === 0 ? (JSON.parse(stdout) as { alive_peers: number }).alive_peers : 0;
    };
    const all = async () => (await Promise.all(HOSTS.map(count))).every((peers) => peers === 2);
    expect(await until(all, 400_000, 300)).not.toBeNull();
  }

  /** Runs `up` under watch; says what was seen. */
  async watch(what: string, change: () => Promise<unknown>): Promise<Watched> {
    const watch = PeerWatch.start(this.fleet.lab, HOSTS);
    try {
      await change();
      await this.meet();
    } finally {
      // Nothing that happened late may be missed.
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    const seen = await watch.stop(QUORUM);
    const { lost, ...numbers } = seen;
    const told = JSON.stringify({ ...numbers, lost: lost.length });
    process.stdout.write(`token ${this.name}: ${what}: ${told}\n`);
    return seen;
  }

  /** Hosts by the content of their token files. */
  async held(): Promise<string[]> {
    const cat = (host: string) => this.fleet.on(host, "cat /etc/ringrift/cluster-token-*");
    return Promise.all(HOSTS.map(cat));
  }
}

/** One at a time, and nobody but the one that is restarted notices; one that is quick may be seen by no look at all. */
function expectWaves({ lost, mostAway, withoutQuorum }: Watched): void {
  expect({ lost, withoutQuorum }).toEqual({ lost: [], withoutQuorum: 0 });
  expect(mostAway).toBeLessThanOrEqual(1);
}
const ONE_EACH = Object.fromEntries(HOSTS.map((host) => [host, 1]));
const PATHS = { "p2p:paths": { enabled: true } };

onLab(`${title}, behind path forwarders`, () => {
  let tokens: TokenFleet;
  let fleet: LabFleet;
  beforeAll(async () => {
    tokens = await TokenFleet.up("behind forwarders", PATHS);
    fleet = tokens.fleet;
  });
  afterAll(() => (fleet as LabFleet | undefined)?.lab.down());

  it("lies on every host before anybody asks for it, and is switched in waves without a gap", async () => {
    expect(await tokens.held()).toEqual(HOSTS.map(() => "planted-first-token"));
    expect(await tokens.posts()).not.toContain("refused");
    fleet.configure("p2p:requireAuth", true);
    const seen = await tokens.watch("switch", async () => {
      expect(await fleet.mustUp()).not.toMatch(/at once/);
    });
    expectWaves(seen);
    expect(seen.restarts).toEqual(ONE_EACH);
    expect(await tokens.posts()).toEqual(REFUSED);
    expect(await tokens.posts("planted-first-token")).not.toContain("refused");
    // 8770 is the loopback's alone, and nobody comes past the forwarder without the fleet's secret.
    expect(await tokens.strangers(8770)).toEqual(HOSTS.map(() => "000"));
    expect((await fleet.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  });

  it("is rotated without a gap, also where a wave fails in the middle and a later run goes on", async () => {
    // For all services, since one of the daemon's own unit would be taken away.
    const folder = "/etc/systemd/system/service.d";
    const file = tokenFile("planted-second-token");
    const isOther = "[ %n != ringrift-p2p-node.service ]";
    const stop = `${isOther} || ! grep -q ${file} /opt/ringrift-p2p/current/release.json`;
    await fleet.on(
      "s2",
      `mkdir ${folder} && printf '[Service]\\n%s\\n' 'ExecStartPre=/bin/sh -c "${stop}"' > ${folder}/test.conf && systemctl daemon-reload`,
    );
    await fleet.setSecret("p2p:clusterToken", "planted-second-token");
    const broken = await tokens.watch("a rotation that breaks off", async () => {
      expect((await fleet.up()).code).not.toBe(0);
    });
    expectWaves(broken);
    expect(await tokens.posts("planted-second-token")).toEqual(["let in", "refused", "refused"]);
    expect(await tokens.posts("planted-first-token")).toEqual(["refused", "let in", "let in"]);
    await fleet.on("s2", `rm -r ${folder} && systemctl daemon-reload`);
    const seen = await tokens.watch("the rotation goes on", () => fleet.mustUp());
    expectWaves(seen);
    expect(seen.restarts).toEqual({ s1: 0, s2: 1, s3: 1 });
    expect(await tokens.posts("planted-first-token")).toEqual(REFUSED);
    expect(await tokens.posts("planted-second-token")).not.toContain("refused");
    expect(await tokens.held()).toEqual(HOSTS.map(() => "planted-second-token"));
    expect((await fleet.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  });

  onSoak("in the long form", () => {
    it("is not rotated while a host is away: nobody restarts, and the host is named", async () => {
      await fleet.lab.break("s3", "cut");
      await fleet.setSecret("p2p:clusterToken", "planted-third-token");
      const { stdout, stderr } = await fleet.up();
      expect(stdout + stderr).toContain(
        "p2p:requireAuth waits for hosts that do not have the token yet: s3",
      );
      expect(stdout + stderr).toContain(TOKEN_MISSING);
      expect((await tokens.posts("planted-second-token")).slice(0, 2)).not.toContain("refused");
      await fleet.lab.heal("s3");
      await tokens.meet();
      const seen = await tokens.watch("a rotation that had to wait", () => fleet.mustUp());
      expectWaves(seen);
      expect(seen.restarts).toEqual(ONE_EACH);
      expect(await tokens.posts("planted-third-token")).not.toContain("refused");
    });

    it("is turned off without a gap", async () => {
      fleet.configure("p2p:requireAuth", false);
      const seen = await tokens.watch("turning off", () => fleet.mustUp());
      expectWaves(seen);
      expect(seen.restarts).toEqual(ONE_EACH);
      expect(await tokens.posts()).not.toContain("refused");
    });
  });
});

onSoak(`${title}, where daemons reach each other by themselves`, () => {
  let tokens: TokenFleet;
  let fleet: LabFleet;
  beforeAll(async () => {
    tokens = await TokenFleet.up("without forwarders", { "p2p:paths": { enabled: false } });
    fleet = tokens.fleet;
  });
  afterAll(() => (fleet as LabFleet | undefined)?.lab.down());

  it("is required by all at once, which the run says and what it costs", async () => {
    fleet.configure("p2p:requireAuth", true);
    let said = "";
    const seen = await tokens.watch("switch", async () => (said = await fleet.mustUp()));
    expect(said).toContain(
      "the cluster token is switched by all daemons at once, since p2p:paths is off",
    );
    expect(seen.restarts).toEqual(ONE_EACH);
    expect(await tokens.posts()).toEqual(REFUSED);
    expect(await tokens.strangers(8770)).toEqual(HOSTS.map(() => "401"));
    expect((await fleet.pulumi("preview", "--expect-no-changes")).code).toBe(0);
  });

  it("is rotated by all at once; the old one is refused and gone", async () => {
    await fleet.setSecret("p2p:clusterToken", "planted-second-token");
    await tokens.watch("rotation", () => fleet.mustUp());
    expect(await tokens.posts("planted-first-token")).toEqual(REFUSED);
    expect(await tokens.posts("planted-second-token")).not.toContain("refused");
    const left = HOSTS.map((host) =>
      fleet.on(host, "grep -rl planted-first-token /etc /opt/ringrift-p2p || true"),
    );
    expect(await Promise.all(left)).toEqual(HOSTS.map(() => ""));
  });
});
