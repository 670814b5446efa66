/** A rule of a policy: one key, whose value says who is meant, in the API's own spelling. */
export type Selector = Readonly<Record<string, unknown>>;

export interface Policy {
  readonly id: string;
  name: string;
  decision: string;
  include: Selector[];
  exclude: Selector[];
  require: Selector[];
  sessionDuration: string;
  /** Further fields as they were given. */
  rest: Record<string, unknown>;
  readonly createdAt: string;
  updatedAt: string;
}

export interface PolicyReference {
  readonly id: string;
  readonly precedence: number;
}

export interface Application {
  readonly id: string;
  readonly aud: string;
  /** Fields as they were given, in the API's own spelling. */
  fields: Record<string, unknown>;
  policies: PolicyReference[];
  readonly createdAt: string;
  updatedAt: string;
}

export interface ServiceToken {
  readonly id: string;
  name: string;
  /** 32 hexadecimal digits and ".access". */
  readonly clientId: string;
  /** 64 hexadecimal digits; shown when it is made, never again. */
  clientSecret: string;
  secretVersion: number;
  /** The secret before the last rotation, and until when it is taken. */
  previous: { secret: string; expiresAt: number } | null;
  duration: string;
  /** Milliseconds since 1970, null for a token that does not expire. */
  expiresAt: number | null;
  enabled: boolean;
  readonly createdAt: string;
  updatedAt: string;
  lastSeenAt: string | null;
}

/** Whether a service token with this secret may be used now. */
export function isValid(token: ServiceToken, secret: string, now: number): boolean {
  if (!token.enabled || (token.expiresAt !== null && token.expiresAt <= now)) return false;
  if (secret === token.clientSecret) return true;
  const { previous } = token;
  return previous !== null && previous.expiresAt > now && previous.secret === secret;
}

/** The host and path patterns that an application protects, such as "n1.fleet.example/admin". */
export function domainsOf({ fields }: Pick<Application, "fields">): string[] {
  const destinations = Array.isArray(fields["destinations"]) ? fields["destinations"] : [];
  const uris = destinations.flatMap((destination: Record<string, unknown>) =>
    (destination["type"] ?? "public") === "public" && typeof destination["uri"] === "string"
      ? [destination["uri"]]
      : [],
  );
  if (uris.length > 0) return uris;
  const hosted = fields["self_hosted_domains"];
  if (Array.isArray(hosted) && hosted.length > 0) return hosted.map(String);
  return typeof fields["domain"] === "string" ? [fields["domain"]] : [];
}
