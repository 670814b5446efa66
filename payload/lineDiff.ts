/** Lines that differ, as `-is` and `+want`, without context; at most `max` of them. */
export function lineDiff(is: string, want: string, max = 40): string {
  const before = is.split("\n");
  const after = want.split("\n");
  const common = longestCommon(before, after);
  const out: string[] = [];
  let i = 0;
  let j = 0;
  for (const [x, y] of [...common, [before.length, after.length] as const]) {
    for (; i < x; i += 1) out.push(`-${before[i]}`);
    for (; j < y; j += 1) out.push(`+${after[j]}`);
    i = x + 1;
    j = y + 1;
  }
  if (out.length <= max) return out.join("\n");
  return [...out.slice(0, max), `… ${out.length - max} more lines`].join("\n");
}

/** Index pairs of a longest common subsequence. Files here have some hundred lines at most. */
function longestCommon(a: readonly string[], b: readonly string[]): (readonly [number, number])[] {
  const lengths = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const row = lengths[i] as Uint32Array;
    for (let j = b.length - 1; j >= 0; j -= 1) {
      row[j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) {
      pairs.push([i, j]);
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return pairs;
}
