import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { toStruct, type ValueMap } from "../../wire";
import { type ChangeKind, type CheckFailure, type DiffResult } from "./types";

const KINDS: Record<ChangeKind, pb.PropertyDiff.Kind> = {
  add: 0,
  "add-replace": 1,
  delete: 2,
  "delete-replace": 3,
  update: 4,
  "update-replace": 5,
};

const DIFF_NONE = 1 as pb.DiffResponse.DiffChanges;
const DIFF_SOME = 2 as pb.DiffResponse.DiffChanges;

export function toFailures(
  failures: readonly CheckFailure[],
  mask: (text: string) => string,
): pb.CheckFailure[] {
  return failures.map(({ property, reason }) =>
    new pb.CheckFailure().setProperty(property).setReason(mask(reason)),
  );
}

export function toCheckResponse(
  inputs: ValueMap,
  failures: readonly CheckFailure[],
  mask: (text: string) => string,
): pb.CheckResponse {
  return new pb.CheckResponse()
    .setInputs(toStruct(inputs))
    .setFailuresList(toFailures(failures, mask));
}

/** Engines read the detailed diff; `diffs` and `replaces` (top-level names) are for those that do not. */
export function toDiffResponse(diff: DiffResult): pb.DiffResponse {
  const paths = Object.entries(diff.changes);
  const topLevel = (path: string) => path.split(/[.[]/, 1)[0]!;
  const replaced = paths.filter(([, kind]) => kind.endsWith("-replace"));
  const response = new pb.DiffResponse()
    .setChanges(paths.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setDiffsList([...new Set(paths.map(([path]) => topLevel(path)))])
    .setReplacesList([...new Set(replaced.map(([path]) => topLevel(path)))])
    .setDeletebeforereplace(diff.deleteBeforeReplace ?? false)
    .setHasdetaileddiff(true);
  for (const [path, kind] of paths) {
    const change = new pb.PropertyDiff();
    change.setKind(KINDS[kind]);
    response.getDetaileddiffMap().set(path, change);
  }
  return response;
}
