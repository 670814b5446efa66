/**
 * node.conf as text: `KEY="value"` lines that a POSIX shell and systemd's EnvironmentFile= read alike
 * (inside double quotes both know the same escapes: backslash before ", \, $ and `).
 */

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** @throws RangeError for a name that is no variable name, or a value with a NUL or a line break */
export function renderNodeConf(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      if (!NAME.test(name)) throw new RangeError(`${JSON.stringify(name)} is no variable name`);
      if (/[\0\n\r]/.test(value)) throw new RangeError(`the value of ${name} has a line break`);
      return `${name}="${value.replace(/[\\"$`]/g, "\\$&")}"\n`;
    })
    .join("");
}

/** Reads what renderNodeConf wrote; comments and blank lines are passed over. @throws RangeError */
export function parseNodeConf(text: string): Record<string, string> {
  const values: [string, string][] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const match = /^([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\$`]|\\["\\$`])*)"$/.exec(line);
    if (!match) throw new RangeError(`line ${index + 1} is not KEY="value"`);
    values.push([match[1] ?? "", (match[2] ?? "").replace(/\\(["\\$`])/g, "$1")]);
  }
  return Object.fromEntries(values);
}
