/** "Did you mean …?" */

import { distance } from "fastest-levenshtein";
import { quote } from "./finding";

/** A hint to spread into a report; empty where no name is near. */
export type Suggest = (word: string) => { hint?: string };

/** Comparisons that one load may spend on one list: a file of mistakes gets its findings, but not all of the advice. */
const MAX_COMPARISONS = 300_000;
const MAX_WORD = 100;
const MAX_AWAY = 3;

/**
 * @returns the nearest of the known names for a word, if it is at most a third of the word (and 3 letters) away;
 *   the first in the alphabet of those that are equally near
 */
export function suggestFrom(known: Iterable<string>): Suggest {
  let byLength: Map<number, string[]> | undefined;
  let comparisons = 0;
  return (word) => {
    if (word.length > MAX_WORD) return {};
    byLength ??= groupByLength(known);
    const wanted = word.toLowerCase();
    let best: string | undefined;
    let bestDistance = Math.max(1, Math.min(MAX_AWAY, Math.floor(word.length / 3))) + 1;
    for (let length = word.length - MAX_AWAY; length <= word.length + MAX_AWAY; length += 1) {
      for (const candidate of byLength.get(length) ?? []) {
        if (++comparisons > MAX_COMPARISONS) return {};
        if (candidate === word) continue;
        const away = distance(wanted, candidate.toLowerCase());
        const isFirst = best === undefined || candidate < best;
        if (away < bestDistance || (away === bestDistance && best !== undefined && isFirst))
          [best, bestDistance] = [candidate, away];
      }
    }
    return best === undefined ? {} : { hint: `Did you mean ${quote(best)}?` };
  };
}

function groupByLength(words: Iterable<string>): Map<number, string[]> {
  const groups = new Map<number, string[]>();
  for (const word of words) {
    const group = groups.get(word.length);
    if (group) group.push(word);
    else groups.set(word.length, [word]);
  }
  return groups;
}
