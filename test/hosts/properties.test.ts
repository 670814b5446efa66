/** What holds for every inventory. A failure prints its seed and the path to the smallest case. */

import fc from "fast-check";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { loadInventory } from "../../hosts/inventory";
import { parseNodeConf, renderNodeConf } from "../../hosts/plan/nodeConf";
import { type DeployHostPlan, type FleetPlan } from "../../hosts/plan/types";
import {
  edit,
  HOSTILE,
  type HostBody,
  type Inventory,
  inventory,
  isBody,
  reordered,
  RUN,
  textOf,
} from "./support/arbitrary";
import { faultsOf } from "./support/check";

const EXAMPLE = readFileSync(join(__dirname, "fixtures", "example.yaml"), "utf8");

function planOf(fleet: Inventory): FleetPlan {
  const { plan } = loadInventory(textOf(fleet), "hosts.yaml");
  if (!plan) throw new Error(`no plan of ${textOf(fleet)}`);
  return plan;
}

function deployedOf(plan: FleetPlan): DeployHostPlan[] {
  return [...plan.hosts.values()].filter((host) => host.action === "deploy");
}

const toJson = (plan: FleetPlan): string =>
  JSON.stringify({ ...plan, hosts: [...plan.hosts.entries()] });

/** The host of `host:port`, `[v6]:port` or a URL, in lower case. */
function hostOf(address: string): string {
  if (address.startsWith("https://")) return new URL(address).hostname;
  return address
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
}

const bodiesOf = ({ hosts }: Inventory): (readonly [string, HostBody])[] =>
  hosts.flatMap(([name, body]) => (isBody(body) ? [[name, body] as const] : []));

const sshHostOf = (body: HostBody): string =>
  String(body["ssh_host"]).replace(/^.*@/, "").toLowerCase();

describe("planning", () => {
  it("gives the same bytes whatever the order of hosts, keys and voters", () => {
    const pair = inventory.chain((fleet) => fc.tuple(fc.constant(fleet), reordered(fleet)));
    fc.assert(
      fc.property(pair, ([one, other]) => {
        expect(toJson(planOf(other))).toBe(toJson(planOf(one)));
      }),
      RUN,
    );
  });

  it("decides for every host of the file, and for no other", () => {
    fc.assert(
      fc.property(inventory, (fleet) => {
        const names = fleet.hosts.map(([name]) => name).sort();
        expect([...planOf(fleet).hosts.keys()]).toEqual(names);
      }),
      RUN,
    );
  });

  it("makes no host its own peer, and gives an address for every peer", () => {
    fc.assert(
      fc.property(inventory, (fleet) => {
        const plan = planOf(fleet);
        for (const host of deployedOf(plan)) {
          expect(host.peers).not.toContain(host.name);
          expect(host.relays).not.toContain(host.name);
          expect(host.peerAddresses).toHaveLength(host.peers.length);
          expect([...new Set(host.peers)].sort()).toEqual(host.peers);
          const entries = new Set([...plan.voters.effective, ...plan.relays]);
          entries.delete(host.name);
          expect(host.peers).toEqual([...entries].sort());
        }
      }),
      RUN,
    );
  });

  it("needs floor(n / 2) + 1 of the declared voters, and explains every rejected one", () => {
    fc.assert(
      fc.property(inventory, (fleet) => {
        const { declared, effective, rejected, quorum, margin } = planOf(fleet).voters;
        const listed = fleet.voters?.filter((voter) => voter !== null && voter !== "");
        if (listed) expect(declared).toEqual([...new Set(listed)].sort());
        expect(quorum).toBe(Math.floor(declared.length / 2) + 1);
        expect(margin).toBe(effective.length - quorum);
        expect([...effective, ...rejected.map(({ node }) => node)].sort()).toEqual(declared);
      }),
      RUN,
    );
  });

  it("offers no loopback, no gateway and no address behind a blocking NAT", () => {
    fc.assert(
      fc.property(inventory, (fleet) => {
        const plan = planOf(fleet);
        const bodies = new Map(bodiesOf(fleet));
        const sshHosts = [...bodies.values()].map(sshHostOf);
        const rented = [...bodies].filter(
          ([name, body]) => /^(vast|runpod)-/.test(name) && body["provider"] === undefined,
        );
        const gateways = new Set([
          ...sshHosts.filter((host, index) => sshHosts.indexOf(host) !== index),
          ...rented.map(([, body]) => sshHostOf(body)).filter((host) => /[a-z]$/.test(host)),
        ]);
        for (const host of deployedOf(plan)) {
          const { tailscale, cloudflare, direct } = host.addresses;
          const offered = [tailscale, cloudflare, direct, ...host.peerAddresses];
          for (const address of offered.filter((text) => text !== null)) {
            const target = hostOf(address);
            expect(target).not.toMatch(/^(127\.|localhost|ip6-|0\.|::1$|::ffff:|0:0:0:0:0:ffff)/);
            // A tailnet address is nobody's gateway, even where several hosts name it in ssh_host.
            if (!/^100\.|^fd7a:/.test(target)) expect([...gateways]).not.toContain(target);
          }
          const { nat_blocked: blocked, force_relay_mode: forced } = bodies.get(host.name) ?? {};
          const isRelayed = [blocked, forced].some((value) => value === true || value === "yes");
          expect(host.relay).toBe(isRelayed);
          if (isRelayed) expect(direct).toBeNull();
        }
      }),
      RUN,
    );
  });

  it("numbers nodes uniquely, and the same when others come and go", () => {
    const pair = inventory.chain((fleet) =>
      fc.tuple(fc.constant(fleet), fc.subarray([...fleet.hosts], { minLength: 1 })),
    );
    fc.assert(
      fc.property(pair, ([fleet, hosts]) => {
        const whole = planOf(fleet);
        const numbers = [...whole.hosts.values()].flatMap(({ number }) => number ?? []);
        expect(new Set(numbers).size).toBe(numbers.length);
        for (const host of planOf({ ...fleet, hosts }).hosts.values()) {
          const same = whole.hosts.get(host.name);
          // null: refused here or there, by itself or for what another host claims.
          if (host.number !== null && same && same.number !== null)
            expect(same.number).toBe(host.number);
        }
      }),
      RUN,
    );
  });

  it("writes a node.conf that reads back the same", () => {
    fc.assert(
      fc.property(inventory, (fleet) => {
        for (const { nodeConf } of deployedOf(planOf(fleet)))
          expect(parseNodeConf(renderNodeConf(nodeConf))).toEqual(nodeConf);
      }),
      RUN,
    );
  });

  it("writes and reads back any text without a line break", () => {
    const key = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/);
    const value = fc
      .oneof(fc.string({ unit: "binary" }), fc.constantFrom(...HOSTILE))
      .map((text) => text.replace(/[\0\n\r]/g, ""));
    fc.assert(
      fc.property(fc.dictionary(key, value), (values) => {
        expect(parseNodeConf(renderNodeConf(values))).toEqual({ ...values });
      }),
      RUN,
    );
  });
});

describe("loading", () => {
  const load = (text: string): void =>
    expect(faultsOf(text, loadInventory(text, "hosts.yaml"))).toEqual([]);

  it("gives findings or a plan for any generated inventory", () => {
    fc.assert(
      fc.property(inventory, (fleet) => load(textOf(fleet))),
      RUN,
    );
  });

  it("gives findings or a plan for any YAML", () => {
    const value = fc.anything({
      withNullPrototype: false,
      key: fc.oneof(fc.constantFrom("hosts", "p2p_voters", "ssh_host", "__proto__"), fc.string()),
      values: [fc.boolean(), fc.integer(), fc.double(), fc.string(), fc.constant(null)],
      maxDepth: 4,
    });
    fc.assert(
      fc.property(value, (top) => {
        load(JSON.stringify(top) ?? "");
        load(`hosts: ${JSON.stringify(top) ?? ""}\n`);
      }),
      RUN,
    );
  });

  it("gives findings or a plan for a real-looking file after any edits", () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        load(edits.reduce((text, change) => change(text), EXAMPLE));
      }),
      RUN,
    );
  });

  it("gives findings or a plan for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        load(Buffer.from(bytes).toString("utf8"));
        load(Buffer.from(bytes).toString("latin1"));
      }),
      { ...RUN, numRuns: 400 },
    );
  });

  it("gives findings or a plan for any mixture of YAML's own signs", () => {
    const signs = [
      ..."-?:,[]{}#&*!|>'\"%@` \n\r\t<~a1",
      "\n  ",
      "- ",
      ": ",
      "? ",
      "<<: ",
      "hosts:",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...signs), { maxLength: 60 }), (parts) =>
        load(parts.join("")),
      ),
      { ...RUN, numRuns: 600 },
    );
  });

  it("reads scalars as they are written, whatever YAML makes of them", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9][0-9e._:+-]{0,8}[0-9]$/), (id) => {
        // The parser is the judge of what is one plain scalar.
        fc.pre(typeof parse(id) !== "object" && !id.includes(": "));
        const text = `hosts:\n  a-1:\n    ssh_host: 192.0.2.1\n    vast_instance_id: ${id}\n`;
        const host = loadInventory(text, "hosts.yaml").fleet?.hosts.get("a-1");
        expect(host?.instanceIds).toEqual({ vast_instance_id: id });
      }),
      RUN,
    );
  });
});
