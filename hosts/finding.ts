/** A finding is what a check says about one place of the inventory. */

import { CODES, type Code } from "./codes";

export type Severity = "error" | "warning" | "info";

/** Keys and list indices that lead from the top of the file to a value. */
export type Path = readonly (string | number)[];

export interface Finding {
  readonly severity: Severity;
  /** Stable name of the rule. */
  readonly code: Code;
  /** Place in the file, such as `hosts.gpu-7.ssh_port` or `p2p_voters[3]`; empty for the file itself. */
  readonly path: string;
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based. */
  readonly column: number;
  readonly message: string;
  /** What to write instead; null where there is no better advice than the message. */
  readonly hint: string | null;
}

/** What a rule reports; file, line and severity are added where the positions are known. */
export interface Report {
  readonly code: Code;
  readonly path: Path;
  /** True where the key is wrong rather than its value. */
  readonly atKey?: boolean;
  readonly message: string;
  readonly hint?: string;
}

export function severityOf(code: Code): Severity {
  return CODES[code].severity;
}

/** `hosts.gpu-7.ssh_port`, `p2p_voters[3]`, `hosts["a b"]`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    if (!/^[\w-]{1,100}$/.test(part)) return `${text}[${quote(part)}]`;
    return text === "" ? part : `${text}.${part}`;
  }, "");
}

/** JSON notation, cut at 60 characters, so that no text of the file can reach a terminal raw. */
export function quote(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  const cut = text.length > 60 ? `${text.slice(0, 59)}…` : text;
  return escapeControls(typeof value === "string" ? JSON.stringify(cut) : cut);
}

/** A reason inside another message; the reasons of a refused host can be long. */
export function cite(reason: string): string {
  return reason.length > 120 ? `${reason.slice(0, 119)}…` : reason;
}

/** Control characters, and those that are invisible or turn the reading direction, as `\u001b`. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** In file order; same place: severity, then code. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    a.line - b.line ||
    a.column - b.column ||
    a.code.localeCompare(b.code, "en") ||
    a.message.localeCompare(b.message, "en")
  );
}

/** `distributed_hosts.yaml:41:5 hosts.gpu-7.ssh_port: expected …`: one line, without the hint. */
export function formatFinding(finding: Finding): string {
  const place = finding.path === "" ? "" : ` ${finding.path}`;
  return `${finding.file}:${finding.line}:${finding.column}${place}: ${finding.message}`;
}
