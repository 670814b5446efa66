import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { LabError } from "./labError";
import { MACHINE_PACKAGES } from "./packages";
import { type Progress } from "./progress";
import { runChecked } from "./run";

/** What decides whether a machine can carry a lab. */
export interface MachineFacts {
  readonly platform: NodeJS.Platform;
  /** Effective user ID. */
  readonly uid: number;
  /** Text of /etc/os-release, empty where there is none. */
  readonly osRelease: string;
  /** Packages that are missing. */
  readonly missing: readonly string[];
}

/** Why the machine cannot carry a lab, all reasons in one sentence; null when it can, or can after an installation. */
export function whyNoLab(facts: MachineFacts): string | null {
  const reasons: string[] = [];
  const isDebian = /^ID=("?)debian\1$/m.test(facts.osRelease);
  const version = /^VERSION_ID="?(\d+)/m.exec(facts.osRelease)?.[1];
  if (facts.platform !== "linux") reasons.push(`Linux (this is ${facts.platform})`);
  else if (!isDebian || Number(version) < 12) {
    const name = /^PRETTY_NAME="?([^"\n]*)/m.exec(facts.osRelease)?.[1] ?? "something else";
    reasons.push(`Debian 12 or newer (this is ${name})`);
  }
  if (facts.uid !== 0) reasons.push(`root (this is user ID ${facts.uid})`);
  if (reasons.length === 0) return null;
  return `The lab boots real hosts, for which it needs ${reasons.join(" and ")}. Nothing was changed.`;
}

function onPath(command: string): boolean {
  if (isAbsolute(command)) return existsSync(command);
  const dirs = `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin`.split(":");
  return dirs.some((dir) => dir !== "" && existsSync(join(dir, command)));
}

export function machineFacts(): MachineFacts {
  const osRelease = "/etc/os-release";
  return {
    platform: process.platform,
    uid: process.geteuid?.() ?? -1,
    osRelease: existsSync(osRelease) ? readFileSync(osRelease, "utf8") : "",
    missing: Object.entries(MACHINE_PACKAGES)
      .filter(([command]) => !onPath(command))
      .map(([, name]) => name),
  };
}

/**
 * Installs the packages that the lab needs on this machine and does not have.
 * @throws LabError "machine" when this machine cannot carry a lab, or still lacks something afterwards
 */
export async function prepareMachine({ step, detail }: Progress): Promise<void> {
  const facts = machineFacts();
  const why = whyNoLab(facts);
  if (why !== null) throw new LabError("machine", why);
  if (facts.missing.length === 0) return;
  step(`packages: installing ${facts.missing.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" };
  // Several labs may begin at once on a new machine, and apt does not wait for another apt.
  const apt = ["flock", "/run/fleet-lab-packages.lock", "apt-get", "-q", "-y"];
  const options = { env, onLine: (line: string) => detail(`packages: ${line}`) };
  await runChecked("apt-get update", [...apt, "update"], options);
  const install = [...apt, "--no-install-recommends", "install", ...facts.missing];
  await runChecked("apt-get install", install, options);
  const left = machineFacts().missing;
  if (left.length > 0) {
    throw new LabError("machine", `Still missing after the installation: ${left.join(" ")}`);
  }
}
