import { z } from "zod";
import { count, list, record, text } from "./untrusted";

/** The daemon by its own word: `/health`, and `/status` below it. */
export const health = z.object({
  /** HTTP status, 0 when nothing answered. */
  status: count,
  nodeId: text(128).nullable(),
  /** The daemon's own word; `false` means busy, not down. */
  healthy: z.boolean().nullable(),
  role: text(32).nullable(),
  leaderId: text(128).nullable(),
  activePeers: count.nullable(),
  uptimeSeconds: z.number().nullable(),
  error: text(300).nullable(),
});

export const daemonStatus = z.object({
  nodeId: text(128).nullable(),
  role: text(32).nullable(),
  leaderId: text(128).nullable(),
  version: text(128).nullable(),
  alivePeers: count.nullable(),
  voters: list(text(128), 256),
  /** The daemon's count of voters it believes alive. */
  votersAlive: count.nullable(),
  /** Node ids it believes alive, itself not among them. */
  alive: list(text(128), 1024),
  /** Seconds since it last exchanged a heartbeat with a voter that it believes alive. */
  heard: record(z.number().nonnegative(), 256),
  error: text(300).nullable(),
});
