/**
 * Reusable keys for start scripts: which ones stand, and which is made anew before the old one lapses. The
 * old one stays until it lapses by itself, so that a start script has time to get the new one.
 */

import { type Seen } from "./survey";

/** A key that the last finished run knew. */
export interface KnownKey {
  readonly class: string;
  /** Day on which it was made, `2026-11-22`, or `2026-11-22-2` for the second of a day; part of its name. */
  readonly generation: string;
  /** The API's name for it; null where that is not known. */
  readonly id: string | null;
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

/**
 * @param now of the run
 * @param gone ids of keys that let nobody in any more: they go, and the newest of a class is made anew
 */
export function keysOf(
  classes: readonly KeyClass[],
  known: readonly KnownKey[],
  now: Date,
  gone: readonly string[] = [],
): WantedKey[] {
  return classes.flatMap((wanted) => {
    const ofClass = known.filter((key) => key.class === wanted.class);
    const today = nameOfDay(now, ofClass);
    const own = ofClass
      .filter((key) => !isGone(key, gone) && expiryOf(key, wanted.days) > now.getTime())
      .map(({ generation, expires }) => ({
        generation,
        ends: expiryOf({ generation, expires }, wanted.days),
      }))
      .sort((a, b) => a.generation.localeCompare(b.generation, "en", { numeric: true }));
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

function isGone({ id }: KnownKey, gone: readonly string[]): boolean {
  return typeof id === "string" && gone.includes(id);
}

/** A generation that no key of the class has had. */
function nameOfDay(now: Date, ofClass: readonly KnownKey[]): string {
  const day = now.toISOString().slice(0, 10);
  const numbers = ofClass
    .filter(({ generation }) => generation.startsWith(day))
    .map(({ generation }) => Number(generation.slice(day.length + 1) || 1));
  return numbers.length === 0 ? day : `${day}-${Math.max(...numbers) + 1}`;
}

type Life = Pick<KnownKey, "generation" | "expires">;

function expiryOf({ generation, expires }: Life, days: number): number {
  const told = expires === null ? NaN : Date.parse(expires);
  return Number.isNaN(told) ? Date.parse(generation.slice(0, 10)) + days * DAY_MS : told;
}

export type AskedKey = KnownKey & { readonly id: string };

/** Keys that the API is asked for; that one has lapsed is no news. */
export function askedKeys(known: readonly KnownKey[], now: Date): AskedKey[] {
  return known.filter(
    (key): key is AskedKey =>
      typeof key.id === "string" &&
      (key.expires === null || Date.parse(key.expires) > now.getTime()),
  );
}

/** What people should know about keys for start scripts that somebody took away, or that nobody could ask for. */
export function goneWarnings(gone: Seen<readonly string[]>, asked: readonly AskedKey[]): string[] {
  if ("why" in gone)
    return asked.length === 0
      ? []
      : [`${gone.why}; whether the keys for start scripts are still good is not known`];
  const names = asked.filter((key) => isGone(key, gone.value)).map(keyName);
  if (names.length === 0) return [];
  return [
    `tailnet: ${names.join(", ")} was revoked or deleted, or is not to be seen with these credentials: new hosts cannot join with it, and start scripts need the newest (output startKeys)`,
  ];
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
