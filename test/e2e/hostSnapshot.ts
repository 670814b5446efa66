/** What stands and runs on a host, for telling whether it is as it was before. */

import { rootFromOutside } from "../../lab/hosts/boot";
import { runChecked } from "../../lab/fleet/run";
import { type Lab } from "../../lab/fleet/lab";

export interface HostSnapshot {
  /** Every file with type, mode, owner, and its size or target; directories without a size. */
  readonly files: readonly string[];
  /** Contents where people keep something. */
  readonly contents: readonly string[];
  readonly units: readonly string[];
  readonly processes: readonly string[];
}

/** What a running system writes by itself, and what the daemon keeps as its own data. */
const NOISE = [
  ...["proc", "sys", "dev", "run", "tmp", "var/tmp", "var/cache", "var/log", "root/.ssh"],
  ...["var/lib/systemd", "var/lib/apt", "var/lib/dpkg", "var/lib/sudo", "var/lib/private"],
  ...["etc/machine-id", "etc/.pwd.lock", "etc/.updated", "var/.updated", "var/lib/dbus"],
];
const DATA = ["data", "logs", "p2p_state", "models", "games", "runs"];

/** Places of the noise in which something of ours could be left nevertheless. */
const STILL_LOOKED_AT = "/run /tmp /var/tmp /var/cache /var/log /var/lib";

export async function snapshot(lab: Lab, host: string): Promise<HostSnapshot> {
  const root = rootFromOutside(lab, host);
  const prune = [
    ...NOISE.map((path) => `-path ${root}/${path}`),
    ...DATA.map((name) => `-path '*/ai-service/${name}'`),
    "-name __pycache__",
  ].join(" -o ");
  const find = `find ${root} -xdev \\( ${prune} \\) -prune -o`;
  const text = await runChecked("listing a host", [
    ...["sh", "-ec"],
    `{ ${find} -type d -printf 'D /%P %m %U:%G\\n' -o -type l -printf 'L /%P %l\\n' -o -printf '%y /%P %m %U:%G %s\\n'; } | sort
echo ---
cd ${root}; find etc root home opt srv workspace usr/local -xdev -type f ${DATA.map((name) => `-not -path '*/ai-service/${name}/*'`).join(" ")} -not -path 'root/.ssh/*' -not -name '*.pyc' -exec cksum {} + 2>/dev/null | sort -k 3`,
  ]);
  const [files = "", contents = ""] = text.split("---\n");
  const inside = await lab.inside(host, ["sh"], {
    // What runs only while a machine boots is not how it was.
    input: `systemctl is-system-running --wait > /dev/null 2>&1
find ${STILL_LOOKED_AT} \\( -name '*p2p-fleet*' -o -name '*ringrift*' \\) 2>/dev/null
echo ---
systemctl list-unit-files --no-legend --no-pager --plain 2>/dev/null
systemctl list-units --all --no-legend --no-pager --plain --type=service,timer,path,socket 2>/dev/null | cut -d' ' -f1
supervisorctl status 2>/dev/null | cut -d' ' -f1
echo ---
ps -eo args=
`,
  });
  const [left = "", units = "", processes = ""] = inside.stdout.split("---\n");
  return {
    files: [...lines(files), ...lines(left)],
    contents: lines(contents),
    units: lines(units).filter((line) => !/^(user@|user-runtime-dir@|session-|run-)/.test(line)),
    processes: lines(processes).filter((line) => !isPassing(line)),
  };
}

/** Logins, what they start, and this look itself. */
function isPassing(line: string): boolean {
  return /^(sshd: |ps -eo|sh$|\[|\(sd-pam\)|\/lib\/systemd\/systemd( --user|-\w+$)|systemctl|\/sbin\/agetty)/.test(
    line,
  );
}

function lines(text: string): string[] {
  return [...new Set(text.split("\n").filter((line) => line !== ""))].sort();
}

/** Only what differs, so that a failure can be read. */
export function difference(before: HostSnapshot, after: HostSnapshot): string[] {
  const parts = ["files", "contents", "units", "processes"] as const;
  return parts.flatMap((part) => [
    ...before[part].filter((line) => !after[part].includes(line)).map((line) => `- ${line}`),
    ...after[part].filter((line) => !before[part].includes(line)).map((line) => `+ ${line}`),
  ]);
}
