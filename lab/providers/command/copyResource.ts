import { isArchive, isAsset, isUnknown, type ValueMap } from "../../wire";
import { type CheckFailure, type ResourceSpec } from "../kit";
import { newId } from "./commandResource";
import { copyToHost } from "./copy";
import { checkFields } from "./fields";
import {
  connectionPublicFields,
  connectionSecrets,
  copyFields,
  type CopyInputs,
  readInputs,
} from "./inputs";

/**
 * A file or folder copied to a host. An update copies again only when the content or the path on the host has changed:
 * a changed connection alone copies nothing, as with the official plugin.
 */
export const copyToRemote: ResourceSpec<undefined> = {
  replaceOnChanges: ["triggers"],
  secretInputs: connectionSecrets,
  publicFields: connectionPublicFields,

  check({ news }) {
    const { checked, failures } = checkFields(copyFields, news);
    return { inputs: checked, failures: [...failures, ...checkSource(checked)] };
  },

  async create({ inputs, context }) {
    await copyToHost(readInputs<CopyInputs>(inputs), context);
    return { id: newId(""), outputs: inputs };
  },

  async update({ inputs, olds, context }) {
    const [now, before] = [readInputs<CopyInputs>(inputs), readInputs<CopyInputs>(olds)];
    if (now.source["hash"] !== before.source["hash"] || now.remotePath !== before.remotePath) {
      await copyToHost(now, context);
    }
    return inputs;
  },
};

/** The kinds of source that version 1.2.1 takes. */
function checkSource({ source }: ValueMap): CheckFailure[] {
  if (source === undefined || isUnknown(source)) return [];
  if (isAsset(source) && !source["path"] && source["text"] === undefined) {
    const reason = "asset must be a path-based file asset or a text asset";
    return [{ property: "asset", reason }];
  }
  if (isArchive(source) && !source["path"]) {
    return [{ property: "archive", reason: "archive must be a path to a file or directory" }];
  }
  return [];
}
