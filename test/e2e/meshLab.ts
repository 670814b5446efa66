/** A lab whose daemons talk over path forwarders, as each host sees it. */

import { readFileSync, writeFileSync } from "node:fs";
import { parse, stringify } from "yaml";
import { until } from "../../lab/fleet/until";
import { type LabFleet } from "./labFleet";

export interface Peer {
  readonly host: string;
  readonly port: number;
  readonly is_alive: boolean;
  readonly consecutive_failures: number;
  readonly seconds_since_heartbeat: number;
}
export interface Status {
  readonly node_id: string;
  readonly leader_id: string | null;
  readonly all_peers: Record<string, Peer>;
}
export interface Summary {
  readonly pid: number;
  readonly settings: string;
  readonly mistake: string | null;
  readonly watched: Record<string, { active: string; up: string[]; down: Record<string, string> }>;
  readonly cutOff: string[];
  readonly refused: Record<string, number>;
}
export interface Event {
  readonly at: string;
  readonly what: string;
  readonly peer?: string;
  readonly path?: string;
  readonly reason: string;
}
interface Discovery {
  readonly p2pDiscovery: {
    readonly nodes: Record<
      string,
      {
        readonly loopback: string;
        readonly paths: readonly { readonly path: string }[];
        readonly tailnet?: { readonly addresses: readonly string[] };
      }
    >;
  };
}

/** What one look at all daemons found: names with the addresses they are known by, wherever anybody is asked. */
interface Look {
  readonly addresses: string[];
  readonly leaders: string[];
  readonly down: string[];
  readonly mostFailures: number;
  /** Seconds for which the two nodes that have longest not heard of each other have not. */
  readonly silence: number;
}

export class MeshLab {
  loopback: Readonly<Record<string, string>> = {};
  tailnet: Readonly<Record<string, string>> = {};

  constructor(
    readonly fleet: LabFleet,
    readonly hosts: readonly string[],
    readonly voters: readonly string[],
  ) {}

  /**
   * JSON of a page on a host's loopback; undefined where there is none in time.
   * @param seconds whoever listens answers within it, however busy the machine is
   */
  async get<T>(host: string, url: string, seconds = 30): Promise<T | undefined> {
    const words = ["-s", "-m", String(seconds), url];
    const { code, stdout } = await this.fleet.lab.inside(host, ["curl", ...words]);
    if (code !== 0) return undefined;
    try {
      return JSON.parse(stdout) as T;
    } catch {
      return undefined;
    }
  }

  status = (host: string) => this.get<Status>(host, "http://127.0.0.1:8770/status?no_cache=true");
  summary = (host: string) => this.get<Summary>(host, "http://127.0.0.1:8778/summary");
  events = async (host: string): Promise<Event[]> =>
    (await this.get<{ events: Event[] }>(host, "http://127.0.0.1:8778/events"))?.events ?? [];

  /** Reads from the outputs by which address each node is to be known. */
  async learnAddresses(): Promise<void> {
    const { p2pDiscovery } = (await this.fleet.outputs()) as unknown as Discovery;
    const nodes = Object.entries(p2pDiscovery.nodes);
    this.loopback = Object.fromEntries(nodes.map(([name, { loopback }]) => [name, loopback]));
    this.tailnet = Object.fromEntries(
      nodes.map(([name, { tailnet }]) => [name, tailnet?.addresses[0] ?? ""]),
    );
  }

  /** What leads to each of these hosts, as the outputs say. */
  async pathsOf(hosts: readonly string[]): Promise<[string, string[] | undefined][]> {
    const { p2pDiscovery } = (await this.fleet.outputs()) as unknown as Discovery;
    return hosts.map((host) => [host, p2pDiscovery.nodes[host]?.paths.map(({ path }) => path)]);
  }

  /** The host reaches a majority of voters under their addresses, and each of these answers in its own name. */
  private async reaches(host: string): Promise<boolean> {
    const answers = await Promise.all(
      this.voters.map(async (voter) => {
        if (voter === host) return true;
        const url = `http://${this.loopback[voter] ?? ""}:8770/health`;
        // A request that was caught by a cut is made again.
        return (await this.get<{ node_id: string }>(host, url, 4))?.node_id === voter;
      }),
    );
    return this.isMajority(answers);
  }

  /** Its daemon has heard from a majority of voters since then (milliseconds since 1970). */
  private async hears(host: string, since: number): Promise<boolean> {
    const seen = await this.status(host);
    const now = Date.now();
    return this.isMajority(
      this.voters.map((voter) => {
        const peer = seen?.all_peers[voter];
        return voter === host || (peer && now - peer.seconds_since_heartbeat * 1000 > since);
      }),
    );
  }

  private isMajority(answers: readonly (boolean | undefined)[]): boolean {
    return answers.filter(Boolean).length > this.voters.length / 2;
  }

  /** Seconds from now until every host has contact with a majority of voters, in both senses. */
  async regained(hosts = this.hosts, limit = 300): Promise<number> {
    const since = Date.now();
    const times = await Promise.all(
      hosts.map(async (host) => {
        const has = () => this.bothWays(host, since);
        if (!(await until(has, limit * 1000, 300)))
          throw new Error(`${host}: no majority within ${limit} s: ${await this.explain(host)}`);
        return (Date.now() - since) / 1000;
      }),
    );
    return Math.round(Math.max(...times) * 10) / 10;
  }

  private async bothWays(host: string, since: number): Promise<boolean> {
    return (await this.hears(host, since)) && (await this.reaches(host));
  }

  /** Waits until every host's forwarder knows that nobody is reached. */
  async everybodyIsCutOff(): Promise<void> {
    const isCut = async (host: string) => {
      const summary = await this.summary(host);
      return Object.values(summary?.watched ?? { none: { up: [""] } }).every(
        ({ up }) => up.length === 0,
      );
    };
    const all = async () => (await Promise.all(this.hosts.map(isCut))).every(Boolean);
    if (!(await until(all, 300_000, 500)))
      throw new Error(`not cut off: ${await this.explain(this.hosts[0] ?? "")}`);
  }

  /** Waits until all daemons know all others as alive. */
  async whole(hosts = this.hosts): Promise<void> {
    const sees = async (host: string) => {
      const peers = (await this.status(host))?.all_peers ?? {};
      return hosts.every((other) => other === host || peers[other]?.is_alive);
    };
    const all = async () => (await Promise.all(hosts.map(sees))).every(Boolean);
    if (!(await until(all, 400_000, 500)))
      throw new Error(`not whole: ${(await Promise.all(hosts.map(this.explain))).join("\n")}`);
  }

  /** Waits until each of these hosts' traffic to the voters is on a path. */
  async allOn(path: string, hosts = this.hosts): Promise<boolean> {
    const isOn = async (host: string) =>
      Object.values((await this.summary(host))?.watched ?? {}).every(
        ({ active }) => active === path,
      );
    return Boolean(
      await until(async () => (await Promise.all(hosts.map(isOn))).every(Boolean), 400_000, 500),
    );
  }

  explain = async (host: string): Promise<string> =>
    JSON.stringify([host, await this.summary(host), await this.status(host)]);

  /** Looks at all daemons again and again until it is told to stop. */
  watch(): { stop: () => Promise<Look[]>; longestSilence: () => number } {
    const looks: Look[] = [];
    let isOver = false;
    const loop = (async () => {
      while (!isOver) {
        looks.push(await this.look());
        await new Promise((resolve) => setTimeout(resolve, 2_000));
      }
    })();
    return {
      longestSilence: () => Math.round(Math.max(0, ...looks.map(({ silence }) => silence))),
      stop: async () => {
        isOver = true;
        await loop;
        return looks;
      },
    };
  }

  private async look(): Promise<Look> {
    const all = (await Promise.all(this.hosts.map(this.status))).filter((one) => one !== undefined);
    const peers = all.flatMap(({ node_id, all_peers }) =>
      Object.entries(all_peers).map(([name, peer]) => ({ at: node_id, name, ...peer })),
    );
    const pairs = peers.map(({ at, name, host, port }) =>
      name === at ? `${at} lists itself` : `${name} ${host}:${port}`,
    );
    return {
      addresses: [...new Set(pairs)].sort(),
      leaders: [...new Set(all.map(({ leader_id }) => String(leader_id)))].sort(),
      down: peers.filter(({ is_alive }) => !is_alive).map(({ at, name }) => `${name} for ${at}`),
      silence: Math.max(0, ...peers.map(({ seconds_since_heartbeat }) => seconds_since_heartbeat)),
      mostFailures: Math.max(0, ...peers.map(({ consecutive_failures }) => consecutive_failures)),
    };
  }

  /** How every node is to be known. */
  get expectedAddresses(): string[] {
    return this.hosts.map((host) => `${host} ${this.loopback[host] ?? ""}:8770`).sort();
  }
}

/** Adds a container of the barest kind to a lab's files: the lab's own fleet has two. */
export function addContainer(
  files: { readonly inventory: string; readonly machines: string },
  name: string,
  address: string,
  more: Readonly<Record<string, unknown>> = {},
): void {
  const fleet = parse(readFileSync(files.inventory, "utf8")) as {
    hosts: Record<string, Record<string, unknown>>;
  };
  fleet.hosts[name] = { ...fleet.hosts["c2"], ssh_host: address, ...more };
  writeFileSync(files.inventory, stringify(fleet));
  const machines = parse(readFileSync(files.machines, "utf8")) as Record<string, unknown>;
  machines[name] = machines["c2"];
  writeFileSync(files.machines, stringify(machines));
}
