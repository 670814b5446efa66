import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readMachines } from "../../../lab/hosts/machine";

const project = join(__dirname, "..", "..", "..");
const read = (name: string): string => readFileSync(join(project, "lab", name), "utf8");

describe("readMachines", () => {
  it("reads the lab's own fleet: five voters, one of them ubuntu's, and one of each other kind", () => {
    const machines = readMachines(read("lab.yaml"), read("machines.yaml"));
    expect(machines.map(({ name, kind, user }) => `${name} ${kind} ${user}`)).toEqual([
      "h1 systemd root",
      "h2 systemd root",
      "h3 systemd root",
      "h4 systemd ubuntu",
      "h5 systemd root",
      "h6 systemd root",
      "c1 supervisord root",
      "c2 bare root",
      "d1 dead root",
    ]);
  });

  it("gives every field, with the login user's home for a tilde", () => {
    const inventory = `hosts:
  a: { ssh_host: 10.77.0.5, ssh_user: ubuntu, ringrift_path: ~/x/ai-service, p2p_port: 9000 }
  b: { ssh_host: 10.77.0.6, ringrift_path: null, is_container: true }
  c: { ssh_host: 10.77.0.7, ringrift_path: /w, unknown_key: 1 }
`;
    expect(readMachines(inventory, "a: { kind: systemd, tun: true, venv: true }")).toEqual([
      {
        name: "a",
        kind: "systemd",
        tun: true,
        netAdmin: false,
        venv: true,
        modules: false,
        address: "10.77.0.5",
        user: "ubuntu",
        checkout: "/home/ubuntu/x/ai-service",
        port: 9000,
      },
      {
        name: "b",
        kind: "bare",
        tun: false,
        netAdmin: false,
        venv: false,
        modules: false,
        address: "10.77.0.6",
        user: "root",
        checkout: null,
        port: 8770,
      },
      {
        name: "c",
        kind: "systemd",
        tun: false,
        netAdmin: false,
        venv: false,
        modules: false,
        address: "10.77.0.7",
        user: "root",
        checkout: "/w",
        port: 8770,
      },
    ]);
  });

  it.each([
    [
      "hosts: { a: { ssh_host: 192.0.2.1 } }",
      "",
      'hosts.a.ssh_host: "192.0.2.1" is not an address the lab can give to a host',
    ],
    [
      "hosts: { a: { ssh_host: 10.77.0.1 } }",
      "",
      'hosts.a.ssh_host: "10.77.0.1" is not an address the lab can give to a host',
    ],
    [
      "hosts: { a: { ssh_host: 10.77.0.9 }, b: { ssh_host: 10.77.0.9 } }",
      "",
      "hosts.b.ssh_host: 10.77.0.9 belongs to a already",
    ],
    [
      "hosts: { a: { ssh_host: 10.77.0.9 } }",
      "b: { kind: dead }",
      'machines: "b" is not a host of the inventory',
    ],
    [
      "hosts: { a: { ssh_host: 10.77.0.9 } }",
      "a: { kind: windows }",
      'machines:\n✖ Invalid option: expected one of "systemd"|"supervisord"|"bare"|"dead"\n  → at a.kind',
    ],
    [
      "hosts: { 'a b': { ssh_host: 10.77.0.9 } }",
      "",
      'hosts."a b": the lab gives a host its name, which is letters, digits, "-" and "."',
    ],
    [
      "hosts: { a: { ssh_host: 10.77.0.9, ssh_user: 'x; y' } }",
      "",
      'hosts.a.ssh_user: "x; y" cannot be a user of a host',
    ],
    [
      "p2p_voters: []",
      "",
      "inventory:\n✖ Invalid input: expected record, received undefined\n  → at hosts",
    ],
  ])("refuses %s with %s", (inventory, facts, message) => {
    expect(() => readMachines(inventory, facts)).toThrow(message);
  });
});
