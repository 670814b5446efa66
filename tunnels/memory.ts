/**
 * What the last finished run left at Cloudflare, kept in the stack's outputs. It spares looking, keeps names in the
 * Access application they are in, and says what there is to clean up; nothing breaks without it.
 */

import { type Groups } from "./access";

export interface TunnelMemory {
  readonly accountId: string;
  readonly zoneId: string;
  /** By key: `node:<name>` or `entry`. */
  readonly tunnels: Readonly<Record<string, RememberedTunnel>>;
  /** null where Access is off. */
  readonly access: {
    readonly groups: Groups;
    /** Generations of service tokens that are let in. */
    readonly tokens: readonly number[];
  } | null;
}

export interface RememberedTunnel {
  readonly id: string;
  readonly record: string | null;
  readonly hostname: string;
  readonly port: number;
}

export const ENTRY_KEY = "entry";

export function nodeKey(node: string): string {
  return `node:${node}`;
}

/** The node of a key; undefined for the entry's. */
export function nodeOfKey(key: string): string | undefined {
  return key.startsWith("node:") ? key.slice("node:".length) : undefined;
}
