/**
 * Reusable keys for start scripts: which ones stand, and which is made anew before the old one lapses. The
 * old one stays until it lapses by itself, so that a start script has time to get the new one.
 */

/** A key that the last finished run knew. */
export interface KnownKey {
  readonly class: string;
  /** Day on which it was made, `2026-11-22`; part of its name. */
  readonly generation: string;
  /** When it lapses, as the API said it; null where that is not known. */
  readonly expires: string | null;
}

export interface KeyClass {
  readonly class: string;
  readonly tags: readonly string[];
  /** Days until a key lapses; 90 at most. */
  readonly days: number;
  readonly ephemeral: boolean;
}

export interface WantedKey extends KeyClass {
  readonly generation: string;
  /** The one that new start scripts get. */
  readonly isNewest: boolean;
}

const DAY_MS = 86_400_000;
/** A key is made anew when less than this share of its life is left. */
const RENEWAL_SHARE = 1 / 3;

/** @param now of the run */
export function keysOf(
  classes: readonly KeyClass[],
  known: readonly KnownKey[],
  now: Date,
): WantedKey[] {
  const today = now.toISOString().slice(0, 10);
  return classes.flatMap((wanted) => {
    const own = known
      .filter((key) => key.class === wanted.class && expiryOf(key, wanted.days) > now.getTime())
      .map(({ generation, expires }) => ({
        generation,
        ends: expiryOf({ generation, expires }, wanted.days),
      }))
      .sort((a, b) => (a.generation < b.generation ? -1 : 1));
    const newest = own.at(-1);
    const isFresh =
      newest !== undefined && newest.ends - now.getTime() > wanted.days * DAY_MS * RENEWAL_SHARE;
    const generations = [
      ...new Set([...own.map(({ generation }) => generation), ...(isFresh ? [] : [today])]),
    ];
    return generations.map((generation) => ({
      ...wanted,
      generation,
      isNewest: generation === generations.at(-1),
    }));
  });
}

function expiryOf({ generation, expires }: Omit<KnownKey, "class">, days: number): number {
  const told = expires === null ? NaN : Date.parse(expires);
  return Number.isNaN(told) ? Date.parse(generation) + days * DAY_MS : told;
}

/** Logical name of the key's resource. */
export function keyName({
  class: name,
  generation,
}: Pick<WantedKey, "class" | "generation">): string {
  return `${name}-${generation}`;
}

/** The Personal and Starter plans' limits (tailscale.com/pricing, 2026-09). */
const TAGGED_RESOURCES = 50;
const EPHEMERAL_MINUTES = 1_000;

/** What a team should know about its plan from the number of hosts. */
export function limitWarnings(
  hosts: number,
  ephemeralClasses: readonly string[],
  ephemeralHosts: number,
): string[] {
  const minutes = Math.floor(EPHEMERAL_MINUTES / Math.max(1, ephemeralHosts));
  return [
    ...(hosts > TAGGED_RESOURCES * 0.8
      ? [
          `tailnet: ${hosts} tagged devices; Tailscale's Personal plan allows ${TAGGED_RESOURCES}${hosts > TAGGED_RESOURCES ? ", so hosts beyond it cannot join there" : ""}`,
        ]
      : []),
    ...(ephemeralClasses.length > 0
      ? [
          `tailnet: keys of ${ephemeralClasses.join(", ")} are ephemeral, and ephemeral minutes are metered (${EPHEMERAL_MINUTES} a month on the Personal and Standard plans: ${minutes} min for ${ephemeralHosts} ${ephemeralHosts === 1 ? "host" : "hosts"})`,
        ]
      : []),
  ];
}
