/** A tunnel whose connectors are configured through the API. */
export interface Tunnel {
  /** UUID. */
  readonly id: string;
  name: string;
  readonly configSrc: "cloudflare" | "local";
  /** Base64 of at least 32 bytes; connectors prove with it that they may serve the tunnel. */
  secret: string;
  readonly createdAt: string;
  /** Set when it was deleted: it stays to be seen. */
  deletedAt: string | null;
  /** When its first connector came, and when its last one went. */
  activeAt: string | null;
  inactiveAt: string | null;
  configuration: TunnelConfiguration;
}

/** The document that connectors follow. */
export interface TunnelConfiguration {
  /** 0 before anybody has set one. */
  readonly version: number;
  /** As it was given. */
  readonly config: unknown;
  readonly createdAt: string;
}

/** What a connector is started with: base64 of JSON with account, tunnel and secret. */
export function tunnelToken(accountId: string, tunnel: Pick<Tunnel, "id" | "secret">): string {
  const token = { a: accountId, t: tunnel.id, s: tunnel.secret };
  return Buffer.from(JSON.stringify(token)).toString("base64");
}
