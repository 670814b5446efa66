/** The live voters while a rollout restarts them: may this one go down now, and is it back? (D5) */

import { counts, hasMet, isAlive, votesOf, whyNotDown } from "../health/quorum";
import { type Facts } from "../payload/facts";

export interface VoterWatchOptions {
  readonly allowQuorumLoss: boolean;
  /** floor(declared / 2) + 1 */
  readonly quorum: number;
  readonly voterReturnMilliseconds: number;
  /** Looks at voters again, just before and after one is taken down. */
  readonly lookAt: (names: readonly string[]) => Promise<ReadonlyMap<string, Facts>>;
}

const POLL_MS = 1000;
/** How long a voter may be silent before it counts as down. */
const PATIENCE_MS = 30_000;

export class VoterWatch {
  private readonly names: readonly string[];
  /**
   * Voters that the run's own probe did not get to. A dial to nobody takes seconds, before and after every restart, so
   * they are dialled again only where a vote of theirs could change the answer.
   */
  private readonly gone: Set<string>;

  /** @param voters with what the probe found of them; undefined where it found nothing */
  constructor(
    voters: readonly { readonly name: string; readonly facts: Facts | undefined }[],
    private readonly options: VoterWatchOptions,
  ) {
    this.names = voters.map(({ name }) => name);
    this.gone = new Set(voters.flatMap(({ name, facts }) => (facts ? [] : [name])));
  }

  /**
   * Looks at the voters just before one is taken down. A busy host answers late: what depends on a voter that is
   * silent or out of reach is looked at again for a while, and a silent one counts as down only after that.
   * @returns undefined when it may go down
   */
  async whyRefused(name: string): Promise<string | undefined> {
    const { allowQuorumLoss, quorum, voterReturnMilliseconds } = this.options;
    const end =
      performance.now() + (allowQuorumLoss ? 0 : Math.min(PATIENCE_MS, voterReturnMilliseconds));
    let skipsGone = this.gone.size > 0;
    for (;;) {
      const facts = await this.look(skipsGone);
      const { alive, silent, unknown } = votesOf(this.names, facts);
      const isOver = performance.now() >= end;
      const doubtful = new Set([...unknown, ...(isOver ? [] : silent)]);
      const refusal = whyNotDown(name, { alive, doubtful, quorum });
      if (refusal === undefined) return undefined;
      if (skipsGone) {
        // One that is back since the probe has a vote.
        skipsGone = false;
        continue;
      }
      if (doubtful.size === 0 || isOver) return refusal;
      await pause();
    }
  }

  /** Waits until the node has met every other live voter since its start, and each of them counts it. */
  async isCounted(name: string): Promise<boolean> {
    const end = performance.now() + this.options.voterReturnMilliseconds;
    for (;;) {
      const facts = await this.look(true);
      const others = this.names.filter(
        (other) => other !== name && isAlive(other, facts.get(other)),
      );
      const found = facts.get(name);
      const isBack = (other: string) => hasMet(found, other) && counts(facts.get(other), name);
      if (isAlive(name, found) && others.every(isBack)) return true;
      if (performance.now() >= end) return false;
      await pause();
    }
  }

  private async look(skipsGone: boolean): Promise<ReadonlyMap<string, Facts>> {
    const asked = skipsGone ? this.names.filter((name) => !this.gone.has(name)) : this.names;
    const facts = await this.options.lookAt(asked);
    for (const name of facts.keys()) this.gone.delete(name);
    return facts;
  }
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, POLL_MS));
