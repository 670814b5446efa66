/**
 * Marks that Pulumi's protocols and state files use inside plain JSON trees for values that JSON has no word for
 * (pulumi/pulumi: sdk/go/common/resource/sig, sdk/go/common/resource/plugin/rpc.go).
 */

/** Key that makes an object special; its value says which kind it is. */
export const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";

/** `{ value }` on the wire, `{ ciphertext }` in an encrypted state file. */
export const SECRET = "1b47061264138c4ac30d75fd1eb44270";
/** `{ text | path | uri, hash }`. */
export const ASSET = "c44067f5952c0a294b673a41bacd8c17";
/** `{ assets | path | uri, hash }`. */
export const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";
/** `{ urn, id }`. */
export const RESOURCE_REFERENCE = "5cf8f73096256a8f31e491e813e4eb8e";
/** `{ value?, secret?, dependencies? }`. */
export const OUTPUT_VALUE = "d0e6a833031e9bbcd3f4e8bde6ca49a4";

/** The unknown value that SDKs and engines send in previews. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** All strings that mean unknown: an engine may say which type it expects the value to have later. */
export const UNKNOWNS: ReadonlySet<string> = new Set([
  UNKNOWN,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);
