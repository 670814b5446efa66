/** The recap as Markdown, for a pull request or a wiki. */

import { foldRecap } from "./alike";
import { hostList } from "./hostList";
import { type Recap, retryCommand } from "./report";

/** Hosts of one line. */
const SHOWN_HOSTS = 12;
/** Lines of one kind; of more than these, those that are alike become one. A comment on GitHub holds 64 KB. */
const SHOWN_LINES = 20;

export function renderMarkdown(whole: Recap): string {
  const recap = foldRecap(whole, SHOWN_LINES);
  const { declared, effective, quorum, margin } = recap.voters;
  const list = (hosts: readonly string[]) => hostList(hosts, SHOWN_HOSTS);
  const retry = retryCommand(recap);
  const lines = [
    `**Fleet: ${recap.light}**${recap.reasons.length > 0 ? ` (${recap.reasons.join("; ")})` : ""}`,
    "",
    `Voters: ${declared} declared, ${effective} effective, quorum ${quorum}, margin ${margin}.`,
    ...table(
      ["Outcome", "Hosts", "", "Detail"],
      recap.groups.map(({ kind, detail, hosts }) => [
        kind,
        String(hosts.length),
        list(hosts),
        detail,
      ]),
    ),
    ...table(
      ["Provider", "Nodes", "Well"],
      recap.providers.map(({ provider, hosts, well }) => [provider, String(hosts), String(well)]),
    ),
    ...table(
      ["Owed by", "Since", "Why"],
      recap.debts.map(({ hosts, since, why }) => [list(hosts), since, why]),
    ),
    ...table(
      ["Paid by", "Owed since"],
      recap.paid.map(({ hosts, since }) => [list(hosts), since]),
    ),
    ...table(
      ["Note", "Hosts"],
      recap.notes.map(({ note, hosts }) => [note, list(hosts)]),
    ),
    ...(retry === null ? [] : ["", "To try again:", "", "```bash", retry, "```"]),
  ];
  return `${lines.join("\n")}\n`;
}

/** Text of a host or the file inside a Markdown table: no cell, line or HTML can be broken by it. */
function cell(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .replace(/[\\|<>`*_[\]]/g, (character) => `\\${character}`)
    .trim();
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return ["", line(header), `|${" --- |".repeat(header.length)}`, ...rows.map(line)];
}
