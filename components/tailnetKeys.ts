/** The auth keys of a run: those that stand, and those that are made now. */

import * as pulumi from "@pulumi/pulumi";
import { keyName, keysOf, type WantedKey } from "../tailnet/classKeys";
import { type TailnetMemory } from "../tailnet/plannedKeys";
import { type Survey } from "../tailnet/survey";
import { settled } from "./settled";
import { type JoinKey, type Tailnet, type TailnetKey } from "./tailnet";
import { type PolicyContext } from "./tailnetPolicy";

export class TailnetKeys {
  private readonly joins = new Map<string, TailnetKey>();
  private readonly classes = new Map<string, TailnetKey>();
  private wanted: readonly WantedKey[] = [];

  constructor(
    private readonly tailnet: Tailnet,
    private readonly previous: TailnetMemory,
  ) {}

  /**
   * One new key goes ahead, so that what keeps all of them from being made is told once.
   * @param isPossible false: none can be made, and only those stand that are there
   * @returns false when none could be made
   */
  async register(
    joins: readonly JoinKey[],
    wanted: readonly WantedKey[],
    isPossible: boolean,
  ): Promise<boolean> {
    this.wanted = wanted;
    for (const key of wanted.filter((one) => isKnown(one, this.previous))) this.addClass(key);
    for (const key of joins.filter(({ isNeeded }) => !isNeeded)) this.addJoin(key);
    const needed = joins.filter(({ isNeeded }) => isNeeded);
    const made = wanted.filter((key) => !isKnown(key, this.previous));
    if (isPossible && (await this.isFirstMade(needed[0], made[0]))) {
      for (const key of needed) this.addJoin(key);
      for (const key of made) this.addClass(key);
      return true;
    }
    // One that is in the state, used up, has to stand there: not registered, it would be taken for removed.
    for (const key of needed)
      if (this.previous.joinKeys.includes(key.host)) this.addJoin({ ...key, isNeeded: false });
    return false;
  }

  private async isFirstMade(join?: JoinKey, ofClass?: WantedKey): Promise<boolean> {
    const first = join ? this.addJoin(join) : ofClass && this.addClass(ofClass);
    if (!first || pulumi.runtime.isDryRun()) return true;
    return (await settled(first.key)) !== undefined;
  }

  private addJoin(key: JoinKey): TailnetKey {
    const made = this.joins.get(key.host) ?? this.tailnet.joinKey(key);
    this.joins.set(key.host, made);
    return made;
  }

  private addClass(key: WantedKey): TailnetKey {
    const made = this.classes.get(keyName(key)) ?? this.tailnet.classKey(key);
    this.classes.set(keyName(key), made);
    return made;
  }

  /** The key of a host; undefined where it has none. */
  ofHost(host: string): pulumi.Output<string> | undefined {
    return this.joins.get(host)?.key;
  }

  /** Hosts whose key is in the state. */
  hosts(): string[] {
    return [...this.joins.keys()].sort();
  }

  /** Keys of classes with their end, as far as they were made. */
  async made(): Promise<MadeKey[]> {
    const found = this.wanted.map(async (key) => {
      const resource = this.classes.get(keyName(key));
      if (!resource) return [];
      const known = this.previous.classKeys.find((one) => keyName(one) === keyName(key));
      const { expires, id } = await this.told(resource);
      return [
        { key, resource, expires: expires ?? known?.expires ?? null, id: id ?? known?.id ?? null },
      ];
    });
    return (await Promise.all(found)).flat();
  }

  private async told({ expiresAt, id }: TailnetKey) {
    if (pulumi.runtime.isDryRun()) return {};
    return { expires: await settled(expiresAt), id: await settled(id) };
  }
}

/** The key of a class as it is after the run. */
export interface MadeKey {
  readonly key: WantedKey;
  readonly resource: TailnetKey;
  readonly expires: string | null;
  readonly id: string | null;
}

/** Keys of classes that the run registers. @param canBeMade whether one with these tags can be */
export function wantedKeys(
  { settings, previous, now }: Pick<PolicyContext, "settings" | "previous"> & { now: string },
  { goneKeys }: Pick<Survey, "goneKeys">,
  canBeMade: (tags: readonly string[]) => boolean,
): WantedKey[] {
  const gone = "value" in goneKeys ? goneKeys.value : [];
  return Object.entries(settings.classes).flatMap(([name, rest]) => {
    const tags = [`tag:${name}`];
    const isPossible = canBeMade(tags);
    // One that lets nobody in stays in the state until there can be another.
    const without = isPossible ? gone : [];
    const keys = keysOf(
      [{ class: name, tags, ...rest }],
      previous.classKeys,
      new Date(now),
      without,
    );
    return keys.filter((key) => isPossible || isKnown(key, previous));
  });
}

/** True for a key of a class that the last finished run left. */
export function isKnown(key: WantedKey, { classKeys }: TailnetMemory): boolean {
  return classKeys.some((known) => keyName(known) === keyName(key));
}

/** Tags of keys that are made now. */
export function tagsToGive(
  joins: readonly JoinKey[],
  classes: readonly WantedKey[],
  previous: TailnetMemory,
): string[] {
  const made = [
    ...joins.filter(({ isNeeded }) => isNeeded),
    ...classes.filter((key) => !isKnown(key, previous)),
  ];
  return made.flatMap(({ tags }) => tags);
}
