import { deflateSync, constants } from "node:zlib";
import { shortDigest } from "./digest";
import { BASE } from "./names";
import { readSource } from "./sources";

/**
 * The agent's modules in the order they are loaded: each imports only those above it.
 * `boot` loads the others when they come as one text instead of files.
 */
export const MODULES = [
  "boot",
  "paths",
  "journal",
  "shell",
  "files",
  "state",
  "packages",
  "venv",
  "inspection",
  "ports",
  "launcher",
  "service_systemd",
  "service_supervisord",
  "service_own",
  "services",
  "competitors",
  "health",
  "release",
  "source",
  "facts",
  "deadman",
  "prepare",
  "activate",
  "absent",
  "main",
] as const;

export interface PackedAgent {
  /** 16 hex digits over all modules; the name of the directory it is installed in. */
  readonly digest: string;
  /** base64 of zlib of JSON `[[module, source], …]`. */
  readonly packed: string;
}

/**
 * Takes out what the machine does not need: docstrings, comment lines, blank lines and three of four
 * blanks of indentation. Modules hold no other triple-quoted text, which a test watches over.
 */
export function shrinkPython(source: string): string {
  const kept: string[] = [];
  let inDocstring = false;
  for (const line of source.split("\n")) {
    const body = line.trim();
    if (inDocstring) {
      inDocstring = !body.endsWith('"""');
    } else if (body.startsWith('"""')) {
      inDocstring = body.length < 6 || !body.endsWith('"""');
    } else if (body !== "" && !body.startsWith("#")) {
      const indent = line.length - line.trimStart().length;
      kept.push(" ".repeat(Math.ceil(indent / 4)) + line.trim());
    }
  }
  return kept.join("\n") + "\n";
}

let cached: PackedAgent | undefined;

/** Reads, shrinks and packs the agent; once per process. */
export function packAgent(): PackedAgent {
  if (cached) return cached;
  const modules = MODULES.map((name) => [name, shrinkPython(readSource(`host/${name}.py`))]);
  const bytes = deflateSync(JSON.stringify(modules), {
    level: constants.Z_BEST_COMPRESSION,
    memLevel: 9,
  });
  cached = { digest: shortDigest(modules), packed: bytes.toString("base64") };
  return cached;
}

/** A phase that the installed agent runs. `disarm` is how the controller stops a dead-man timer. */
export type Phase = "secrets" | "activate" | "disarm";

/** Seconds after which the host itself ends a command. */
export const COMMAND_SECONDS = 900;

/** Verdict for the cases in which no agent could give one, as words for `echo "…"` in sh. */
function lastWords(phase: string, error: string): string {
  const verdict = { phase, node: "", ok: false, outcome: "failed", steps: [], error };
  const json = JSON.stringify({ ...verdict, notes: [], runId: "", at: "" });
  return json.replaceAll('"', '\\"');
}

/** sh lines that put `sudo -n` and `timeout` before a command, in "$@". */
function elevate(phase: string): string {
  return [
    `set --`,
    `if [ "$(id -u)" != 0 ]; then`,
    `sudo -n true 2>/dev/null || { echo "${lastWords(phase, "the login user is neither root nor has passwordless sudo")}"; exit 0; }`,
    `set -- sudo -n`,
    `fi`,
  ].join("\n");
}

const LIMIT = `! command -v timeout >/dev/null || set -- "$@" timeout -k 10 ${COMMAND_SECONDS}`;

function orLastWords(phase: string): string {
  return `r=$?\n[ $r = 0 ] || echo "${lastWords(phase, "the agent ended with code $r (124: out of time)")}"`;
}

/**
 * Whatever the login shell is, sh does the work. The script holds no single quote, which is all the
 * quoting that is needed.
 */
function throughSh(script: string): string {
  if (script.includes("'")) throw new Error("the script must not contain a single quote");
  return `exec sh -c '${script}'`;
}

/** Runs the packed agent from memory; `m` is what `boot` expects. */
export function loader(from: "argv" | "stdin"): string {
  const packed = from === "argv" ? "sys.argv[2]" : "sys.stdin.readline()";
  return `import sys,json,zlib,base64;m=json.loads(zlib.decompress(base64.b64decode(${packed})));exec(m[0][1])`;
}

/**
 * Text of the `prepare` command: brings Python if there is none, and the agent with it, which installs
 * itself and then does what the JSON on stdin says. The same for every host.
 */
export function prepareText(): string {
  const install = [
    `export DEBIAN_FRONTEND=noninteractive`,
    `apt-get update && apt-get install -y --no-install-recommends python3`,
    `|| dnf install -y python3 || yum install -y python3 || apk add python3`,
  ];
  return throughSh(
    [
      elevate("prepare"),
      `command -v python3 >/dev/null || "$@" sh -c "${install[0]}; ${install.slice(1).join(" ")}" </dev/null >/dev/null 2>&1`,
      LIMIT,
      `"$@" python3 -IBc "${loader("argv")}" prepare ${packAgent().packed}`,
      orLastWords("prepare"),
    ].join("\n"),
  );
}

/** Directory of the agent with this digest. */
export function agentDir(digest = packAgent().digest): string {
  return `${BASE}/agent/${digest}`;
}

/** Text of a command whose agent `prepare` has installed. */
export function phaseText(phase: Phase): string {
  return throughSh(
    [
      elevate(phase),
      LIMIT,
      `[ -d ${agentDir()} ] || { echo "${lastWords(phase, "the agent is not installed: prepare has not run here")}"; exit 0; }`,
      `"$@" python3 -IB ${agentDir()} ${phase}`,
      orLastWords(phase),
    ].join("\n"),
  );
}
