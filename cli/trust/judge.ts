/** What the key that a host shows means beside the one that is recorded. */

import { fingerprint, formatHostKey, type HostKey, parseHostKey } from "../../probe/hostKey";
import { type ScanResult } from "../../probe/scan";

export interface ShownKey {
  readonly type: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
}

export type Judgement =
  /** None is recorded yet. */
  | { readonly outcome: "new"; readonly key: string; readonly shown: ShownKey }
  | { readonly outcome: "unchanged"; readonly shown: ShownKey }
  /** Another one is recorded, and stays unless it is asked for by name. */
  | { readonly outcome: "changed"; readonly shown: ShownKey; readonly recorded: ShownKey }
  | {
      readonly outcome: "replaced";
      readonly key: string;
      readonly shown: ShownKey;
      readonly recorded: ShownKey;
    }
  | { readonly outcome: "not-reached"; readonly reason: string };

export function judge(scan: ScanResult, recordedText: string | null, replace: boolean): Judgement {
  if (!scan.ok) return { outcome: "not-reached", reason: scan.reason };
  const shown = describe(scan.key);
  const recordedKey = recordedText === null ? undefined : parseHostKey(recordedText);
  const key = formatHostKey(scan.key);
  if (!recordedKey) return { outcome: "new", key, shown };
  if (recordedKey.bytes.equals(scan.key.bytes)) return { outcome: "unchanged", shown };
  const recorded = describe(recordedKey);
  return replace
    ? { outcome: "replaced", key, shown, recorded }
    : { outcome: "changed", shown, recorded };
}

function describe(key: HostKey): ShownKey {
  return { type: key.type, fingerprint: fingerprint(key) };
}
