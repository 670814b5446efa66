import { STACK_TYPE } from "../state/resource";

/** `urn:pulumi:<stack>::<project>::<parent type$…$type>::<name>`; the Stack itself never shows among the parents. */
export function makeUrn(
  stack: string,
  project: string,
  parent: string | undefined,
  type: string,
  name: string,
): string {
  const prefix = parent ? qualifiedType(parent) : "";
  const qualified = prefix && prefix !== STACK_TYPE ? `${prefix}$${type}` : type;
  return `urn:pulumi:${stack}::${project}::${qualified}::${name}`;
}

export function qualifiedType(urn: string): string {
  return urn.split("::")[2] ?? "";
}

/** The resource's own type, without its parents'. */
export function urnType(urn: string): string {
  const qualified = qualifiedType(urn);
  return qualified.slice(qualified.lastIndexOf("$") + 1);
}

/** Everything after the type; a name may hold `::` itself. */
export function urnName(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

const PROVIDER_PREFIX = "pulumi:providers:";

export function isProviderType(type: string): boolean {
  return type.startsWith(PROVIDER_PREFIX);
}

/** The package of a provider type `pulumi:providers:<package>`. */
export function providerPackage(type: string): string {
  return type.slice(PROVIDER_PREFIX.length);
}

/** The package whose one resource, StackReference, the engine answers itself. */
export const BUILT_IN_PACKAGE = "pulumi";

/** The package a resource type or function token belongs to: `command:remote:Command` → `command`. */
export function packageOf(token: string): string {
  return token.split(":")[0] ?? "";
}

/** True for a provider that the engine made itself, which no display and no count shows. */
export function isDefaultProvider(urn: string): boolean {
  return isProviderType(urnType(urn)) && /^default(_|$)/.test(urnName(urn));
}

/** `default_1_2_1` for version 1.2.1, `default` without one (pkg/resource/deploy/providers). */
export function defaultProviderName(version: string): string {
  return version === "" ? "default" : `default_${version.replace(/[^A-Za-z0-9]/g, "_")}`;
}
