import { type RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { Unsupported, EngineError } from "../errors";
import { isProviderType } from "../plan/urn";
import { type CustomTimeouts, type ResourceState } from "../state/resource";
import { ARCHIVE, ASSET, fromStruct, signatureOf, someValue, type ValueMap } from "../../wire";

/** A resource as the program wants it. */
export interface Goal {
  type: string;
  name: string;
  parent?: string;
  custom: boolean;
  inputs: ValueMap;
  protect: boolean;
  dependencies: string[];
  /** `<urn>::<id>` of an explicit provider; undefined for the package's default one. */
  provider?: string;
  version: string;
  propertyDependencies: Record<string, string[]>;
  /** Undefined leaves the choice to the provider. */
  deleteBeforeReplace?: boolean;
  ignoreChanges: string[];
  additionalSecretOutputs: string[];
  aliases: string[];
  customTimeouts?: CustomTimeouts;
  replaceOnChanges: string[];
  retainOnDelete: boolean;
  /** What the program says to take over instead of making it. */
  importId?: string;
}

/** Reads a registration. @throws Unsupported naming an option that this engine would otherwise lose. */
export function readGoal(request: RegisterResourceRequest): Goal {
  refuse(request);
  const propertyDependencies: Record<string, string[]> = {};
  request.getPropertydependenciesMap().forEach((dependencies, key) => {
    propertyDependencies[key as string] = dependencies.getUrnsList();
  });
  const inputs = fromStruct(request.getObject());
  if (isProviderType(request.getType()) && request.getVersion() !== "") {
    inputs["version"] = request.getVersion();
  }
  refuseAssets(inputs, request.getName());
  return {
    type: request.getType(),
    name: request.getName(),
    parent: request.getParent() || undefined,
    custom: request.getCustom(),
    inputs,
    protect: request.getProtect() ?? false,
    dependencies: request.getDependenciesList(),
    provider: request.getProvider() || undefined,
    version: request.getVersion(),
    propertyDependencies,
    deleteBeforeReplace: request.getDeletebeforereplacedefined()
      ? request.getDeletebeforereplace()
      : undefined,
    ignoreChanges: request.getIgnorechangesList(),
    additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
    aliases: request.getAliasurnsList(),
    customTimeouts: readTimeouts(request.getCustomtimeouts()),
    replaceOnChanges: request.getReplaceonchangesList(),
    retainOnDelete: request.getRetainondelete() ?? false,
    importId: request.getImportid() || undefined,
  };
}

/** The record of a resource as the program wants it, before anything is done. */
export function newState(urn: string, goal: Goal): ResourceState {
  return {
    urn,
    custom: goal.custom,
    type: goal.type,
    inputs: goal.inputs,
    parent: goal.parent,
    protect: goal.protect,
    dependencies: goal.dependencies,
    propertyDependencies: goal.propertyDependencies,
    additionalSecretOutputs: goal.additionalSecretOutputs,
    customTimeouts: goal.customTimeouts,
    importID: goal.importId,
    retainOnDelete: goal.retainOnDelete,
    ignoreChanges: goal.ignoreChanges,
    replaceOnChanges: goal.replaceOnChanges,
  };
}

function refuse(request: RegisterResourceRequest): void {
  const used: Record<string, boolean> = {
    "remote components": request.getRemote(),
    "the option deletedWith": request.getDeletedwith() !== "",
    "the option replaceWith": request.getReplaceWithList().length > 0,
    "the option replacementTrigger": request.hasReplacementTrigger(),
    "the option pluginDownloadURL": request.getPlugindownloadurl() !== "",
    "the option transforms": request.getTransformsList().length > 0,
    "resource hooks": hasHooks(request),
    "parameterized packages": request.getPackageref() !== "",
    "the option envVarMappings": request.getEnvvarmappingsMap().getLength() > 0,
    "structured aliases": request.getAliasesList().length > 0,
    "dynamic providers": request.getType().startsWith("pulumi-nodejs:dynamic:"),
  };
  for (const [feature, isUsed] of Object.entries(used)) {
    if (isUsed) throw new Unsupported(`${feature} (${request.getName()}, ${request.getType()})`);
  }
}

function hasHooks(request: RegisterResourceRequest): boolean {
  const hooks = request.getHooks();
  if (!hooks) return false;
  return Object.values(hooks.toObject()).some((list) => list.length > 0);
}

/** Assets would have to be hashed, and their content compared. */
export function refuseAssets(inputs: ValueMap, name: string): void {
  for (const [key, value] of Object.entries(inputs)) {
    const isAsset = someValue(value, (node) => [ASSET, ARCHIVE].includes(signatureOf(node) ?? ""));
    if (isAsset) throw new Unsupported(`assets and archives (${name}, property ${key})`);
  }
}

function readTimeouts(
  timeouts: RegisterResourceRequest.CustomTimeouts | undefined,
): CustomTimeouts | undefined {
  if (!timeouts) return undefined;
  const result: CustomTimeouts = {};
  if (timeouts.getCreate()) result.create = parseDuration(timeouts.getCreate());
  if (timeouts.getUpdate()) result.update = parseDuration(timeouts.getUpdate());
  if (timeouts.getDelete()) result.delete = parseDuration(timeouts.getDelete());
  return Object.keys(result).length > 0 ? result : undefined;
}

const UNIT_SECONDS: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };

/** `1h30m`, `90s`, `500ms` in seconds. @throws EngineError on anything else. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map((part) => part[0]).join("") !== text) {
    throw new EngineError(`customTimeouts: "${text}" is not a duration such as 90s or 1h30m`);
  }
  return parts.reduce((sum, part) => sum + Number(part[1]) * (UNIT_SECONDS[part[2] ?? ""] ?? 0), 0);
}
