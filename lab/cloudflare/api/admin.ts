import { randomBytes } from "node:crypto";
import { type Account } from "../account/account";
import { type ApiToken, type Permission } from "../account/tokens";
import { type Connectors } from "../edge/connectors";
import { DEFAULT_LIMITS } from "../names";
import { type Faults } from "./faults";
import { type Journal } from "./journal";
import { type RateLimit } from "./rateLimit";

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

/** Makes a token with some permissions, or with all of them. */
export function makeToken(permissions: readonly Permission[] | "all"): ApiToken {
  const id = randomBytes(16).toString("hex");
  return { id, value: randomBytes(30).toString("base64url").slice(0, 40), permissions };
}

/** What steers the stand-in, for tests; nothing of it exists at Cloudflare. */
export class AdminServer {
  constructor(
    private readonly account: Account,
    private readonly connectors: Connectors,
    private readonly faults: Faults,
    private readonly journal: Journal,
    private readonly limit: RateLimit,
  ) {}

  /** Answers a request below /lab. */
  async answer(
    method: string,
    url: URL,
    readBody: () => Promise<Record<string, unknown>>,
  ): Promise<Reply> {
    const { account, connectors, faults, journal } = this;
    switch (`${method} ${url.pathname}`) {
      case "GET /lab/state":
        return { status: 200, body: this.state() };
      case "GET /lab/faults":
        return { status: 200, body: faults.all() };
      case "POST /lab/faults": {
        try {
          return { status: 200, body: faults.add(await readBody()) };
        } catch (error) {
          return { status: 400, body: { error: (error as Error).message } };
        }
      }
      case "DELETE /lab/faults": {
        const id = url.searchParams.get("id");
        faults.clear(id === null ? undefined : Number(id));
        return { status: 200, body: faults.all() };
      }
      case "GET /lab/requests":
        return { status: 200, body: journal.all() };
      case "DELETE /lab/requests":
        journal.clear();
        return { status: 200, body: [] };
      case "POST /lab/limits":
        account.limits = { ...account.limits, ...(await readBody()) };
        this.limit.reset();
        return { status: 200, body: account.limits };
      case "DELETE /lab/limits":
        account.limits = { ...DEFAULT_LIMITS };
        this.limit.reset();
        return { status: 200, body: account.limits };
      case "POST /lab/tokens": {
        const { permissions } = await readBody();
        const token = makeToken((permissions as Permission[] | undefined) ?? "all");
        account.tokens.push(token);
        return { status: 200, body: token };
      }
      case "POST /lab/edge": {
        const body = await readBody();
        if (typeof body["connectors"] === "boolean") connectors.setOpen(body["connectors"]);
        return { status: 200, body: { connectors: connectors.isOpen } };
      }
      default:
        return { status: 404, body: { error: `${method} ${url.pathname} is not there` } };
    }
  }

  private state(): unknown {
    const { account, connectors } = this;
    return {
      standIn: "the lab's Cloudflare",
      account: account.id,
      zones: account.zones,
      limits: account.limits,
      connectorsAllowed: connectors.isOpen,
      tunnels: [...account.tunnels.values()].map((tunnel) => ({
        id: tunnel.id,
        name: tunnel.name,
        deletedAt: tunnel.deletedAt,
        version: tunnel.configuration.version,
        connectors: connectors.clientsOf(tunnel.id),
      })),
      records: [...account.records.values()],
      applications: [...account.applications.values()].map(({ id, fields, policies }) => ({
        id,
        fields,
        policies,
      })),
      policies: [...account.policies.values()],
      serviceTokens: [...account.serviceTokens.values()].map(({ id, name, clientId, enabled }) => ({
        id,
        name,
        clientId,
        enabled,
      })),
    };
  }
}
