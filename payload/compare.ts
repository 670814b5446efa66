import { packAgent } from "./agent";
import { canonicalJson, sha256 } from "./digest";
import { compareFirewall, compareSupport, compareTools, compareUnit } from "./compareParts";
import { type Drift } from "./drift";
import { type Facts, type FileFact } from "./facts";
import { lineDiff } from "./lineDiff";
import { clusterTokenPath, VENV_PYTHON } from "./names";
import {
  type ActivatePresent,
  type ActivateSpec,
  type FactsRequest,
  type ManagedFile,
  type PrepareSpec,
  type SecretFile,
  type SecretsSpec,
} from "./spec";
import { compareLeaving } from "./tailnetJoin";

export { type Drift } from "./drift";

/** What a probe has to look at so that the specs can be compared with its answer. */
export function factsRequest(
  prepare: PrepareSpec,
  activate: ActivateSpec,
  secrets: SecretsSpec | null,
): FactsRequest {
  const common = { node: prepare.node, agent: packAgent().digest };
  if (prepare.state === "absent" || activate.state === "absent") {
    return {
      ...common,
      aiServicePath: null,
      interpreter: "python3",
      imports: [],
      user: "root",
      files: [],
      service: null,
      secrets: [],
      manager: null,
      startScript: null,
      release: null,
      address: "127.0.0.1",
      port: 8770,
      source: null,
      tools: [],
      services: [],
      firewall: null,
    };
  }
  return {
    ...common,
    aiServicePath: prepare.aiServicePath,
    interpreter: prepare.python.interpreter,
    imports: [...Object.keys(prepare.python.required), ...Object.keys(prepare.python.wanted)],
    user: prepare.python.user,
    files: [...prepare.files, ...activate.release.files].map((file) => ({
      path: file.path,
      digest: file.digest,
      staged: "staged" in file,
    })),
    service: sha256(activate.release.service),
    secrets: secrets?.files.map((file) => file.path) ?? [],
    manager: activate.release.manager,
    startScript: activate.release.startScript,
    release: activate.digest,
    address: activate.health.address,
    port: activate.health.port,
    source: prepare.source?.path ?? null,
    tools: prepare.tools.map(({ name }) => name),
    firewall: prepare.firewall,
    services: prepare.services.map(({ name, service, ready }) => ({
      name,
      service: sha256(service),
      ready,
    })),
  };
}

/** Empty when nothing that `prepare` manages needs work. */
export function comparePrepare(spec: PrepareSpec, facts: Facts): Drift[] {
  if (spec.state === "absent") return compareAbsent(facts);
  const drift: Drift[] = [];
  if (facts.python === null) {
    return [{ what: "python3", want: "installed", is: "missing" }];
  }
  if (facts.runner !== VENV_PYTHON) {
    drift.push({ what: "interpreter", want: VENV_PYTHON, is: facts.runner ?? "none" });
  }
  const { hostKeys } = facts;
  if (hostKeys !== null && hostKeys.fault !== null)
    drift.push({ what: "ssh host keys", want: `kept in ${hostKeys.folder}`, is: hostKeys.fault });
  for (const module of Object.keys(spec.python.required)) {
    const error = facts.missing[module];
    if (error !== undefined) drift.push({ what: `import ${module}`, want: "works", is: error });
  }
  drift.push(...compareFiles(spec.files, facts));
  drift.push(
    ...compareLeaving(spec, facts),
    ...compareTools(spec, facts),
    ...compareSupport(spec, facts),
    ...compareFirewall(spec, facts),
    ...(spec.dropsSecrets ? leftoverSecrets([], facts) : []),
  );
  if (spec.source && facts.source?.commit !== spec.source.commit) {
    drift.push({
      what: "source",
      want: spec.source.commit,
      is: facts.source ? facts.source.commit : "no checkout",
      ...(facts.source?.dirty ? { detail: "has local changes, which are kept" } : {}),
    });
  }
  return drift;
}

/** Empty when the wanted release runs, is healthy and starts at boot. */
export function compareActivate(spec: ActivateSpec, facts: Facts): Drift[] {
  if (spec.state === "absent") return compareAbsent(facts);
  const { release } = spec;
  const drift: Drift[] = [];
  if (facts.release.current !== spec.digest) {
    drift.push({ what: "release", want: spec.digest, is: facts.release.current ?? "none" });
  } else if (!facts.release.intact) {
    drift.push({
      what: "release",
      want: spec.digest,
      is: "its files were changed",
      ...edits(spec, facts),
    });
  } else if (facts.release.runs === false) {
    drift.push({ what: "process", want: spec.digest, is: "started from another release" });
  }
  const service = { path: "service", digest: sha256(release.service), mode: "0644", owner: "root" };
  const files = compareFiles([{ ...service, text: release.service }, ...release.files], facts);
  // The place of the service's text is the host's matter, so facts give it under this name.
  const renamed = (what: string): string => what.replace(/^service(?= mode$|$)/, "service file");
  drift.push(...files.map((item) => ({ ...item, what: renamed(item.what) })));
  drift.push(...compareService(facts));
  drift.push(...compareHealth(spec.node, facts));
  if (spec.takeover) {
    for (const { kind, id } of facts.competitors) {
      drift.push({ what: `${kind} ${id}`, want: "disabled", is: "competes for the daemon" });
    }
  }
  return drift;
}

/** What was edited of a release's own files. */
function edits({ release }: ActivatePresent, facts: Facts): Pick<Drift, "detail"> {
  const { altered, text } = facts.release;
  const lines = altered.map(({ what, is, detail }) => detail ?? `${what}: ${is}`);
  // Written by Python with sorted keys, as the host does it.
  const written = JSON.stringify(JSON.parse(canonicalJson(release)), null, 1);
  if (text !== null) lines.push(lineDiff(text.trimEnd(), written));
  return lines.length === 0 ? {} : { detail: lines.join("\n") };
}

/**
 * Empty when every secret file is as it was written, from the content that is wanted.
 * @param required digest of the token that the host's release is to require: one of before may have to stay
 */
export function compareSecrets(
  spec: SecretsSpec,
  facts: Facts,
  required: string | null = null,
): Drift[] {
  const stays = required === null ? [] : [clusterTokenPath(required)];
  const wanted = [...stays, ...spec.files.map(({ path }) => path)];
  return [
    ...leftoverSecrets(wanted, facts),
    ...spec.files.flatMap((file) => compareSecret(file, facts)),
  ];
}

function leftoverSecrets(wanted: readonly string[], facts: Facts): Drift[] {
  const rest = Object.keys(facts.secrets).filter((path) => !wanted.includes(path));
  return rest.map((what): Drift => ({ what, want: "absent", is: "present" }));
}

function compareSecret(file: SecretFile, facts: Facts): Drift[] {
  const found = facts.secrets[file.path];
  if (found === undefined) return [{ what: file.path, want: "present", is: "absent" }];
  if (found.digest !== file.digest) {
    return [{ what: file.path, want: "current", is: found.digest === null ? "edited" : "older" }];
  }
  const want = `0600 ${file.owner}`;
  const is = `${found.mode} ${found.owner}`;
  return want === is ? [] : [{ what: `${file.path} mode`, want, is }];
}

function compareAbsent(facts: Facts): Drift[] {
  return facts.traces.map((path) => ({ what: path, want: "absent", is: "present" }));
}

function compareFiles(files: readonly ManagedFile[], facts: Facts): Drift[] {
  return files.flatMap((file): Drift[] => {
    const found = facts.files[file.path];
    if (found === undefined) return [{ what: file.path, want: "present", is: "absent" }];
    if (found.kind !== "file") return [{ what: file.path, want: "a file", is: `a ${found.kind}` }];
    const drift: Drift[] = [];
    if (found.digest !== file.digest) {
      drift.push({ what: file.path, want: file.digest.slice(0, 12), ...difference(file, found) });
    }
    const want = `${file.mode} ${file.owner}`;
    const is = `${found.mode} ${found.owner}`;
    if (want !== is) drift.push({ what: `${file.path} mode`, want, is });
    return drift;
  });
}

function difference(file: ManagedFile, found: FileFact): Pick<Drift, "is" | "detail"> {
  if (found.digest === null) return { is: "unreadable" };
  const digest = found.digest.slice(0, 12);
  if (found.digest === found.madeFrom) return { is: `older: ${digest}` };
  const detail =
    "staged" in file
      ? found.edits
      : found.text === undefined
        ? undefined
        : lineDiff(found.text, file.text);
  return { is: `edited: ${digest}`, ...(detail === undefined ? {} : { detail }) };
}

function compareService(facts: Facts): Drift[] {
  const { service } = facts;
  if (service === null) return [{ what: "service", want: "running", is: "absent" }];
  const drift: Drift[] = [];
  if (service.state !== "running") {
    const why = facts.lastError ?? service.detail;
    drift.push({
      what: "service",
      want: "running",
      is: `${service.state}${why ? `: ${why}` : ""}`,
    });
  }
  // Without a place to start from there is nothing to mend: that is a note of the report, not drift.
  if (service.enabled === false && service.boot !== null) {
    drift.push({ what: "start at boot", want: "enabled", is: `not enabled in ${service.boot}` });
  }
  drift.push(...compareUnit("service file", service));
  return drift;
}

function compareHealth(node: string, facts: Facts): Drift[] {
  const foreign = facts.port.find((owner) => !owner.ours);
  if (foreign) {
    return [{ what: "port", want: "ours", is: `blocked by ${foreign.name}` }];
  }
  if (facts.service?.state !== "running") return [];
  const { health, status } = facts;
  if (health === null || health.status !== 200) {
    return [{ what: "/health", want: "200", is: health?.error ?? `status ${health?.status ?? 0}` }];
  }
  // `healthy: false` means busy (disk, memory, load), so only identity counts.
  if (health.nodeId !== node) {
    return [{ what: "/health node_id", want: node, is: health.nodeId ?? "none" }];
  }
  if (status !== null && status.nodeId !== node) {
    return [{ what: "/status node_id", want: node, is: status.error ?? status.nodeId ?? "none" }];
  }
  return [];
}
