import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { waitForLogin } from "../../lab/hosts/boot";
import { enginesHere, LabFleet } from "./labFleet";
import { smallLab } from "./smallLab";

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "containers with a volume" : `containers (skipped here: ${why})`;

const CONTAINERS = ["c1", "c2"];
const FOLDER = "/workspace/.ringrift-p2p";

onLab.each(enginesHere())(`${title}, on $name`, (engine) => {
  const folder = mkdtempSync(join(tmpdir(), "volume-"));
  let fleet: LabFleet;

  beforeAll(async () => {
    const files = smallLab(folder, {
      hosts: ["h1", ...CONTAINERS],
      voters: ["h1"],
      volumes: CONTAINERS,
    });
    fleet = await LabFleet.up(engine, files);
    await fleet.stopQuickly(["h1", ...CONTAINERS]);
  });

  afterAll(async () => {
    await (fleet as LabFleet | undefined)?.lab.down();
    rmSync(folder, { recursive: true });
  });

  const settled = async (): Promise<number | null> =>
    (await fleet.pulumi("preview", "--expect-no-changes")).code;
  const keyOf = (host: string): Promise<string> =>
    fleet.on(host, "cat /etc/ssh/ssh_host_ed25519_key.pub");

  it("keeps their host keys there, and leaves machines alone", async () => {
    await fleet.mustUp();
    for (const host of CONTAINERS) {
      const kept = await fleet.on(host, `cat ${FOLDER}/ssh/ssh_host_ed25519_key.pub`);
      expect(kept).toBe(await keyOf(host));
      const modes = `stat -c '%a %U' ${FOLDER}/ssh ${FOLDER}/ssh/ssh_host_ed25519_key`;
      expect(await fleet.on(host, modes)).toBe("700 root\n600 root");
      expect(await fleet.on(host, "grep -c 'ringrift-p2p host keys >>>' /root/onstart.sh")).toBe(
        "1",
      );
    }
    expect(await fleet.on("h1", `ls -d ${FOLDER} 2>/dev/null || true`)).toBe("");
    expect(await settled()).toBe(0);
  });

  it("shows in preview that they are not kept any more, and mends just that", async () => {
    await fleet.on("c2", `rm ${FOLDER}/ssh/ssh_host_ed25519_key`);
    const preview = await fleet.pulumi("preview", "--diff");
    expect(preview.stdout).toMatch(
      /ssh host keys\s*: "kept in \/workspace\/.ringrift-p2p → another set is kept"/,
    );
    expect(await fleet.mustUp()).toMatch(/Resources:\n\s+~ 1 updated\n/);
    expect(await settled()).toBe(0);
  });

  it("knows a container again that has a new disk, and makes it what the file says", async () => {
    const before = await Promise.all(CONTAINERS.map(keyOf));
    await Promise.all(CONTAINERS.map((host) => fleet.lab.recreate(host)));
    // Only the key that the inventory pins lets anybody in.
    for (const host of CONTAINERS) await waitForLogin(fleet.lab, fleet.lab.machine(host));
    expect(await Promise.all(CONTAINERS.map(keyOf))).toEqual(before);
    expect(await fleet.on("c2", "ls -d /opt/ringrift-p2p 2>/dev/null || true")).toBe("");
    await fleet.stopQuickly(CONTAINERS);
    await fleet.mustUp();
    const times = await fleet.startTimes(CONTAINERS);
    expect(CONTAINERS.filter((host) => times[host] === null)).toEqual([]);
    expect(await settled()).toBe(0);
  });

  it("takes them away with everything else of ours", async () => {
    const before = await keyOf("c2");
    fleet.edit(["hosts", "c2", "status"], "retired");
    await fleet.mustUp();
    expect(await fleet.on("c2", `ls -d ${FOLDER} 2>/dev/null || true`)).toBe("");
    expect(await fleet.on("c2", "cat /root/onstart.sh")).toBe(`#!/bin/bash
# What the renter of this container wants started with it.
[ -x ${FOLDER}/start ] && ${FOLDER}/start`);
    expect(await keyOf("c2")).toBe(before);
  });
});
