import { deletionRounds, dependentsOf, neededBy } from "../plan/deletion";
import { STACK_TYPE, type ResourceState } from "../state/resource";
import { type Context } from "./context";
import { type Op } from "./events";
import { type PendingOperations } from "./pending";
import { type Registrar } from "./registrar";
import { StepFailed, type Steps } from "./steps";
import { type ValueMap } from "../../wire";

/**
 * Deletes everything the program no longer wants, dependents first. Nothing goes that a failed resource needs, nor what
 * depended on one: that may be missing from the program only because of the failure.
 */
export async function deleteLeftovers(
  context: Context,
  steps: Steps,
  registrar: Registrar,
): Promise<void> {
  const { pending, failed } = registrar;
  await pending.settleRest();
  const leftovers = context.snapshot.leftovers();
  const condemned = leftovers.filter((state) => state.delete || !registrar.isWanted(state.urn));
  const unsettled = leftovers.filter((state) => failed.has(state.urn));
  const keep = neededBy(unsettled, leftovers);
  for (const urn of failed) for (const state of dependentsOf(urn, leftovers)) keep.add(state.urn);
  for (const round of deletionRounds(condemned)) {
    if (context.outcome.isStopping) return;
    const going = round.filter((state) => !keep.has(state.urn));
    const failed = await deleteRound(context, steps, pending, going);
    for (const urn of neededBy(failed, condemned)) keep.add(urn);
  }
}

async function deleteRound(
  context: Context,
  steps: Steps,
  pending: PendingOperations,
  round: readonly ResourceState[],
): Promise<ResourceState[]> {
  const failed: ResourceState[] = [];
  await Promise.all(
    round.map(async (state) => {
      try {
        if (context.outcome.isStopping) return;
        await deleteOne(steps, pending, state);
      } catch (error) {
        if (!(error instanceof StepFailed)) throw error;
        failed.push(state);
      }
    }),
  );
  return failed;
}

async function deleteOne(
  steps: Steps,
  pending: PendingOperations,
  state: ResourceState,
): Promise<void> {
  if (state.protect && !state.delete) {
    const message =
      "this resource is protected and cannot be deleted; " +
      "remove `protect` from it in the program and run `pulumi up` first";
    return steps.fail(
      { op: "delete", urn: state.urn, provider: state.provider, old: state },
      message,
    );
  }
  if (!(await pending.stillExists(state))) return;
  await steps.delete(state, deletionOp(state));
}

function deletionOp(state: ResourceState): Op {
  if (state.external) return "discard";
  return state.delete || state.pendingReplacement ? "delete-replaced" : "delete";
}

/**
 * Stores the stack's outputs: as the program gave them, or after a failure over those from before, because a program
 * that broke off may not have come to all of them.
 */
export async function storeStackOutputs(
  context: Context,
  given: ValueMap | undefined,
): Promise<void> {
  const stack = context.snapshot
    .resources()
    .find((state) => state.type === STACK_TYPE && !state.delete);
  if (!stack) return;
  const before = context.stackOutputs;
  const failed = context.outcome.isFailed;
  if (!given && failed) return;
  const after = failed ? { ...before, ...given } : (given ?? {});
  context.events.stackOutputs(before, after);
  await context.snapshot.setOutputs(stack, after);
}
