/** The recap for a terminal: what a person reads at the end of a run. */

import { ALIKE, foldRecap } from "./alike";
import { hostList } from "./hostList";
import { type Recap, retryCommand } from "./report";

/** Groups of one kind, and entries of any other list; the JSON has all of them. */
const SHOWN_GROUPS = 6;
const SHOWN_HOSTS = 12;
/** Characters of one group's detail: a journal's last error may be a page. */
const SHOWN_DETAIL = 400;

/** @param width columns; only the command to paste may be longer than that */
export function renderText(whole: Recap, width: number): string {
  const recap = foldRecap(whole, SHOWN_GROUPS);
  const { declared, effective, quorum, margin } = recap.voters;
  const reasons = recap.reasons.length > 0 ? ` (${recap.reasons.join("; ")})` : "";
  const retry = retryCommand(recap);
  const indent = 2 + Math.max(0, ...recap.groups.map(({ kind }) => kind.length));
  const lines = [
    ...wrap(`Fleet: ${recap.light}${reasons}`, width, "", "  "),
    ...wrap(
      `Voters: ${declared} declared, ${effective} effective, quorum ${quorum}, margin ${margin}`,
      width,
      "",
      "  ",
    ),
    ...groupsOf(recap, width, indent),
    ...section(
      "Owed",
      recap.debts.map(({ hosts, since, why }) => `${named(hosts)} since ${minute(since)}: ${why}`),
      width,
    ),
    ...section(
      "Paid",
      recap.paid.map(({ hosts, since }) => `${named(hosts)}, owed since ${minute(since)}`),
      width,
    ),
    ...section(
      "Notes",
      recap.notes.map(({ note, hosts }) => `${named(hosts)}: ${note}`),
      width,
    ),
    ...(retry === null ? [] : ["To try again:", `  ${retry}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function groupsOf({ groups }: Recap, width: number, indent: number): string[] {
  const kinds = [...new Set(groups.map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const members = groups.filter((group) => group.kind === kind);
    const more = members.slice(shownOf(members, SHOWN_GROUPS));
    const hosts = more.flatMap((group) => group.hosts).sort();
    return [
      ...members.slice(0, members.length - more.length).flatMap((group) => {
        const place = " ".repeat(indent);
        const said = withoutKind(kind, group.detail);
        return [
          ...wrap(`${group.hosts.length} ${named(group.hosts)}`, width, kind.padEnd(indent), place),
          ...(said === "" ? [] : wrap(said, width, `${place}  `, `${place}  `)),
        ];
      }),
      ...(hosts.length === 0
        ? []
        : wrap(
            `${hosts.length} more, for ${more.length} other reasons: ${named(hosts)}`,
            width,
            kind.padEnd(indent),
            " ".repeat(indent),
          )),
    ];
  });
}

/** What says that there is one more is no shorter than that one. */
function shownOf(items: readonly unknown[], most: number): number {
  return items.length === most + 1 ? items.length : most;
}

/** `unreachable: connection refused` stands behind the word already. */
function withoutKind(kind: string, detail: string): string {
  const text = detail.startsWith(`${kind}: `) ? detail.slice(kind.length + 2) : detail;
  const alike = text.endsWith(ALIKE) ? ALIKE : "";
  const own = text.slice(0, text.length - alike.length);
  return own.length <= SHOWN_DETAIL ? text : `${own.slice(0, SHOWN_DETAIL)}…${alike}`;
}

const named = (hosts: readonly string[]): string => hostList(hosts, SHOWN_HOSTS);

/** `2026-01-02 03:04 UTC`; what is no such time stays as it is. */
function minute(time: string): string {
  const [, day, clock, or = ""] =
    /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})\S*( or later)?/.exec(time) ?? [];
  return day === undefined ? time : `${day} ${clock} UTC${or}`;
}

function section(title: string, entries: readonly string[], width: number): string[] {
  if (entries.length === 0) return [];
  const shown = shownOf(entries, SHOWN_GROUPS);
  const more = entries.length - shown;
  return [
    `${title}:`,
    ...entries.slice(0, shown).flatMap((entry) => wrap(entry, width, "  ", "    ")),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}

/** Lines of at most `width` columns; a word that is longer is broken. */
function wrap(text: string, width: number, first: string, rest: string): string[] {
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  const room = Math.max(8, width - rest.length);
  const words = text
    .split(/\s+/)
    .flatMap((word) => word.match(new RegExp(`.{1,${room}}`, "gu")) ?? []);
  for (const word of words) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = rest;
      isEmpty = true;
    }
    line = isEmpty ? line + word : `${line} ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
