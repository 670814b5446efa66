/** `p2p:limit`: host patterns with `*` and `?`; an empty list means every host. */

export function matchesLimit(name: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => toRegExp(pattern).test(name));
}

/** Patterns that name no host of the fleet: surely a typing error. */
export function uselessPatterns(patterns: readonly string[], names: readonly string[]): string[] {
  return patterns.filter((pattern) => !names.some((name) => toRegExp(pattern).test(name)));
}

function toRegExp(pattern: string): RegExp {
  const text = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${text}$`);
}
