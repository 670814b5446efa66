/** docs/findings.md: every finding code. */

import { CODES, type Code } from "../../hosts/codes";
import { type Severity } from "../../hosts/finding";
import { ACTIVE_WORDS, INACTIVE_WORDS } from "../../hosts/status";
import { codeList, GENERATED, table } from "./markdown";

const MEANING: readonly {
  readonly severity: Severity;
  readonly title: string;
  readonly text: string;
}[] = [
  {
    severity: "error",
    title: "Errors",
    text: "An error at a host refuses that host and no other. An error of the whole file leaves no plan. An error about voters, relays or coordinators leaves the plan as it is. `fleet check` exits with 1.",
  },
  {
    severity: "warning",
    title: "Warnings",
    text: "The host is treated as the message says; somebody should look.",
  },
  {
    severity: "info",
    title: "Information",
    text: "Nothing is wrong; something may be unexpected.",
  },
];

function ruleTable(severity: Severity): string {
  const codes = Object.keys(CODES) as Code[];
  const rows = codes
    .filter((code) => CODES[code].severity === severity)
    .map((code) => [`\`${code}\``, CODES[code].rule]);
  return table(["Code", "Rule"], rows);
}

export function findingsPage(): string {
  const sections = MEANING.map(
    ({ severity, title, text }) => `## ${title}\n\n${text}\n\n${ruleTable(severity)}`,
  );
  return `${GENERATED}

# Findings

What \`fleet check\` says about the [inventory](inventory.md). Codes are stable. All findings of a file are shown in one go,
except behind an error of the file itself. Each stands at its place:
\`distributed_hosts.yaml:41:15 hosts.gpu-7.ssh_port: expected an integer from 1 to 65535, got "22x"\`. A value that came in
through a merge key (\`<<\`) is shown at its host. Texts of the file are quoted, cut at 60 characters, and without raw control
characters.

${sections.join("\n\n")}

## Words of \`status\`

- Active: ${codeList(ACTIVE_WORDS)}, and no status at all.
- Inactive, the host is skipped: ${codeList(INACTIVE_WORDS)}.
- Any other word is \`status-unknown\`, and the host is refused.
`;
}
