import { Command, CommanderError, Option } from "commander";
import { EngineError, ExitCode, messageOf, Unsupported } from "../errors";
import { EQUIVALENT_VERSION } from "../server/engineService";
import { configGet, configList, configRemove, configSet } from "./configCommands";
import { deploy, preview, type DeployOptions } from "./deploy";
import * as stacks from "./stackCommands";

/** Options of the real CLI that would change what happens: they are refused by name rather than taken for a typo. */
const REFUSED = [
  ...[
    "--refresh",
    "--run-program",
    "--target-dependents",
    "--exclude-dependents",
    "--attach-debugger",
  ],
  ...["--exclude-protected", "--show-replacement-steps", "--show-sames", "--remote", "--neo"],
];
const REFUSED_WITH_VALUE = [
  ...["--target", "--exclude", "--replace", "--target-replace", "--plan", "--save-plan"],
  ...["--policy-pack", "--policy-pack-config", "--import-file", "--config", "--secrets-provider"],
];

/** Runs one command line. @returns the exit code */
export async function main(argv: readonly string[], guard: string): Promise<number> {
  let code: number = ExitCode.ok;
  const program = commandLine(guard, (result) => (code = result));
  try {
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ExitCode.usage;
    const shown = error instanceof EngineError ? error.message : describeUnexpected(error);
    process.stderr.write(`error: ${shown}\n`);
    return error instanceof EngineError ? error.exitCode : ExitCode.failed;
  }
}

function describeUnexpected(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}

function commandLine(guard: string, finish: (code: number) => void): Command {
  const program = new Command("pulumi")
    .description(
      "An embedded stand-in for the Pulumi CLI: it runs this program where the CLI cannot be fetched.",
    )
    .exitOverride()
    .version(`v${EQUIVALENT_VERSION}-embedded`)
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 wrong usage, 6 no such stack, 7 changes where none were expected, 8 cancelled.",
    );
  program.on("command:*", ([name]: string[]) => {
    throw new Unsupported(`\`pulumi ${name}\``);
  });
  addDeployCommands(program, guard, finish);
  addStackCommands(program);
  addConfigCommands(program);
  program.command("version").action(() => print(`v${EQUIVALENT_VERSION}-embedded`));
  for (const command of [program, ...descendants(program)]) {
    command
      .option("-C, --cwd <folder>", "run as if in this folder")
      .option("--non-interactive", "never ask, never draw")
      .option("--config-file <file>", "settings in place of Pulumi.<stack>.yaml")
      .addOption(new Option("--color <when>").hideHelp())
      .addOption(new Option("-e, --emoji").hideHelp())
      .addOption(new Option("--disable-integrity-checking").hideHelp());
  }
  return program;
}

function addDeployCommands(program: Command, guard: string, finish: (code: number) => void): void {
  const options = (command: Command): DeployOptions => ({
    ...command.optsWithGlobals<DeployOptions>(),
    guard,
  });
  const commands = [
    program
      .command("preview")
      .aliases(["pre"])
      .description("show what would change")
      .option("-j, --json", "as JSON")
      .action(async (_, command: Command) => finish(await preview(options(command)))),
    program
      .command("up")
      .aliases(["update"])
      .description("make the stack what the program says")
      .action(async (_, command: Command) => finish(await deploy("update", options(command)))),
    program
      .command("destroy")
      .aliases(["down", "dn"])
      .description("delete everything in the stack")
      .action(async (_, command: Command) => finish(await deploy("destroy", options(command)))),
  ];
  for (const command of commands) addDeployOptions(command);
}

function addDeployOptions(command: Command): void {
  stackOption(command)
    .option("-p, --parallel <number>", "provider calls at a time (default: four per processor)")
    .option("--continue-on-error", "go on with what does not depend on the failed resource")
    .option("--diff", "show every property that changes")
    .option("--expect-no-changes", "exit with 7 if anything changes")
    .option("--suppress-outputs", "do not print the stack's outputs")
    .addOption(new Option("--suppress-progress").hideHelp())
    .addOption(new Option("-m, --message <text>").hideHelp());
  if (command.name() !== "preview") {
    command
      .option("-y, --yes", "do not ask")
      .option("-f, --skip-preview", "do not preview first")
      .option("--preview-only", "only preview");
  }
  for (const flag of REFUSED) {
    command.addOption(new Option(`${flag} [value]`).hideHelp().argParser(refuser(flag)));
  }
  for (const flag of REFUSED_WITH_VALUE) {
    command.addOption(new Option(`${flag} <value>`).hideHelp().argParser(refuser(flag)));
  }
  command.hook("preAction", (_, action) => {
    const values = action.opts<Record<string, unknown>>();
    for (const option of action.options) {
      const isRefused = REFUSED.includes(option.long ?? "");
      if (isRefused && values[option.attributeName()] === true)
        throw new Unsupported(option.long ?? "");
    }
  });
}

/** `--refresh=false` asks for nothing. */
function refuser(flag: string): (value: string) => string {
  return (value) => {
    if (value === "false") return value;
    throw new Unsupported(`${flag} ${value}`);
  };
}

function addStackCommands(program: Command): void {
  const stack = stackOption(program.command("stack").description("manage stacks"));
  const add = (definition: string, description: string): Command =>
    stackOption(stack.command(definition).description(description));
  add("output [name]", "print the stack's outputs")
    .option("-j, --json")
    .option("--show-secrets")
    .action(async (name: string | undefined, _, command: Command) => {
      print(await stacks.stackOutput(name, command.optsWithGlobals()));
    });
  add("export", "print the state")
    .option("--file <file>")
    .option("--show-secrets")
    .action(async (_, command: Command) =>
      print(await stacks.stackExport(command.optsWithGlobals())),
    );
  add("import", "replace the state")
    .option("--file <file>")
    .action(async (_, command: Command) =>
      print(await stacks.stackImport(command.optsWithGlobals())),
    );
  add("init [name]", "make a stack").action(
    async (name: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<{ stack?: string }>();
      print(await stacks.stackInit(name ?? options.stack ?? missing("stack init"), options));
    },
  );
  add("select [name]", "choose the stack for later commands")
    .option("-c, --create", "make it if it does not exist")
    .action(async (name: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<{ stack?: string }>();
      print(await stacks.stackSelect(name ?? options.stack ?? missing("stack select"), options));
    });
  add("ls", "list the project's stacks")
    .option("-j, --json")
    .action((_, command: Command) => print(stacks.stackList(command.optsWithGlobals())));
  add("rm [name]", "forget a stack")
    .option("-y, --yes")
    .option("-f, --force", "even if it still has resources")
    .option("--preserve-config", "keep its settings file")
    .action((name: string | undefined, _, command: Command) => {
      print(stacks.stackRemove(name, command.optsWithGlobals()));
    });
  stackOption(
    program.command("cancel [name]").description("release the lock of a run that is gone"),
  )
    .option("-y, --yes")
    .action((name: string | undefined, _, command: Command) => {
      print(stacks.cancel(name, command.optsWithGlobals()));
    });
}

function addConfigCommands(program: Command): void {
  const config = stackOption(program.command("config").description("list the stack's settings"))
    .option("-j, --json")
    .option("--show-secrets")
    .action(async (_, command: Command) => print(await configList(command.optsWithGlobals())));
  stackOption(config.command("set <key> [value]").description("change a setting"))
    .option("--secret", "encrypt it")
    .option("--plaintext", "do not encrypt it")
    .option("--path", "the key is a path, such as p2p:policy.maxFailed")
    .action(async (key: string, value: string | undefined, _, command: Command) => {
      await configSet(key, value, command.optsWithGlobals());
    });
  stackOption(config.command("get <key>").description("print a setting")).action(
    async (key: string, _, command: Command) =>
      print(await configGet(key, command.optsWithGlobals())),
  );
  stackOption(config.command("rm <key>").description("remove a setting"))
    .option("--path", "the key is a path, such as p2p:firewall.allow[0]")
    .action((key: string, _, command: Command) => configRemove(key, command.optsWithGlobals()));
}

function stackOption(command: Command): Command {
  return command.option("-s, --stack <name>", "the stack");
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

function missing(command: string): never {
  throw new EngineError(`\`pulumi ${command}\` needs the name of the stack`, ExitCode.usage);
}

function print(text: string | undefined): void {
  if (text) process.stdout.write(`${text}\n`);
}
