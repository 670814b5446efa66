import { Command } from "commander";
import { Lab } from "../lab/fleet/lab";

export function labCommand(): Command {
  const lab = new Command("lab");
  lab.command("up").action(async () => {
    const l = await Lab.up({ progress: { step: (t) => console.log(t) } });
    l.keep();
  });
  lab.command("down").action(async () => Lab.attach().down());
  lab
    .command("ssh")
    .argument("host")
    .argument("[cmd...]")
    .action(async (h: string, c: string[]) => {
      const r = await Lab.attach().ssh(h, c);
      process.stdout.write(r.stdout + r.stderr);
      process.exitCode = r.code ?? 255;
    });
  return lab;
}
