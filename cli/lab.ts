import { Command } from "commander";
import { downCommand } from "./lab/down";
import { execCommand } from "./lab/exec";
import { breakCommand, healCommand, restartCommand } from "./lab/faults";
import { logsCommand, sshCommand } from "./lab/hosts";
import { previewCommand } from "./lab/preview";
import { setupCommand } from "./lab/setup";
import { statusCommand } from "./lab/status";
import { upCommand } from "./lab/up";

const EXIT_CODES = `
Exit codes:
  0    done
  1    something that should have worked did not
  2    wrong arguments or files
  3    this machine cannot carry a lab (it takes root on Debian 12 or newer)
  4    no such lab, or there is one already
  130  interrupted; nothing is left of a lab that was being made

A lab is one per checkout unless --id names another. docs/lab.md describes it.`;

/** `fleet lab …`: a fleet of real hosts on this machine, in a network of their own. */
export function labCommand(): Command {
  // What follows a host or a command belongs to it, be it an option or not.
  const lab = new Command("lab")
    .description("Run a fleet of real hosts on this machine.")
    .enablePositionalOptions();
  [
    upCommand(),
    previewCommand(),
    statusCommand(),
    sshCommand(),
    logsCommand(),
    breakCommand(),
    healCommand(),
    restartCommand(),
    execCommand(),
    downCommand(),
    setupCommand(),
  ].forEach((command) => lab.addCommand(command));
  return lab.addHelpText("after", EXIT_CODES);
}
