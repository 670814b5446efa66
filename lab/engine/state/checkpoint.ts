import { EngineError, Unsupported } from "../errors";
import { type Operation, type ResourceState } from "./resource";
import { type Value, type ValueMap } from "../../wire";

/** What a stack remembers between runs. */
export interface Deployment {
  resources: ResourceState[];
  pendingOperations: Operation[];
  /** The passphrase salt the secrets are sealed with; undefined before the first secret. */
  salt?: string;
}

const RESOURCE_FIELDS = new Set([
  ...["urn", "custom", "delete", "id", "type", "inputs", "outputs", "parent", "protect"],
  ...["external", "dependencies", "initErrors", "provider", "propertyDependencies"],
  ...["pendingReplacement", "additionalSecretOutputs", "aliases", "customTimeouts", "importID"],
  ...["retainOnDelete", "created", "modified", "sourcePosition", "stackTrace", "ignoreChanges"],
  ...["hideDiff", "replaceOnChanges"],
]);

const DEPLOYMENT_FIELDS = new Set([
  ...["manifest", "secrets_providers", "resources", "pending_operations", "metadata"],
]);

/**
 * Checks a deployment in the CLI's format (`deployment` of an export, `checkpoint.latest` of a state file), and opens
 * its secrets with `open`. What this engine would silently lose is refused by name.
 */
export function readDeployment(raw: unknown, open: (value: Value) => Value): Deployment {
  if (raw === null || raw === undefined) return { resources: [], pendingOperations: [] };
  const deployment = asMap(raw, "the deployment");
  for (const field of Object.keys(deployment)) {
    if (!DEPLOYMENT_FIELDS.has(field) && !isEmpty(deployment[field])) {
      throw new Unsupported(`states with "${field}"`);
    }
  }
  return {
    resources: asList(deployment["resources"]).map((item) => readResource(item, open)),
    pendingOperations: asList(deployment["pending_operations"]).map((item) => {
      const operation = asMap(item, "a pending operation");
      return {
        resource: readResource(operation["resource"], open),
        type: String(operation["type"]) as Operation["type"],
      };
    }),
    salt: readSalt(deployment["secrets_providers"]),
  };
}

/** The salt of a deployment's secrets provider. */
export function readSalt(raw: unknown): string | undefined {
  if (isEmpty(raw)) return undefined;
  const provider = asMap(raw, "the secrets provider");
  if (provider["type"] !== "passphrase") {
    throw new Unsupported(`the secrets provider "${String(provider["type"])}" (only passphrase)`);
  }
  return String(asMap(provider["state"], "the secrets provider's state")["salt"]);
}

function readResource(raw: unknown, open: (value: Value) => Value): ResourceState {
  const record = asMap(raw, "a resource");
  for (const field of Object.keys(record)) {
    if (!RESOURCE_FIELDS.has(field) && !isEmpty(record[field])) {
      throw new Unsupported(`"${field}", which ${String(record["urn"])} has in the state`);
    }
  }
  const state = { ...record } as unknown as ResourceState;
  if (typeof state.urn !== "string" || typeof state.type !== "string") {
    throw new EngineError("the state holds a resource without urn or type");
  }
  if (state.inputs) state.inputs = openMap(state.inputs, open);
  if (state.outputs) state.outputs = openMap(state.outputs, open);
  return state;
}

function openMap(map: ValueMap, open: (value: Value) => Value): ValueMap {
  return open(map) as ValueMap;
}

/** The JSON text of one resource: secrets sealed, empty fields left out, keys in the CLI's order. */
export function writeResource(state: ResourceState, seal: (value: Value) => Value): string {
  return JSON.stringify({
    urn: state.urn,
    custom: state.custom,
    delete: state.delete || undefined,
    id: state.id || undefined,
    type: state.type,
    inputs: sealed(state.inputs, seal),
    outputs: sealed(state.outputs, seal),
    parent: state.parent || undefined,
    protect: state.protect || undefined,
    external: state.external || undefined,
    dependencies: nonEmpty(state.dependencies),
    initErrors: nonEmpty(state.initErrors),
    provider: state.provider || undefined,
    propertyDependencies: nonEmptyMap(state.propertyDependencies),
    pendingReplacement: state.pendingReplacement || undefined,
    additionalSecretOutputs: nonEmpty(state.additionalSecretOutputs),
    aliases: nonEmpty(state.aliases),
    customTimeouts: nonEmptyMap(state.customTimeouts),
    importID: state.importID || undefined,
    retainOnDelete: state.retainOnDelete || undefined,
    created: state.created,
    modified: state.modified,
    sourcePosition: state.sourcePosition,
    stackTrace: nonEmpty(state.stackTrace),
    ignoreChanges: nonEmpty(state.ignoreChanges),
    hideDiff: nonEmpty(state.hideDiff),
    replaceOnChanges: nonEmpty(state.replaceOnChanges),
  });
}

/**
 * The JSON text of a deployment from the texts of its parts, one resource per line. It comes in pieces, as it is written
 * after every step and a fleet's state is large: the texts of resources are neither joined nor encoded again.
 */
export function deploymentPieces(
  resources: readonly Buffer[],
  operations: ReadonlyArray<{ resource: Buffer; type: string }>,
  salt: string | undefined,
  time: string,
): Buffer[] {
  const provider = salt && JSON.stringify({ type: "passphrase", state: { salt } });
  const pieces: Array<Buffer | string> = [
    `{"manifest":${JSON.stringify({ time, magic: "", version: "" })}`,
    provider ? `,"secrets_providers":${provider}` : "",
  ];
  resources.forEach((resource, index) => {
    pieces.push(index === 0 ? ',"resources":[\n' : ",\n", resource);
  });
  if (resources.length > 0) pieces.push("\n]");
  operations.forEach(({ resource, type }, index) => {
    const start = index === 0 ? ',"pending_operations":[\n' : ",\n";
    pieces.push(`${start}{"resource":`, resource, `,"type":"${type}"}`);
  });
  if (operations.length > 0) pieces.push("\n]");
  pieces.push(`,"metadata":{}}`);
  return pieces.map((piece) => (typeof piece === "string" ? Buffer.from(piece) : piece));
}

function sealed(map: ValueMap | undefined, seal: (value: Value) => Value): Value | undefined {
  return map && Object.keys(map).length > 0 ? seal(map) : undefined;
}

function nonEmpty<T>(list: T[] | undefined): T[] | undefined {
  return list && list.length > 0 ? list : undefined;
}

function nonEmptyMap<T extends object>(map: T | undefined): T | undefined {
  return map && Object.keys(map).length > 0 ? map : undefined;
}

function asMap(raw: unknown, what: string): Record<string, unknown> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw)) {
    throw new EngineError(`${what} in the state is not an object`);
  }
  return raw as Record<string, unknown>;
}

function asList(raw: unknown): unknown[] {
  if (raw === undefined || raw === null) return [];
  if (!Array.isArray(raw)) throw new EngineError("a list in the state is not a list");
  return raw;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.keys(value).length === 0;
}
