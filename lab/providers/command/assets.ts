import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { ARCHIVE, ASSET, SIGNATURE_KEY, type ValueMap } from "../../wire";

/**
 * Files under a folder that match the patterns, as assets by relative path. Patterns are taken in order, and one that
 * begins with `!` takes files out again.
 */
export async function findAssets(dir: string, patterns: readonly string[]): Promise<ValueMap> {
  const rules = patterns.map((pattern) => ({
    keep: !pattern.startsWith("!"),
    test: globToRegExp(pattern.replace(/^!/, "")),
  }));
  const found: ValueMap = {};
  for (const path of await filesUnder(dir)) {
    const last = rules.filter(({ test }) => test.test(path)).at(-1);
    if (last?.keep) found[path] = await toAsset(join(dir, path));
  }
  return found;
}

/** An archive of the assets. */
export function toArchive(assets: ValueMap): ValueMap {
  const hash = createHash("sha256").update(JSON.stringify(assets)).digest("hex");
  return { [SIGNATURE_KEY]: ARCHIVE, hash, assets };
}

/** `*` is anything but a slash, `**` anything, `?` one character; `[...]` and `{a,b}` as in shells. */
export function globToRegExp(glob: string): RegExp {
  let depth = 0;
  const source = glob.replace(/\\.|\*\*|\[!?[^\]]+\]|[*?{},.+^$()|]/g, (token) => {
    if (token === "**") return ".*";
    if (token === "*") return "[^/]*";
    if (token === "?") return "[^/]";
    if (token === "{") return (depth++, "(?:");
    if (token === "}" && depth > 0) return (depth--, ")");
    if (token === "," && depth > 0) return "|";
    if (token.startsWith("[")) return token.replace("[!", "[^");
    return token.startsWith("\\") ? token : `\\${token}`;
  });
  return new RegExp(`^${source}$`);
}

async function filesUnder(dir: string, prefix = ""): Promise<string[]> {
  const entries = await readdir(join(dir, prefix), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = prefix ? `${prefix}/${entry.name}` : entry.name;
    if (entry.isDirectory()) found.push(...(await filesUnder(dir, path)));
    else found.push(path);
  }
  return found;
}

async function toAsset(path: string): Promise<ValueMap> {
  const hash = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  return { [SIGNATURE_KEY]: ASSET, hash, path };
}
