/**
 * Type and name at the end of `urn:pulumi:<stack>::<project>::<parent type>$<type>::<name>`. Engines send both
 * beside the URN only since 2024.
 */
export function parseUrn(urn: string): { readonly type: string; readonly name: string } {
  const [, , qualifiedType = "", ...name] = urn.split("::");
  return { type: qualifiedType.split("$").at(-1) ?? "", name: name.join("::") };
}
