/** "Did you mean …?" */

import { distance } from "fastest-levenshtein";
import { quote } from "./finding";

/** @returns the nearest known name, if it is at most a third of the word away; the first of equals */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > 100) return undefined;
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.min(3, Math.floor(word.length / 3))) + 1;
  for (const candidate of [...known].sort()) {
    if (candidate === word || Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const away = distance(word.toLowerCase(), candidate.toLowerCase());
    if (away < bestDistance) [best, bestDistance] = [candidate, away];
  }
  return best;
}

/** A hint to spread into a report; empty where no name is near. */
export function didYouMean(word: string, known: Iterable<string>): { hint?: string } {
  const name = nearest(word, known);
  return name === undefined ? {} : { hint: `Did you mean ${quote(name)}?` };
}
