import { type Command } from "commander";
import { checkCommand } from "../../cli/check";
import { labCommand } from "../../cli/lab";
import { outputsCommand } from "../../cli/outputs";
import { planCommand } from "../../cli/plan";
import { statusCommand } from "../../cli/status";
import { syncCommand } from "../../cli/sync";
import { trustCommand } from "../../cli/trust";

const TOP = [
  checkCommand(),
  planCommand(),
  statusCommand(),
  outputsCommand(),
  trustCommand(),
  syncCommand(),
  labCommand(),
];

const withAll = (command: Command): Command[] => [command, ...command.commands.flatMap(withAll)];

function helpOf(command: Command): string {
  let text = "";
  const writeOut = (part: string) => void (text += part);
  command.configureOutput({ writeOut, getOutHelpWidth: () => 80 }).outputHelp();
  return text;
}

describe("the help of every command", () => {
  const all = TOP.flatMap(withAll).map((command): [string, string] => [
    command.name(),
    helpOf(command),
  ]);

  it.each(all)("%s is no wider than 80 columns", (_, text) => {
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  it("ends with the exit codes", () => {
    // `sync` has one command, which tells them.
    for (const command of TOP.filter((one) => one.name() !== "sync"))
      expect(helpOf(command)).toMatch(/\nExit codes:[ \n]/);
  });

  it("lists what the lab can break", () => {
    const [, text] = all.find(([name]) => name === "break") ?? [];
    expect(text).toContain(`
Faults:
  daemon-killed          kill -9 the owner of the daemon's port, once
  daemon-missing-module  take psutil away from every Python environment and kill
                         the daemon: a crash loop
`);
  });
});
