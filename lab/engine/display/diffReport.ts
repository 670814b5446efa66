import { type StepEvent } from "../deployment/events";
import { urnType } from "../plan/urn";
import { diffLines, valueLines } from "./valueDiff";
import { isChange, SIGNS, stepWord } from "./words";

/** The steps of a run with every property that changes, in the manner of `pulumi preview --diff`. */
export function diffReport(steps: readonly StepEvent[]): string[] {
  const shown = steps.filter(isChange);
  const parents = new Map(shown.map(({ urn, next, old }) => [urn, (next ?? old)?.parent]));
  return shown.flatMap((step) => stepLines(step, depthOf(step.urn, parents)));
}

/** Number of ancestors that are shown too. */
function depthOf(urn: string, parents: ReadonlyMap<string, string | undefined>): number {
  let depth = 0;
  for (let at = parents.get(urn); at !== undefined && parents.has(at); at = parents.get(at))
    depth++;
  return depth;
}

function stepLines(step: StepEvent, depth: number): string[] {
  const { op, urn, old, next, provider } = step;
  const id = next?.id ?? old?.id;
  const indent = " ".repeat(depth * 4);
  const facts = [
    ...(id ? [`[id=${id}]`] : []),
    `[urn=${urn}]`,
    ...(provider ? [`[provider=${provider}]`] : []),
  ];
  return [
    `${indent}${SIGNS[op]}${urnType(urn)}: (${stepWord(op, "done", true) || "same"})`,
    ...facts.map((fact) => `${indent}    ${fact}`),
    ...propertyLines(step, depth * 4 + 2),
  ];
}

function propertyLines({ op, old, next }: StepEvent, indent: number): string[] {
  switch (op) {
    case "create":
    case "import":
      return valueLines(next?.inputs ?? {}, "+", indent);
    case "read":
      return valueLines(next?.inputs ?? {}, " ", indent);
    case "update":
    case "replace":
    case "create-replacement":
      return diffLines(old?.inputs ?? {}, next?.inputs ?? {}, indent);
    case "delete":
      return valueLines(old?.inputs ?? {}, "-", indent);
    case "discard":
    case "delete-replaced":
    case "same":
      return [];
  }
}
