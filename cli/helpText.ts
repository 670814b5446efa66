/** What follows the options in a command's help, no wider than the terminal. */

import { type AddHelpTextContext } from "commander";

type HelpText = (context: AddHelpTextContext) => string;

function widthOf({ command }: AddHelpTextContext): number {
  return command.configureOutput().getOutHelpWidth?.() ?? 80;
}

/** @param paragraphs each begins on a line of its own and is wrapped */
export function notes(...paragraphs: readonly string[]): HelpText {
  return (context) => {
    const help = context.command.createHelp();
    return `\n${paragraphs.map((text) => help.boxWrap(text, widthOf(context))).join("\n")}`;
  };
}

/** @param terms term → meaning, as commander shows options */
export function glossary(title: string, terms: Readonly<Record<string, string>>): HelpText {
  return (context) => {
    const help = context.command.createHelp();
    help.helpWidth = widthOf(context);
    const longest = Math.max(...Object.keys(terms).map((term) => term.length));
    const items = Object.entries(terms).map(([term, meaning]) =>
      help.formatItem(term, longest, meaning, help),
    );
    return [`\n${title}`, ...items].join("\n");
  };
}
