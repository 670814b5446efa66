import fc from "fast-check";
import { parse } from "yaml";
import { editAddresses } from "../../cli/sync/edit";
import { matchDevices, type SeenDevice } from "../../cli/sync/match";

const device = (
  hostname: string,
  address: string,
  changes: Partial<SeenDevice> = {},
): SeenDevice => ({
  id: `n-${address}`,
  hostname,
  name: `${hostname}.example.ts.net`,
  addresses: [address, "fd7a:115c:a1e0::1"],
  tags: ["tag:vast-nodes"],
  isConnected: true,
  lastSeen: "2026-11-22T10:00:00Z",
  ...changes,
});
const match = (hosts: Record<string, string | null>, devices: SeenDevice[]) =>
  matchDevices(new Map(Object.entries(hosts)), devices, ["tag:vast-nodes"]);

describe("matchDevices", () => {
  it("has nothing to say where every address is current, whatever the device is called", () => {
    expect(
      match({ a: "100.64.0.1", b: "100.64.0.2", c: null }, [
        device("a", "100.64.0.1"),
        device("ip-192-0-2-7", "100.64.0.2"),
      ]),
    ).toEqual({ changes: [], doubles: [], alike: [], unclaimed: [] });
  });

  it("finds new devices by name, and addresses that are no device's any more", () => {
    const hosts = { gpu_1: null, a: "100.64.0.9", b: "100.64.0.8" };
    expect(
      match(hosts, [device("gpu-1", "100.64.0.3"), device("a", "100.64.0.4")]).changes,
    ).toEqual([
      { host: "a", before: "100.64.0.9", after: "100.64.0.4" },
      { host: "b", before: "100.64.0.8", after: null },
      { host: "gpu_1", before: null, after: "100.64.0.3" },
    ]);
  });

  it("takes the connected one of two devices of a host, and names the other", () => {
    const old = device("a", "100.64.0.1", { isConnected: false });
    const young = device("a", "100.64.0.2", { name: "a-1.example.ts.net" });
    expect(match({ a: "100.64.0.1" }, [old, young])).toEqual({
      changes: [{ host: "a", before: "100.64.0.1", after: "100.64.0.2" }],
      doubles: [{ host: "a", device: old }],
      alike: [],
      unclaimed: [],
    });
    const both = { ...old, isConnected: true };
    expect(match({ a: "100.64.0.1" }, [young, both]).changes).toEqual([]);
  });

  it("takes no one's own device for a host that is called the same", () => {
    const laptop = device("a", "100.64.0.7", { tags: [], name: "a-1.example.ts.net" });
    const own = device("a", "100.64.0.1", { isConnected: false, lastSeen: "2026-11-20T10:00:00Z" });
    const told = match({ a: null }, [laptop, own]);
    expect(told.changes).toEqual([{ host: "a", before: null, after: "100.64.0.1" }]);
    expect(told.doubles).toEqual([{ host: "a", device: laptop }]);
    // The file says that it is this one, and it is there.
    expect(match({ a: "100.64.0.7" }, [laptop, own]).changes).toEqual([]);
  });

  it("leaves hosts whose devices are called alike to a person", () => {
    const hosts = { "gpu.7": "100.64.0.9", gpu_7: null, other: null };
    const devices = [device("gpu-7", "100.64.0.1"), device("other", "100.64.0.2")];
    expect(match(hosts, devices)).toEqual({
      changes: [{ host: "other", before: null, after: "100.64.0.2" }],
      ...{ doubles: [], alike: ["gpu.7", "gpu_7"], unclaimed: [] },
    });
  });

  it("gives a device to the host that it says it is", () => {
    const second = device("a", "100.64.0.2", { name: "a-1.example.ts.net" });
    expect(match({ a: null, "a-1": null }, [second]).changes).toEqual([
      { host: "a", before: null, after: "100.64.0.2" },
    ]);
    expect(match({ a: "100.64.0.2", b: "100.64.0.2" }, [second]).changes).toEqual([
      { host: "b", before: "100.64.0.2", after: null },
    ]);
  });

  it("takes no address away on the word of outputs, which may miss a host", () => {
    const hosts = new Map(Object.entries({ a: "100.64.0.9", b: "100.64.0.8" }));
    expect(
      matchDevices(hosts, [device("a", "100.64.0.1")], ["tag:vast-nodes"], false).changes,
    ).toEqual([{ host: "a", before: "100.64.0.9", after: "100.64.0.1" }]);
  });

  it("names devices with the fleet's tags that the file does not know", () => {
    const stranger = device("vast-7", "100.64.0.7");
    const phone = device("phone", "100.64.0.8", { tags: [] });
    expect(match({ a: null }, [stranger, phone]).unclaimed).toEqual([stranger]);
  });
});

const FILE = `# The fleet.
hosts:
  # first
  a:
    ssh_host: 192.0.2.1 # gateway
    tailscale_ip: 100.64.0.1
    status: ready
  b: # second
      ssh_host: 192.0.2.2
      ssh_port: 22
      # about the role
      role: backbone
  c: { ssh_host: 192.0.2.3, tailscale_ip: 100.64.0.3 }
  d:
    ssh_host: 192.0.2.4
    tailscale_ip: 100.64.0.4 # by hand
  e:
    ssh_host: 192.0.2.5
    tailscale_ip:
`;

describe("editAddresses", () => {
  it("changes these values and no other character", () => {
    const edited = editAddresses(FILE, [
      { host: "a", before: "100.64.0.1", after: null },
      { host: "b", before: null, after: "100.64.0.12" },
      { host: "c", before: "100.64.0.3", after: "100.64.0.13" },
      { host: "d", before: "100.64.0.4", after: null },
      { host: "e", before: null, after: "100.64.0.15" },
    ]);
    expect(edited).toEqual({
      refused: [],
      text: FILE.replace("    tailscale_ip: 100.64.0.1\n", "")
        .replace("      ssh_port: 22\n", "      ssh_port: 22\n      tailscale_ip: 100.64.0.12\n")
        .replace("100.64.0.3 }", "100.64.0.13 }")
        .replace("tailscale_ip: 100.64.0.4 #", "tailscale_ip: null #")
        .replace("    tailscale_ip:\n", "    tailscale_ip: 100.64.0.15\n"),
    });
  });

  it("keeps line ends as they are", () => {
    const text = "hosts:\r\n  a:\r\n    ssh_host: x\r\n    role: y\r\n";
    expect(editAddresses(text, [{ host: "a", before: null, after: "100.64.0.1" }]).text).toBe(
      "hosts:\r\n  a:\r\n    ssh_host: x\r\n    tailscale_ip: 100.64.0.1\r\n    role: y\r\n",
    );
  });

  it("refuses an entry through which another host would change", () => {
    const text =
      "hosts:\n  a: &x\n    ssh_host: 192.0.2.1\n    tailscale_ip: 100.64.0.1\n  b: *x\n";
    const changes = [{ host: "a", before: "100.64.0.1", after: "100.64.0.2" }];
    expect(editAddresses(text, changes)).toEqual({ text, refused: ["a"] });
  });

  it("gives what was wanted, and every comment, whatever is changed in which order", () => {
    const address = fc.option(fc.integer({ min: 1, max: 254 }).map((last) => `100.64.9.${last}`));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("a", "b", "c", "d", "e"), address), (wanted) => {
        const changes = Object.entries(wanted).map(([host, after]) => ({
          host,
          before: null,
          after,
        }));
        const { text, refused } = editAddresses(FILE, changes);
        expect(refused).toEqual([]);
        const read = (from: string) =>
          parse(from) as { hosts: Record<string, Record<string, unknown>> };
        const expected = read(FILE).hosts;
        const found = read(text).hosts;
        for (const [host, after] of Object.entries(wanted)) {
          expect(found[host]?.["tailscale_ip"] ?? null).toBe(after);
          delete found[host]?.["tailscale_ip"];
          delete expected[host]?.["tailscale_ip"];
        }
        expect(found).toEqual(expected);
        expect(text.match(/#.*/g)).toEqual(FILE.match(/#.*/g));
      }),
    );
  });
});
