/** Which commits the hosts' checkouts are at, where nobody converges them (`p2p:source` unset). */

import { type Facts } from "../payload/facts";

/** A note for every host of a fleet that runs more than one version; none where all run the same. */
export function versionNotes(
  checkouts: ReadonlyMap<string, Facts["source"]>,
): ReadonlyMap<string, string> {
  const known = [...checkouts].flatMap(([host, source]) =>
    source ? [{ host, version: describe(source) }] : [],
  );
  const versions = new Set(known.map(({ version }) => version)).size;
  if (versions < 2) return new Map();
  return new Map(
    known.map(({ host, version }) => [host, `${version}, one of ${versions} versions`]),
  );
}

function describe({ commit, dirty }: NonNullable<Facts["source"]>): string {
  return `checkout at ${commit.slice(0, 12)}${dirty ? " with local changes" : ""}`;
}
