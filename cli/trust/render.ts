/** What a person reads of `fleet trust`. */

import { quote } from "../../hosts/finding";
import { colour } from "../terminal";
import { type Judgement, type ShownKey } from "./judge";

const WORD: Readonly<Record<Judgement["outcome"], (text: string) => string>> = {
  new: colour.green,
  unchanged: colour.dim,
  replaced: colour.yellow,
  changed: colour.red,
  "not-reached": colour.red,
};

const keyText = ({ type, fingerprint }: ShownKey): string => `${type} ${fingerprint}`;

/** One line for each host; two keys stand below each other, for comparing. */
export function renderJudgements(judgements: ReadonlyMap<string, Judgement>): string {
  const names = [...judgements.keys()].map(printable);
  const width = Math.max(...names.map((name) => name.length));
  return [...judgements]
    .flatMap(([name, judgement]) => {
      const label = judgement.outcome.replace("-", " ").padEnd(11);
      const start = `${printable(name).padEnd(width)}  ${WORD[judgement.outcome](label)}  `;
      const [head, ...rest] = linesOf(name, judgement);
      return [start + head, ...rest.map((line) => " ".repeat(width + 15) + line)];
    })
    .map((line) => `${line}\n`)
    .join("");
}

function linesOf(name: string, judgement: Judgement): string[] {
  switch (judgement.outcome) {
    case "new":
    case "unchanged":
      return [keyText(judgement.shown)];
    case "replaced":
      return twoKeys(judgement);
    case "changed":
      return [
        ...twoKeys(judgement),
        `if the host was rebuilt: fleet trust --replace ${printable(name)}`,
      ];
    case "not-reached":
      return [judgement.reason];
  }
}

function twoKeys({ recorded, shown }: { recorded: ShownKey; shown: ShownKey }): string[] {
  return [`recorded ${keyText(recorded)}`, `shown    ${keyText(shown)}`];
}

/** Names are keys of the file and may hold anything; a terminal gets them escaped. */
function printable(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : quote(name);
}
