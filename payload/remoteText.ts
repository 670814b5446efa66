import { deflateSync } from "node:zlib";
import { agentDir, packAgent } from "./agent";
import { sha256 } from "./digest";
import { type Facts, NOTHING_FOUND } from "./facts";
import { type FactsRequest } from "./spec";

/**
 * The texts that a host's login shell gets. Whatever that shell is, sh does the work. The scripts hold no single quote,
 * which is all the quoting that is needed, and are one line: csh ends a quoted text where the line ends.
 */

/** A phase that the staged agent runs. `disarm` is how the controller stops a dead-man timer. */
export type Phase = "prepare" | "secrets" | "join" | "activate" | "disarm";

/** A command and what to write to its stdin. */
export interface RemoteScript {
  readonly command: string;
  readonly stdin: string;
}

/** Seconds after which the host itself ends a command. */
export const COMMAND_SECONDS = 900;

/** Runs the agent from memory: the first line of stdin is the packed agent, the rest is for the phase. */
const FROM_MEMORY =
  "import sys,json,zlib,base64;p=sys.stdin.readline().strip();m=json.loads(zlib.decompress(base64.b64decode(p)));exec(m[0][1])";

/** The same, from the file that its second argument names; ends with 75 unless the third is the digest of that. */
const FROM_FILE =
  "import sys,json,zlib,base64,hashlib;p=open(sys.argv[2]).read();hashlib.sha256(p.encode()).hexdigest()==sys.argv[3] or sys.exit(75);m=json.loads(zlib.decompress(base64.b64decode(p)));exec(m[0][1])";

/** A login's locale may be one of another encoding than what is sent and told. */
const PYTHON = "python3 -Xutf8";

/** JSON inside `echo "…"`, where sh fills in `$…`. */
function echo(value: unknown): string {
  return `echo "${JSON.stringify(value).replaceAll('"', '\\"')}"`;
}

/** Defines `last_words ERROR`: a verdict for the cases in which no agent could give one. */
function defineLastWords(phase: string): string {
  const verdict = { phase, node: "", ok: false, outcome: "failed", steps: [], error: "$1" };
  return `last_words() { ${echo({ ...verdict, notes: [], runId: "", at: "" })}; }`;
}

/** @param error text without a double quote; sh fills in `$…` */
function lastWords(error: string): string {
  return `last_words "${error}"`;
}

function throughSh(lines: readonly string[]): string {
  const script = lines.reduce((text, line) => `${text}${/ then$/.test(text) ? " " : "; "}${line}`);
  if (script.includes("'")) throw new Error("the script must not contain a single quote");
  return `exec sh -c '${script}'`;
}

/** Puts `sudo -n` and `timeout` before a command, in "$@"; ends with a verdict where neither root nor sudo is. */
function elevated(phase: string): readonly string[] {
  return [
    defineLastWords(phase),
    `set --`,
    `if [ "$(id -u)" != 0 ]; then`,
    `sudo -n true 2>/dev/null || { ${lastWords("the login user is neither root nor has passwordless sudo")}; exit 0; }`,
    `set -- sudo -n`,
    `fi`,
  ];
}

function limited(seconds: number, grace: number): string {
  return `! command -v timeout >/dev/null || set -- "$@" timeout -k ${grace} ${seconds}`;
}

function orLastWords(): string {
  return `r=$?; [ $r = 0 ] || ${lastWords("the agent ended with code $r (124: out of time)")}`;
}

/** zlib and base64 of a staged content. */
export function packContent(text: string): string {
  return deflateSync(text, { level: 9 }).toString("base64");
}

/**
 * Brings the agent, and Python where there is none, outside of any state: it is the same for every host
 * and far larger than what is said to one. Content-addressed and idempotent; `prepare`, `secrets` and
 * `activate` run what it installed. Only for hosts that are about to be changed: it writes.
 * @param contents digest → packed content of the files that are `staged`
 */
export function stageScript(contents: Readonly<Record<string, string>> = {}): RemoteScript {
  const managers = [
    `export DEBIAN_FRONTEND=noninteractive; apt-get update;`,
    `apt-get install -y --no-install-recommends python3`,
    `|| dnf install -y python3 || yum install -y python3 || apk add python3`,
  ];
  const command = throughSh([
    ...elevated("stage"),
    limited(300, 10),
    `command -v python3 >/dev/null || "$@" sh -c "${managers.join(" ")}" </dev/null >/dev/null 2>&1`,
    `command -v python3 >/dev/null || { ${lastWords("python3 is missing and could not be installed")}; exit 0; }`,
    `"$@" ${PYTHON} -IBc "${FROM_MEMORY}" stage`,
    orLastWords(),
  ]);
  const { packed, digest } = packAgent();
  return { command, stdin: `${packed}\n${JSON.stringify({ digest, contents })}\n` };
}

/** Text of a command of the staged agent; what is wanted comes as JSON on stdin. */
export function phaseText(phase: Phase): string {
  const dir = agentDir();
  return throughSh([
    ...elevated(phase),
    limited(COMMAND_SECONDS, 10),
    `[ -d ${dir} ] || { ${lastWords("the agent was not staged")}; exit 0; }`,
    `"$@" ${PYTHON} -IB ${dir} ${phase}`,
    orLastWords(),
  ]);
}

/** Takes sudo where it is given; no host is asked for a password. */
function asRoot(seconds: number): readonly string[] {
  return [
    `set --`,
    `if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then set -- sudo -n; fi`,
    limited(seconds, 2),
  ];
}

/**
 * What a probe runs: the agent's `facts` phase from memory. Nothing is written on the host.
 * @param seconds after which the host itself ends it
 */
export function probeScript(request: FactsRequest, seconds = 20): RemoteScript {
  const command = throughSh([
    ...asRoot(seconds),
    `if command -v python3 >/dev/null; then`,
    `exec "$@" ${PYTHON} -IBc "${FROM_MEMORY}" facts`,
    `fi`,
    echo(factsWithoutPython(request.node)),
  ]);
  return { command, stdin: `${packAgent().packed}\n${JSON.stringify(request)}\n` };
}

/**
 * The same on a host that has this very agent, which then need not be sent: 60 KB for each of many hosts. Gives no facts
 * where it has not.
 */
export function briefProbeScript(request: FactsRequest, seconds = 20): RemoteScript {
  const file = `${agentDir()}/packed`;
  const command = throughSh([
    `[ -r ${file} ] || exit 75`,
    ...asRoot(seconds),
    `exec "$@" ${PYTHON} -IBc "${FROM_FILE}" facts ${file} ${sha256(packAgent().packed)}`,
  ]);
  return { command, stdin: `${JSON.stringify(request)}\n` };
}

/** Facts of a host without Python, in words that sh fills in. */
function factsWithoutPython(node: string): Facts {
  return {
    at: "$(date -u +%Y-%m-%dT%H:%M:%SZ)",
    // The name goes through a shell here, so anything but a plain one is left out.
    node: /^[\w.-]*$/.test(node) ? node : "",
    agent: null,
    elevated: false,
    user: "$(id -un)",
    hostname: "$(uname -n)",
    os: "$(uname -s)",
    arch: "$(uname -m)",
    init: "none",
    container: false,
    bootId: "",
    uptimeSeconds: 0,
    cores: 0,
    tun: false,
    python: null,
    ...NOTHING_FOUND,
    error: "python3 is missing",
  };
}
