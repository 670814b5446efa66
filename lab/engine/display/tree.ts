import { type WriteStream } from "node:tty";
import { type Diagnostic, type StepEvent } from "../deployment/events";
import { urnName, urnType } from "../plan/urn";
import { seconds } from "./plain";
import { type Renderer } from "./record";
import { diffNote, SIGNS, stepWord } from "./words";

const FRAME_MILLISECONDS = 120;
const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

export interface Row {
  urn: string;
  parent: string | undefined;
  sign: string;
  status: string;
  info: string;
  startedAt: number;
  isRunning: boolean;
}

/** The resources of a run as a tree that is drawn anew while it changes; unchanged ones are only counted. */
export class TreeRenderer implements Renderer {
  private readonly rows = new Map<string, Row>();
  private unchanged = 0;
  private drawn = 0;
  private frame = 0;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly terminal: Pick<WriteStream, "write" | "columns" | "rows">,
    private readonly isPreview: boolean,
    private readonly now: () => number = Date.now,
  ) {
    this.timer = setInterval(() => this.draw(false), FRAME_MILLISECONDS);
    this.timer.unref();
  }

  stepStarted(step: StepEvent): void {
    if (step.op === "same") return;
    const state = step.next ?? step.old;
    this.rows.set(step.urn, {
      urn: step.urn,
      parent: state?.parent,
      sign: SIGNS[step.op],
      status: stepWord(step.op, "running", this.isPreview),
      info: diffNote(step).trim(),
      startedAt: this.rows.get(step.urn)?.startedAt ?? this.now(),
      isRunning: !this.isPreview,
    });
  }

  stepEnded(step: StepEvent, outcome: "done" | "failed", milliseconds: number): void {
    if (step.op === "same") {
      this.unchanged++;
      return;
    }
    const row = this.rows.get(step.urn);
    if (!row) return;
    const duration = this.isPreview ? "" : ` (${seconds(milliseconds)})`;
    row.status = stepWord(step.op, outcome, this.isPreview) + duration;
    row.isRunning = false;
  }

  diagnostic(diagnostic: Diagnostic): void {
    const row = diagnostic.urn ? this.rows.get(diagnostic.urn) : undefined;
    const text = diagnostic.message.trimEnd().split("\n").pop() ?? "";
    if (row) row.info = diagnostic.severity === "info" ? text : `${diagnostic.severity}: ${text}`;
  }

  close(): void {
    clearInterval(this.timer);
    this.draw(true);
  }

  private draw(isLast: boolean): void {
    const lines = treeLines(
      [...this.rows.values()],
      this.now(),
      SPINNER[this.frame++ % SPINNER.length] ?? "",
    );
    if (this.unchanged > 0) lines.push(`    ${this.unchanged} unchanged`);
    const width = this.terminal.columns || 80;
    // A frame taller than the screen could not be wiped: only its end is shown until the last one.
    const height = isLast ? lines.length : Math.max(1, (this.terminal.rows || 24) - 2);
    const shown = lines.slice(-height).map((line) => clip(line, width));
    const wipe = this.drawn > 0 ? `\u001b[${this.drawn}A\u001b[0J` : "";
    this.terminal.write(wipe + shown.map((line) => `${line}\n`).join(""));
    this.drawn = shown.length;
  }
}

/** One line per row, children under their parents. */
export function treeLines(rows: readonly Row[], now: number, spinner: string): string[] {
  const known = new Set(rows.map((row) => row.urn));
  const children = new Map<string, Row[]>();
  for (const row of rows) {
    const parent = row.parent !== undefined && known.has(row.parent) ? row.parent : "";
    children.set(parent, [...(children.get(parent) ?? []), row]);
  }
  const lines: string[] = [];
  const visit = (parent: string, prefix: string): void => {
    const list = children.get(parent) ?? [];
    list.forEach((row, index) => {
      const isLast = index === list.length - 1;
      const branch = parent === "" ? "" : isLast ? "└─ " : "├─ ";
      const running = row.isRunning
        ? ` ${spinner} ${Math.round((now - row.startedAt) / 1000)}s`
        : "";
      const label = `${urnType(row.urn)}  ${urnName(row.urn)}`;
      lines.push(
        ` ${row.sign}  ${prefix}${branch}${label}  ${row.status}${running}  ${row.info}`.trimEnd(),
      );
      visit(row.urn, parent === "" ? "" : prefix + (isLast ? "   " : "│  "));
    });
  };
  visit("", "");
  return lines;
}

function clip(line: string, width: number): string {
  return line.length > width ? `${line.slice(0, Math.max(0, width - 1))}…` : line;
}
