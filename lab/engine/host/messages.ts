import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { compareInputs, type Diff } from "../plan/decision";
import { type DetailedDiff, type DiffKind } from "../plan/objectDiff";
import { urnName, urnType } from "../plan/urn";
import { toStruct, type ValueMap } from "../../wire";

interface Named {
  setUrn(value: string): unknown;
  setName(value: string): unknown;
  setType(value: string): unknown;
}

/** Says which resource a request is about: older providers read the URN, newer ones its parts. */
export function nameResource(request: Named, urn: string): void {
  request.setUrn(urn);
  request.setName(urnName(urn));
  request.setType(urnType(urn));
}

/** A Check or CheckConfig request. */
export function checkRequest(
  urn: string,
  olds: ValueMap | undefined,
  news: ValueMap,
): proto.CheckRequest {
  const request = new proto.CheckRequest();
  nameResource(request, urn);
  if (olds) request.setOlds(toStruct(olds));
  request.setNews(toStruct(news));
  return request;
}

const KINDS: Record<number, DiffKind> = {
  [proto.PropertyDiff.Kind.ADD]: "add",
  [proto.PropertyDiff.Kind.ADD_REPLACE]: "add-replace",
  [proto.PropertyDiff.Kind.DELETE]: "delete",
  [proto.PropertyDiff.Kind.DELETE_REPLACE]: "delete-replace",
  [proto.PropertyDiff.Kind.UPDATE]: "update",
  [proto.PropertyDiff.Kind.UPDATE_REPLACE]: "update-replace",
};

/** Reads a Diff answer; a provider without an opinion has its inputs compared. */
export function readDiff(response: proto.DiffResponse, olds: ValueMap, news: ValueMap): Diff {
  if (response.getChanges() === proto.DiffResponse.DiffChanges.DIFF_UNKNOWN) {
    return { ...compareInputs(olds, news), replaceKeys: response.getReplacesList() };
  }
  const detailed: DetailedDiff = {};
  response.getDetaileddiffMap().forEach((diff: proto.PropertyDiff, path: string) => {
    detailed[path] = { kind: KINDS[diff.getKind()] ?? "update", inputDiff: diff.getInputdiff() };
  });
  return {
    changes: response.getChanges() === proto.DiffResponse.DiffChanges.DIFF_SOME ? "some" : "none",
    replaceKeys: response.getReplacesList(),
    changedKeys: response.getDiffsList(),
    deleteBeforeReplace: response.getDeletebeforereplace(),
    detailed: response.getHasdetaileddiff() ? detailed : undefined,
  };
}
