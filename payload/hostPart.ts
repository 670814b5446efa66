import { type HostPart } from "./spec";

/** Adds nothing. */
export const EMPTY_PART: HostPart = {
  tools: [],
  files: [],
  services: [],
  secrets: [],
  pythonWanted: {},
  environment: {},
};

/**
 * All parts of a host as one, in their order. Concerns may share a tool or a file if they want the same.
 * @throws when two parts want different things under one name: that is a mistake of ours
 */
export function joinParts(parts: readonly HostPart[]): HostPart {
  return {
    tools: unique(
      parts,
      "tool",
      (part) => part.tools,
      (tool) => tool.name,
    ),
    files: unique(
      parts,
      "file",
      (part) => part.files,
      (file) => file.path,
    ),
    services: unique(
      parts,
      "service",
      (part) => part.services,
      (service) => service.name,
    ),
    secrets: unique(
      parts,
      "secret file",
      (part) => part.secrets,
      (file) => file.path,
    ),
    pythonWanted: merge(parts, "module", (part) => part.pythonWanted),
    environment: merge(parts, "variable", (part) => part.environment),
  };
}

function unique<T>(
  parts: readonly HostPart[],
  what: string,
  list: (part: HostPart) => readonly T[],
  key: (item: T) => string,
): T[] {
  const found = new Map<string, T>();
  for (const item of parts.flatMap(list)) {
    const same = found.get(key(item));
    // The texts of two secret files must not be told, so nothing but the name is.
    if (same !== undefined && JSON.stringify(same) !== JSON.stringify(item))
      throw new Error(`two parts of a host disagree about the ${what} ${key(item)}`);
    if (same === undefined) found.set(key(item), item);
  }
  return [...found.values()];
}

function merge(
  parts: readonly HostPart[],
  what: string,
  values: (part: HostPart) => Readonly<Record<string, string>>,
): Record<string, string> {
  const entries = unique(
    parts,
    what,
    (part) => Object.entries(values(part)),
    ([name]) => name,
  );
  return Object.fromEntries(entries);
}
