import { Unsupported } from "../errors";
import { BUILT_IN_PACKAGE } from "../plan/urn";
import { STACK_REFERENCE_TYPE, type ResourceState } from "../state/resource";
import { type Context } from "./context";
import { type StepEvent } from "./events";
import { type Registrar } from "./registrar";
import { isSecret, type ValueMap } from "../../wire";

export interface ReadRequest {
  type: string;
  name: string;
  id: string;
  parent?: string;
  inputs: ValueMap;
  dependencies: string[];
}

/**
 * Reads the stack's own outputs as the last finished run left them; on the first run there are none.
 * @throws Unsupported for any other stack, and for reading anything else.
 */
export async function readStackReference(
  context: Context,
  registrar: Registrar,
  request: ReadRequest,
): Promise<ResourceState> {
  const { project, stack, snapshot, events } = context;
  if (request.type !== STACK_REFERENCE_TYPE) {
    throw new Unsupported(`reading existing resources (${request.name}, ${request.type})`);
  }
  if (request.id !== `organization/${project}/${stack}`) {
    throw new Unsupported(`a StackReference to another stack (${request.id})`);
  }
  const urn = registrar.urnOf(request);
  registrar.claim(urn);
  const provider = await registrar.defaultProvider(BUILT_IN_PACKAGE, "");
  const old = snapshot.olds.get(urn);
  const next: ResourceState = {
    urn,
    custom: true,
    id: request.id,
    type: request.type,
    inputs: request.inputs,
    outputs: referenceOutputs(request.id, context.stackOutputs),
    parent: request.parent,
    external: true,
    dependencies: request.dependencies,
    provider,
  };
  const planned = { ...next, outputs: undefined };
  const step: StepEvent = { op: "read", urn, provider, old, next: planned };
  events.stepStarted(step);
  if (old) await snapshot.same(old, next);
  else await snapshot.end(undefined, () => snapshot.replace(undefined, next));
  events.stepEnded(step, "done", next);
  registrar.states.set(urn, next);
  return next;
}

function referenceOutputs(name: string, outputs: ValueMap): ValueMap {
  const secretOutputNames = Object.keys(outputs).filter((key) => isSecret(outputs[key]));
  return { name, outputs, secretOutputNames };
}
