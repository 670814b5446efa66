/** A process that owns a lab and does nothing else, for the tests of what happens when it is killed. */
import { Lab } from "../../../lab/fleet/lab";

const [id, inventory, machines] = process.argv.slice(-3);

async function main(): Promise<void> {
  await Lab.up({ id, inventory, machines });
  process.stderr.write("up\n");
  setInterval(() => undefined, 60_000);
}

void main();
