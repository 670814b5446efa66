import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineFacts, whyNoLab } from "../../lab/fleet/machineCheck";
import { FAULT_SUMMARIES, type FaultName } from "../../lab/hosts/faults/summaries";
import { randomNumbers } from "../conformance/random";
import { enginesHere, LabFleet } from "./labFleet";
import { Observer, summary, withoutQuorum } from "./observer";
import { killRun, type RunPart } from "./runProcesses";
import { smallLab } from "./smallLab";
import { changeEveryHost, type Disturbance, tryOut, type Watched } from "./trial";

// `npm test` tries a few, chosen by the seed; `npm run test:soak` (FAULT_KILLS=20) every fault and many kills.
// What this cannot prove: several faults at once, and machines whose kernel or clock fails.

const why = whyNoLab(machineFacts());
const onLab = why === null ? describe : describe.skip;
const title = why === null ? "faults and kills" : `faults and kills (skipped here: ${why})`;

const soak = process.env["FAULT_KILLS"] !== undefined;
const kills = Number(process.env["FAULT_KILLS"] ?? 2);
const seed = Number(process.env["FAULT_SEED"] ?? Date.now() % 1_000_000);

/** In the soak five voters, so that the quorum stands although one is broken: nothing has to be overlooked. */
const VOTERS = soak ? ["h1", "h2", "h3", "h4", "h5"] : ["h1", "h2", "h3"];
/** The canary; a container in the soak, whose restarts take three times as long. */
const CANARY = soak ? "c1" : "h5";
const VISIBLE = [...VOTERS, "h6"];
const LIVE = [...VISIBLE, CANARY];
const WATCHED: Watched = { voters: VOTERS, quorum: Math.floor(VOTERS.length / 2) + 1, live: LIVE };

interface Case {
  readonly name: string;
  readonly host?: string;
  /** Share of a run's usual time; undefined: before the run. */
  readonly moment?: number;
  readonly fault?: FaultName;
  readonly part?: RunPart;
}

const random = randomNumbers(seed);
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const moment = (): number => Math.round((0.1 + random() * 0.85) * 100) / 100;

function faultCase(fault: FaultName, isBefore: boolean): Case {
  const host = pick([...VOTERS, CANARY]);
  const share = isBefore ? undefined : moment();
  const when = share === undefined ? "before the run" : `after ${share} of a run`;
  return { name: `${fault} on ${host} ${when}`, fault, host, moment: share };
}

function killCase(index: number): Case {
  const share = moment();
  // Which of them comes first follows from the seed, since `npm test` has time for two.
  const part = (["engine", "program", undefined] as const)[(index + seed) % 3];
  const host = part === undefined ? pick([...VOTERS, CANARY]) : undefined;
  return {
    name: `kill -9 of ${host ?? `the ${part}`} after ${share} of a run`,
    part,
    host,
    moment: share,
  };
}

/** Switching a host off is what a kill of a host does. */
const faults = (Object.keys(FAULT_SUMMARIES) as FaultName[]).filter((fault) => fault !== "off");
const cases: Case[] = [
  ...Array.from({ length: kills }, (_, index) => killCase(index)),
  ...(soak
    ? faults.flatMap((fault) => [faultCase(fault, true), faultCase(fault, false)])
    : [faultCase(pick(faults), seed % 2 === 0)]),
];

onLab.each(enginesHere())(`${title}, on $name, seed ${seed}`, (engine) => {
  const folder = mkdtempSync(join(tmpdir(), "faults-"));
  let fleet: LabFleet;
  let observer: Observer;
  /** Milliseconds that an undisturbed run took here, at this load. */
  let usual = 0;

  beforeAll(async () => {
    const files = smallLab(folder, { hosts: LIVE, voters: VOTERS });
    fleet = await LabFleet.up(engine, files);
    await fleet.stopQuickly(LIVE);
    observer = Observer.start(fleet.lab, VISIBLE);
  });

  afterAll(async () => {
    await (fleet as LabFleet | undefined)?.lab.down();
    rmSync(folder, { recursive: true });
  });

  it("converges, with a quorum at every look from the first one on", async () => {
    await fleet.mustUp();
    const begun = Date.now();
    changeEveryHost(fleet);
    await fleet.mustUp();
    usual = Date.now() - begun;
    expect(withoutQuorum(observer.between(0, begun + usual), VOTERS, WATCHED.quorum)).toEqual([]);
  });

  const disturbanceOf = ({ name, host, fault, part, moment: share }: Case): Disturbance => {
    const disturb = async (): Promise<void> => {
      if (part !== undefined) killRun(fleet.lab.id, part);
      else if (host !== undefined) await fleet.lab.break(host, fault ?? "off");
    };
    const during = async (): Promise<void> => {
      await new Promise((resolve) => setTimeout(resolve, (share ?? 0) * usual));
      await disturb();
    };
    const undo = async (): Promise<void> => {
      if (host !== undefined) await fleet.lab.heal(host);
    };
    return { name, host, undo, ...(share === undefined ? { before: disturb } : { during }) };
  };

  it.each(cases)("$name: nobody else is harmed, and the next up converges", async (one) => {
    const begun = Date.now();
    const trouble = await tryOut(fleet, observer, WATCHED, disturbanceOf(one));
    if (soak) {
      // Hours may pass before the last one is through.
      const said = summary(observer.between(begun, Date.now()), VOTERS, WATCHED.quorum);
      const ended = trouble.length === 0 ? "well" : `NOT WELL: ${trouble.join("\n")}`;
      const seconds = Math.round((Date.now() - begun) / 1000);
      process.stdout.write(`${one.name}: ${said}, ${seconds} s, ${ended}\n`);
    }
    expect(trouble).toEqual([]);
  });

  it("was watched from the first quorum to the end", async () => {
    const samples = await observer.stop();
    process.stdout.write(`seed ${seed}: ${summary(samples, VOTERS, WATCHED.quorum)}\n`);
    expect(samples.length).toBeGreaterThan(10);
    // With five voters no single fault excuses a look without a quorum.
    if (soak) expect(withoutQuorum(samples, VOTERS, WATCHED.quorum)).toEqual([]);
  });
});
