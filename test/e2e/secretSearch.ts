/** Looks for a text everywhere on hosts and on the controller where a secret could be left. */

import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Lab } from "../../lab/fleet/lab";
import { run } from "../../lab/fleet/run";
import { hostPaths } from "../../lab/hosts/container";

/**
 * Places on a host that hold the text: files of its disk (all that differ from the base root) and of its memory file
 * systems, command lines, environments, the journal.
 */
export async function findOnHost(lab: Lab, host: string, text: string): Promise<string[]> {
  const disk = `/proc/${lab.init}/root${hostPaths(lab.directory.path, host).disk}/upper`;
  // The text goes over pipes only: the search must not be what is found.
  const onDisk = await run(["grep", "-rlsF", "-f", "-", disk], { input: `${text}\n` });
  const inside = await lab.inside(host, ["sh"], {
    input: `text() { printf '%s\\n' '${text}'; }
text | grep -rlsF -f - /run /dev/shm
text | grep -lsF -f - /proc/[0-9]*/cmdline | sed 's,/proc/[0-9]*/,process ,'
text | grep -lsF -f - /proc/[0-9]*/environ | sed 's,/proc/[0-9]*/,process ,'
journalctl --no-pager --all -o export 2>/dev/null | grep -acF '${text}' | sed -n 's/^[1-9].*/journal/p'
`,
  });
  const files = onDisk.stdout.split("\n").map((path) => path.replace(disk, ""));
  const found = [...files, ...inside.stdout.split("\n")].filter((line) => line !== "");
  // The journal's own files are told as the journal.
  return [...new Set(found.filter((path) => !path.includes("/log/journal/")))].sort();
}

/** Files below a folder that hold the text; what links lead to is elsewhere. */
export function findInFolder(folder: string, text: string): string[] {
  const holds = (file: string): boolean => {
    try {
      const isOwn = realpathSync(file) === file && statSync(file).isFile();
      return isOwn && readFileSync(file).includes(text);
    } catch (error) {
      // It was renamed or removed since the folder was listed.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  };
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => holds(join(folder, name)))
    .sort();
}

/**
 * Watches the command lines of this machine, its labs' hosts among them, while something runs.
 * @returns in `seen` those that had the text, whoever's they are
 */
export async function watchCommandLines<T>(
  text: string,
  action: () => Promise<T>,
): Promise<{ result: T; looks: number; seen: string[] }> {
  const seen = new Set<string>();
  let looks = 0;
  const look = (): void => {
    looks += 1;
    for (const name of readdirSync("/proc")) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, "utf8");
        if (words.includes(text)) seen.add(words.replaceAll("\0", " "));
      } catch {
        // It has ended.
      }
    }
  };
  const timer = setInterval(look, 100);
  try {
    return { result: await action(), looks, seen: [...seen] };
  } finally {
    clearInterval(timer);
  }
}
