/**
 * A file of `KEY="value"` lines that sh and systemd's EnvironmentFile read alike: inside double quotes
 * both take a backslash before these four as quoting, and a newline as itself.
 * @throws when a key is not a name
 */
export function renderConf(values: Readonly<Record<string, string>>): string {
  const lines = Object.keys(values)
    .sort()
    .map((key) => {
      if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key))
        throw new Error(`${JSON.stringify(key)} is no name`);
      return `${key}="${(values[key] ?? "").replace(/["\\$`]/g, "\\$&")}"\n`;
    });
  return "# Managed by p2p-fleet: edits are overwritten by the next run.\n" + lines.join("");
}
