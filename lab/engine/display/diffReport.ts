import { type StepEvent } from "../deployment/events";
import { urnType } from "../plan/urn";
import { STACK_TYPE } from "../state/resource";
import { diffLines, valueLines } from "./valueDiff";
import { SIGNS, stepWord } from "./words";

/** The steps of a run with every property that changes, in the manner of `pulumi preview --diff`. */
export function stepDiffLines(step: StepEvent): string[] {
  const { op, urn, old, next } = step;
  if (op === "same" && urnType(urn) !== STACK_TYPE) return [];
  const isChild = (next ?? old)?.parent !== undefined;
  const indent = isChild ? 4 : 2;
  const head = `${" ".repeat(indent - 2)}${SIGNS[op]}${urnType(urn)}: (${stepWord(op, "done", true) || "same"})`;
  const facts = [
    ...((next ?? old)?.id ? [`[id=${(next ?? old)?.id}]`] : []),
    `[urn=${urn}]`,
    ...(step.provider ? [`[provider=${step.provider}]`] : []),
  ].map((fact) => " ".repeat(indent + 4) + fact);
  return [head, ...facts, ...propertyLines(step, indent + 2)];
}

function propertyLines({ op, old, next }: StepEvent, indent: number): string[] {
  switch (op) {
    case "create":
    case "read":
      return valueLines(next?.inputs ?? {}, op === "create" ? "+" : " ", indent);
    case "update":
    case "replace":
    case "create-replacement":
      return diffLines(old?.inputs ?? {}, next?.inputs ?? {}, indent);
    case "delete":
      return valueLines(old?.inputs ?? {}, "-", indent);
    case "delete-replaced":
    case "same":
      return [];
  }
}
