import { EngineError } from "../errors";

type Version = [number, number, number];

/**
 * Whether a version lies in a range as `requirePulumiVersion` takes it (blang/semver): comparisons `>=3.1.0`, `<4.0.0`,
 * `!=`, `=`, joined by blanks (and) and `||` (or); `x` stands for any number. `^` and `~` are accepted as npm reads them.
 * @throws EngineError on a range that cannot be read.
 */
export function satisfies(version: string, range: string): boolean {
  const own = parse(version);
  if (!own) throw new EngineError(`"${version}" is not a version`);
  return range.split("||").some((part) => {
    const comparisons = part
      .trim()
      .replace(/([<>=!^~]+)\s+/g, "$1")
      .split(/\s+/);
    if (comparisons.length === 1 && comparisons[0] === "") throw malformed(range);
    return comparisons.every((comparison) => holds(own, comparison, range));
  });
}

function holds(own: Version, comparison: string, range: string): boolean {
  const match =
    /^(>=|<=|!=|==|>|<|=|!|\^|~)?v?(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?$/.exec(
      comparison,
    );
  if (!match) throw malformed(range);
  const operator = match[1] ?? "=";
  const parts = match
    .slice(2, 5)
    .map((part) => (/^\d+$/.test(part ?? "") ? Number(part) : undefined));
  const low: Version = [parts[0] ?? 0, parts[1] ?? 0, parts[2] ?? 0];
  const high = upperBound(operator, parts, low);
  switch (operator) {
    case ">=":
      return compare(own, low) >= 0;
    case "<":
      return compare(own, low) < 0;
    case ">":
      return high ? compare(own, high) >= 0 : false;
    case "<=":
      return high ? compare(own, high) < 0 : true;
    case "!=":
    case "!":
      return !(compare(own, low) >= 0 && (!high || compare(own, high) < 0));
    default:
      return compare(own, low) >= 0 && (!high || compare(own, high) < 0);
  }
}

/** The first version above what the comparison names; undefined when nothing is above. */
function upperBound(
  operator: string,
  [major, minor, patch]: Array<number | undefined>,
  low: Version,
): Version | undefined {
  if (major === undefined) return undefined;
  if (operator === "^") return low[0] > 0 ? [low[0] + 1, 0, 0] : [0, low[1] + 1, 0];
  if (minor === undefined) return [major + 1, 0, 0];
  if (operator === "~" || patch === undefined) return [major, minor + 1, 0];
  return [major, minor, patch + 1];
}

function parse(text: string): Version | undefined {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3])] : undefined;
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function malformed(range: string): EngineError {
  return new EngineError(`"${range}" is not a version range`);
}
