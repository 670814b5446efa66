/** What happened in a run: one object, and its Markdown. Hosts with the same outcome share a line. */

import { type VoterPlan } from "../hosts/plan/types";
import { type Debt, type Outcome, type OutcomeKind } from "./outcome";
import { type Judgement } from "./policy";

export interface Recap {
  readonly light: Judgement["light"];
  readonly reasons: readonly string[];
  /** Hosts by outcome, worst first. */
  readonly groups: readonly {
    readonly kind: OutcomeKind;
    readonly detail: string;
    readonly hosts: readonly string[];
  }[];
  readonly providers: readonly {
    readonly provider: string;
    readonly hosts: number;
    readonly well: number;
  }[];
  readonly notes: readonly { readonly note: string; readonly hosts: readonly string[] }[];
  readonly debts: readonly ({ readonly host: string } & Debt)[];
  /** Value for `p2p:limit` that tries again where something is owed; null where nothing is. */
  readonly retry: string | null;
}

const ORDER: readonly OutcomeKind[] = [
  "failed",
  "blocked",
  "held",
  "unreachable",
  "untrusted",
  "refused",
  "planned",
  "changed",
  "healthy",
  "absent",
  "skipped",
];
const RETRY: readonly OutcomeKind[] = ["failed", "blocked", "held", "unreachable", "untrusted"];
const WELL: readonly OutcomeKind[] = ["healthy", "changed"];
const NO_NODE: readonly OutcomeKind[] = ["skipped", "refused", "absent"];

export function makeRecap(
  outcomes: readonly Outcome[],
  debts: Readonly<Record<string, Debt>>,
  { light, reasons }: Judgement,
): Recap {
  const groups = groupBy(outcomes, ({ kind, detail }) => `${ORDER.indexOf(kind)} ${detail}`);
  const noted = outcomes.flatMap(({ host, notes }) => notes.map((note) => ({ host, note })));
  const owing = outcomes.filter(({ kind }) => RETRY.includes(kind)).map(({ host }) => host);
  const nodes = outcomes.filter(({ kind }) => !NO_NODE.includes(kind));
  return {
    light,
    reasons,
    groups: groups
      .map((members) => ({
        kind: members[0]?.kind ?? "healthy",
        detail: members[0]?.detail ?? "",
        hosts: members.map(({ host }) => host).sort(),
      }))
      .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || compare(a.detail, b.detail)),
    providers: groupBy(nodes, ({ provider }) => provider)
      .map((members) => ({
        provider: members[0]?.provider ?? "",
        hosts: members.length,
        well: members.filter(({ kind }) => WELL.includes(kind)).length,
      }))
      .sort((a, b) => compare(a.provider, b.provider)),
    notes: groupBy(noted, ({ note }) => note)
      .map((members) => ({
        note: members[0]?.note ?? "",
        hosts: members.map(({ host }) => host).sort(),
      }))
      .sort((a, b) => compare(a.note, b.note)),
    debts: Object.entries(debts)
      .map(([host, debt]) => ({ host, ...debt }))
      .sort((a, b) => compare(a.host, b.host)),
    retry: owing.length === 0 ? null : owing.sort().join(","),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function groupBy<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return [...groups.values()];
}

const SHOWN_HOSTS = 12;

function hostList(hosts: readonly string[]): string {
  if (hosts.length <= SHOWN_HOSTS) return hosts.join(", ");
  return `${hosts.slice(0, SHOWN_HOSTS).join(", ")} and ${hosts.length - SHOWN_HOSTS} more`;
}

/** Text of a host or the file inside a Markdown table: no cell, line or HTML can be broken by it. */
function cell(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\|<>`*_[\]]/g, (character) => `\\${character}`)
    .trim();
}

export function renderMarkdown(recap: Recap, voters: VoterPlan): string {
  const { declared, effective, quorum, margin } = voters;
  const lines = [
    `**Fleet: ${recap.light}**${recap.reasons.length > 0 ? ` (${recap.reasons.join("; ")})` : ""}`,
    "",
    `Voters: ${declared.length} declared, ${effective.length} effective, quorum ${quorum}, margin ${margin}.`,
    ...table(
      ["Outcome", "Hosts", "", "Detail"],
      recap.groups.map(({ kind, detail, hosts }) => [
        kind,
        String(hosts.length),
        hostList(hosts),
        detail,
      ]),
    ),
    ...table(
      ["Provider", "Nodes", "Well"],
      recap.providers.map(({ provider, hosts, well }) => [provider, String(hosts), String(well)]),
    ),
    ...table(
      ["Owed by", "Since", "Why"],
      recap.debts.map(({ host, since, why }) => [host, since, why]),
    ),
    ...table(
      ["Note", "Hosts"],
      recap.notes.map(({ note, hosts }) => [note, hostList(hosts)]),
    ),
    ...(recap.retry === null ? [] : ["", `To try again: \`P2P_LIMIT=${recap.retry} pulumi up\``]),
  ];
  return `${lines.join("\n")}\n`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return ["", line(header), `|${" --- |".repeat(header.length)}`, ...rows.map(line)];
}
