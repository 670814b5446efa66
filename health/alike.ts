/** A recap for a screen: what differs only in a host's own name, numbers, addresses or digests is told once. */

import { type Recap } from "./report";

/** Behind the text of the first of several. */
export const ALIKE = "; alike on the others";

/**
 * @param most entries of one list, or groups of one kind, that are read one by one; where there are more, those that
 *   are alike become one, and the largest come first
 */
export function foldRecap(recap: Recap, most: number): Recap {
  const kinds = [...new Set(recap.groups.map(({ kind }) => kind))];
  return {
    ...recap,
    groups: kinds.flatMap((kind) =>
      fold(
        recap.groups.filter((group) => group.kind === kind),
        most,
        ({ detail }) => detail,
        ([first], hosts) => ({ ...first, detail: `${first.detail}${ALIKE}`, hosts }),
      ),
    ),
    debts: fold(
      recap.debts,
      most,
      ({ why }) => why,
      (members, hosts) => ({ ...members[0], since: sinceOf(members), hosts }),
    ),
    paid: fold(
      recap.paid,
      most,
      () => "",
      (members, hosts) => ({ since: sinceOf(members), hosts }),
    ),
    notes: fold(
      recap.notes,
      most,
      ({ note }) => note,
      ([first], hosts) => ({ note: `${first.note}${ALIKE}`, hosts }),
    ),
  };
}

/** The oldest: they come in this order. */
function sinceOf([first, ...others]: readonly [{ since: string }, ...{ since: string }[]]): string {
  return others.every(({ since }) => since === first.since)
    ? first.since
    : `${first.since} or later`;
}

function fold<T extends { readonly hosts: readonly string[] }>(
  groups: readonly T[],
  most: number,
  textOf: (group: T) => string,
  join: (members: readonly [T, ...T[]], hosts: readonly string[]) => T,
): readonly T[] {
  if (groups.length <= most) return groups;
  const folded = new Map<string, [T, ...T[]]>();
  for (const group of groups) {
    const pattern = patternOf(textOf(group), group.hosts);
    const members = folded.get(pattern);
    if (members) members.push(group);
    else folded.set(pattern, [group]);
  }
  return [...folded.values()]
    .map((members) =>
      members.length === 1
        ? members[0]
        : join(members, members.flatMap(({ hosts }) => hosts).sort()),
    )
    .sort((a, b) => b.hosts.length - a.hosts.length);
}

/** What is left of a text when a host's own particulars are taken out. */
function patternOf(text: string, hosts: readonly string[]): string {
  return text
    .replace(/[\w.-]+/g, (word) => (hosts.includes(word) ? "~" : word))
    .replace(/SHA256:\S+/g, "~")
    .replace(/\b[0-9a-f]{8,}\b/g, "~")
    .replace(/\d+/g, "~");
}
