/** What a request needs; `edit` includes `read`. */
export type Permission = `${"access" | "dns" | "tunnel" | "zone"}:${"edit" | "read"}`;

/** An API token of the account. */
export interface ApiToken {
  readonly id: string;
  readonly value: string;
  readonly permissions: readonly Permission[] | "all";
}

export function may(token: ApiToken, wanted: Permission): boolean {
  if (token.permissions === "all") return true;
  const [group] = wanted.split(":");
  return token.permissions.some((held) => held === wanted || held === `${group}:edit`);
}
