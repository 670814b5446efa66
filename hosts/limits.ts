/**
 * Bounds that keep any text under 1 MB from costing more than its worth: the YAML composer is quadratic
 * in empty flow items and slow in deep nesting, so its cheap lexer looks first (yaml 2.9, measured).
 */

import { Lexer } from "yaml";

export const MAX_BYTES = 1_000_000;
const MAX_TOKENS = 350_000;
const MAX_DEPTH = 32;
const MAX_FLOW_ITEMS = 2_000;
const MAX_DIRECTIVES = 10;
const MAX_STRAY_BRACKETS = 20;
const MAX_INDICATORS_PER_LINE = 64;

export interface Excess {
  readonly message: string;
  readonly offset: number;
}

/** The first bound that the text breaks, or undefined. Offsets count UTF-16 units. */
export function findExcess(text: string): Excess | undefined {
  let tokens = 0;
  let offset = 0;
  let directives = 0;
  let stray = 0;
  let indicators = 0;
  const flow: number[] = [];
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    const first = token[0];
    const exceeded = (message: string): Excess => ({ message, offset });
    if (tokens > MAX_TOKENS) return exceeded(`more than ${MAX_TOKENS} YAML tokens`);
    if (first === "\n" || first === "\r") indicators = 0;
    else if (token === ":" || token === "-" || token === "?") {
      indicators += 1;
      if (indicators > MAX_INDICATORS_PER_LINE && flow.length === 0)
        return exceeded(`more than ${MAX_INDICATORS_PER_LINE} nested values on one line`);
    } else if (token === "[" || token === "{") {
      flow.push(0);
      if (flow.length > MAX_DEPTH) return exceeded(`nested deeper than ${MAX_DEPTH} levels`);
    } else if (token === "]" || token === "}") {
      if (flow.pop() === undefined && ++stray > MAX_STRAY_BRACKETS)
        return exceeded(`more than ${MAX_STRAY_BRACKETS} brackets that close nothing`);
    } else if (token === "," && flow.length > 0) {
      const items = (flow.pop() ?? 0) + 1;
      flow.push(items);
      if (items > MAX_FLOW_ITEMS)
        return exceeded(`more than ${MAX_FLOW_ITEMS} items in one flow collection`);
    } else if (first === "%" && flow.length === 0 && ++directives > MAX_DIRECTIVES) {
      return exceeded(`more than ${MAX_DIRECTIVES} lines that start with "%"`);
    }
    // The lexer marks scalars and document ends with control characters that are not in the text.
    if (token.length !== 1 || token > "\u001f" || /[\t\n\r]/.test(token)) offset += token.length;
  }
  return undefined;
}
