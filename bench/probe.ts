/**
 * What a probe costs beside what its handshakes cost : prints, for each number of hosts, the bare handshakes as the
 * floor, the same with one bare command, the probe, and what share of the floor each takes. All talk to the same SSH server, which is another process and
 * stands for all hosts; its processor time is not counted, though on few cores it makes the wall time longer.
 *
 *   node bench/probe.js [HOSTS ...]       default: 50 and 500
 */

import { availableParallelism } from "node:os";
import { measureProbe, startServers } from "./probeCost";

const ROUNDS = 3;

function print(name: string, wall: string, cpu: string, ratio: string): void {
  const columns = [name.padEnd(18), wall.padStart(8), cpu.padStart(10), ratio.padStart(14)];
  process.stdout.write(`  ${columns.join(" ")}\n`);
}

async function main(): Promise<void> {
  const [program = "", ...words] = process.argv.slice(2);
  const sizes = words.map(Number).filter(Number.isInteger);
  const servers = await startServers(program);
  try {
    for (const count of sizes.length > 0 ? sizes : [50, 500]) {
      const costs = await measureProbe(servers, count, ROUNDS);
      process.stdout.write(`${count} hosts, ${availableParallelism()} cores\n`);
      print("", "wall", "CPU here", "of the floor");
      for (const [name, { wall, cpu }] of [
        ["handshakes (floor)", costs.floor],
        ["and a bare command", costs.asked],
        ["probe", costs.probe],
      ] as const) {
        const ratio = `${(wall / costs.floor.wall).toFixed(2)}, ${(cpu / costs.floor.cpu).toFixed(2)}`;
        print(name, `${wall.toFixed(2)} s`, `${cpu.toFixed(2)} s`, ratio);
      }
    }
  } finally {
    await servers.stop();
  }
}

void main();
