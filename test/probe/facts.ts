import { factsRequest } from "../../payload/compare";
import { type Facts, NOTHING_FOUND } from "../../payload/facts";
import { renderAbsent } from "../../payload/render";
import { type FactsRequest } from "../../payload/spec";
import { SOUND_HOST } from "../soundHost";

const nothing = renderAbsent("gpu-1");
export const REQUEST: FactsRequest = factsRequest(nothing, nothing, null);

/** What a sound host answers. */
export const FACTS: Facts = { ...SOUND_HOST, ...NOTHING_FOUND, node: "gpu-1", error: null };
