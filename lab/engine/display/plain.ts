import { type Diagnostic, type StepEvent } from "../deployment/events";
import { type Renderer } from "./record";
import { diffNote, isChange, resourceLabel, SIGNS, stepWord } from "./words";

/** One line per event, for logs and pipes. */
export class PlainRenderer implements Renderer {
  constructor(
    private readonly write: (line: string) => void,
    private readonly isPreview: boolean,
  ) {}

  stepStarted(step: StepEvent): void {
    // In a preview nothing takes time; an unchanged resource has nothing to tell before its end.
    if (this.isPreview || step.op === "same" || step.op === "read") return;
    this.line(step, stepWord(step.op, "running", false) + diffNote(step));
  }

  stepEnded(step: StepEvent, outcome: "done" | "failed", milliseconds: number): void {
    if (this.isPreview && (step.op === "same" || !isChange(step))) return;
    const duration = this.isPreview || step.op === "same" ? "" : ` (${seconds(milliseconds)})`;
    const note = this.isPreview ? diffNote(step) : "";
    this.line(step, stepWord(step.op, outcome, this.isPreview) + duration + note);
  }

  diagnostic(diagnostic: Diagnostic): void {
    const where = diagnostic.urn ? `${resourceLabel(diagnostic.urn)} ` : "";
    const severity = diagnostic.severity === "info" ? "" : `${diagnostic.severity}: `;
    for (const text of diagnostic.message.trimEnd().split("\n")) {
      this.write(`    ${where}${severity}${text}`);
    }
  }

  close(): void {
    // Nothing is kept back.
  }

  private line(step: StepEvent, text: string): void {
    this.write(` ${SIGNS[step.op]} ${resourceLabel(step.urn)} ${text}`.trimEnd());
  }
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)}s`;
}
