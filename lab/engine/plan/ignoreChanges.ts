import { EngineError } from "../errors";
import { parsePath, resetPath } from "./propertyPath";
import { type ValueMap } from "../../wire";

export interface Ignored {
  inputs: ValueMap;
  /** Paths that could not be held, because an element was added or removed on the way. */
  failed: string[];
}

/**
 * New inputs with every ignored path set back to its old value; `*` holds all of them. A new resource has no old
 * inputs, so nothing is ignored for it.
 * @throws EngineError on a text that is no property path.
 */
export function ignoreChanges(
  news: ValueMap,
  olds: ValueMap | undefined,
  paths: readonly string[],
): Ignored {
  if (!olds || paths.length === 0) return { inputs: news, failed: [] };
  if (paths.includes("*")) return { inputs: structuredClone(olds), failed: [] };
  const inputs = structuredClone(news);
  const failed = paths.filter((text) => {
    const path = parsePath(text);
    if (!path) throw new EngineError(`ignoreChanges: "${text}" is not a property path`);
    return !resetPath(path, structuredClone(olds), inputs);
  });
  return { inputs, failed };
}
