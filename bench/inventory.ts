/**
 * Measures how long loading and planning an inventory takes in process, after warm-up, for 45 and 500 hosts: the median of
 * many runs in wall-clock and processor time, and the share of the YAML parser alone. Prints one JSON object.
 *
 * Aims, on a free machine: 60 ms for 45 hosts, 400 ms for 500. usage: node bench/inventory.js [RUNS]
 */

import { LineCounter, parseDocument } from "yaml";
import { loadInventory } from "../hosts/inventory";
import { inventoryOf } from "./syntheticInventory";

const AIMS = [
  { hosts: 45, aim: 60 },
  { hosts: 500, aim: 400 },
] as const;
const WARM_UP = 10;
const RUNS = Number(process.argv[2] ?? 40);

interface Measured {
  /** Milliseconds. */
  readonly wall: number;
  readonly processor: number;
}

function measure(run: () => void): Measured {
  for (let index = 0; index < WARM_UP; index += 1) run();
  const walls: number[] = [];
  const processors: number[] = [];
  for (let index = 0; index < RUNS; index += 1) {
    const usage = process.cpuUsage();
    const start = process.hrtime.bigint();
    run();
    walls.push(Number(process.hrtime.bigint() - start) / 1e6);
    const { user, system } = process.cpuUsage(usage);
    processors.push((user + system) / 1e3);
  }
  return { wall: median(walls), processor: median(processors) };
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10;
}

const results = AIMS.map(({ hosts, aim }) => {
  const text = inventoryOf(hosts);
  const { plan, findings } = loadInventory(text, "bench.yaml");
  if (plan?.hosts.size !== hosts || findings.some(({ severity }) => severity === "error"))
    throw new Error("the inventory of this benchmark has errors");
  const load = measure(() => loadInventory(text, "bench.yaml"));
  const parser = measure(() =>
    parseDocument(text, { lineCounter: new LineCounter(), merge: true, uniqueKeys: false }),
  );
  const parserShare = Math.round((100 * parser.processor) / load.processor) / 100;
  return { hosts, kilobytes: Math.round(text.length / 1000), aim, load, parser, parserShare };
});
process.stdout.write(`${JSON.stringify({ runs: RUNS, unit: "ms", results }, null, 2)}\n`);
