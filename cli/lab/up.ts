import { type Command } from "commander";
import { type Lab } from "../../lab/fleet/lab";
import { LabError } from "../../lab/fleet/labError";
import { type LabOptions } from "../../lab/fleet/options";
import { parseServices } from "../../lab/fleet/services";
import { guarded, labSubcommand, positive } from "./action";
import { converge } from "./converge";
import { progress, type VisibleProgress } from "./progress";
import { statusReport } from "./status";

interface UpOptions {
  readonly id?: string;
  readonly inventory?: string;
  readonly machines?: string;
  readonly disk?: string;
  readonly with?: string;
  readonly converge: boolean;
  readonly json?: boolean;
}

/** `fleet lab up` */
export function upCommand(): Command {
  return labSubcommand("up", "boot the lab and converge it with the Pulumi program")
    .option("--inventory <file>", "another fleet (default: lab/lab.yaml)")
    .option("--machines <file>", "what stands behind its addresses (default: lab/machines.yaml)")
    .option("--disk <MiB>", "size of each host's disk (default: 768)")
    .option("--with <services>", "stand-ins beside the hosts: tailnet, cloudflare, or both")
    .option("--no-converge", "only boot")
    .option("--json", "print the hosts as JSON")
    .action(guarded(up));
}

async function up(options: UpOptions): Promise<void> {
  const shown = progress();
  const started = performance.now();
  try {
    const lab = await bootOrAttach(options, shown);
    const booted = performance.now();
    shown.step(`lab ${lab.id}: booted in ${((booted - started) / 1000).toFixed(1)} s`);
    if (options.converge) {
      shown.stop();
      process.exitCode = await converge(lab, ["up", "--yes", "--skip-preview"], 2);
      shown.step(`converged in ${((performance.now() - booted) / 1000).toFixed(1)} s`);
    }
    shown.stop();
    process.stdout.write(await statusReport(lab, options.json === true));
  } finally {
    shown.stop();
  }
}

/** A lab that is up is converged again, not booted again. */
async function bootOrAttach(options: UpOptions, shown: VisibleProgress): Promise<Lab> {
  const { Lab } = await import("../../lab/fleet/lab");
  const wanted = options.with === undefined ? undefined : parseServices(options.with);
  const diskSize = options.disk === undefined ? undefined : positive("--disk", options.disk);
  const running = Lab.find(options.id);
  if (running) {
    const missing = wanted?.find((service) => !running.record.with.includes(service));
    if (missing !== undefined) {
      const text = `lab ${running.id} is up without ${missing}; end it first: fleet lab down`;
      throw new LabError("state", text);
    }
    shown.step(`lab ${running.id}: is up`);
    return running;
  }
  const args: LabOptions = {
    id: options.id,
    inventory: options.inventory,
    machines: options.machines,
    diskSize,
    with: wanted,
    progress: shown,
  };
  const interrupted = new AbortController();
  const onSignal = (): void => interrupted.abort();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal).on("SIGHUP", onSignal);
  try {
    const lab = await Lab.up({ ...args, signal: interrupted.signal });
    lab.keep();
    return lab;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal).off("SIGHUP", onSignal);
  }
}
