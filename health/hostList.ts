/** Some names, and how many more there are. */
export function hostList(hosts: readonly string[], shown: number): string {
  // "and 1 more" is no shorter than the name.
  if (hosts.length <= shown + 1) return hosts.join(", ");
  return `${hosts.slice(0, shown).join(", ")} and ${hosts.length - shown} more`;
}
