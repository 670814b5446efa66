import { type ProviderSpec } from "../kit";
import { commandResource } from "./commandResource";
import { copyToRemote } from "./copyResource";
import {
  connectionPublicFields,
  connectionSecrets,
  type LocalCommandInputs,
  localCommandFields,
  type RemoteCommandInputs,
  remoteCommandFields,
} from "./inputs";
import { localRun } from "./localInvoke";
import { runLocal } from "./localRun";
import { runRemote } from "./remoteRun";
import { killAll } from "./children";

/** The command package, as @pulumi/command 1.2.1 documents it. */
export const command: ProviderSpec = {
  name: "command",
  version: "1.2.1",
  resources: {
    "command:remote:Command": {
      ...commandResource<RemoteCommandInputs>(remoteCommandFields, async (...run) => ({
        ...(await runRemote(...run)),
      })),
      secretInputs: connectionSecrets,
      publicFields: connectionPublicFields,
    },
    "command:remote:CopyToRemote": copyToRemote,
    "command:local:Command": {
      ...commandResource<LocalCommandInputs>(localCommandFields, runLocal),
    },
  },
  invokes: { "command:local:run": localRun },
  onExit: killAll,
};
