import { type TLSSocket } from "node:tls";
import { type Account } from "../account/account";
import { type Tunnel } from "../account/tunnels";
import { Connector } from "./connector";
import { Control } from "./control";
import { encode, type FromConnector } from "./messages";

/** A connection as the API shows it. */
export interface ConnectionView {
  readonly id: string;
  readonly uuid: string;
  readonly client_id: string;
  readonly client_version: string;
  readonly colo_name: string;
  readonly is_pending_reconnect: boolean;
  readonly opened_at: string;
  readonly origin_ip: string;
}

type Registration = Extract<FromConnector, { type: "register" }>;

/** Two places, as a connector has its connections at two. */
const PLACES = ["lab01", "lab02"];
const placeOf = (index: number): string => PLACES[index % PLACES.length] ?? "lab01";

/** All connectors of all tunnels. */
export class Connectors {
  /** False: the edge takes no connectors (a fault). */
  isOpen = true;
  private readonly byId = new Map<string, Connector>();

  constructor(private readonly account: Account) {}

  /** Opens or closes the edge to connectors; those that are there go with it. */
  setOpen(isOpen: boolean): void {
    this.isOpen = isOpen;
    if (!isOpen) for (const connector of this.byId.values()) connector.end();
  }

  /** One of a tunnel's connectors, any; there is no steering among replicas. */
  pick(tunnelId: string, except: ReadonlySet<Connector> = new Set()): Connector | undefined {
    const serving = this.of(tunnelId).filter(
      (connector) => connector.isServing && !except.has(connector),
    );
    return serving[Math.floor(Math.random() * serving.length)];
  }

  connectionsOf(tunnelId: string): ConnectionView[] {
    return this.of(tunnelId).flatMap((connector) => this.show(connector));
  }

  /** A tunnel's connectors as the API shows them. */
  clientsOf(tunnelId: string): Record<string, unknown>[] {
    return this.of(tunnelId)
      .filter(({ controls }) => controls.size > 0)
      .map((connector) => ({
        id: connector.id,
        version: connector.version,
        arch: connector.arch,
        run_at: connector.runAt,
        features: ["ha-origin"],
        config_version: connector.configVersion,
        conns: this.show(connector),
      }));
  }

  /** Cuts a tunnel's connectors, or one of them. */
  disconnect(tunnelId: string, connectorId?: string): void {
    this.of(tunnelId)
      .filter(({ id }) => (connectorId ?? id) === id)
      .forEach((connector) => connector.end());
  }

  pushConfiguration({ id, configSrc, configuration }: Tunnel): void {
    if (configSrc !== "cloudflare") return;
    const { version, config } = configuration;
    for (const { controls } of this.of(id)) {
      const [first] = controls.values();
      first?.send({ type: "config", version, config });
    }
  }

  /** Takes a control connection, or says why not. */
  register(socket: TLSSocket, hello: Registration): void {
    const tunnel = this.account.tunnels.get(hello.tunnel);
    const why = this.whyNot(tunnel, hello);
    if (why !== null || tunnel === undefined) {
      const { error, retry } = why ?? { error: "Unauthorized: Failed to get tunnel", retry: false };
      socket.end(encode({ type: "error", error, retry }));
      return;
    }
    const connector = this.connectorOf(hello);
    const control: Control = new Control(
      socket,
      hello.index,
      (message) => {
        if (message.type === "unregister") {
          connector.isLeaving = true;
          control.send({ type: "unregistered" });
        }
        if (message.type === "applied") connector.configVersion = message.version;
      },
      () => this.ended(connector, control, tunnel),
    );
    connector.controls.get(hello.index)?.end();
    connector.controls.set(hello.index, control);
    tunnel.activeAt ??= control.openedAt;
    const remote = tunnel.configSrc === "cloudflare";
    control.send({
      type: "registered",
      connection: control.id,
      location: placeOf(hello.index),
      version: remote ? tunnel.configuration.version : -1,
      config: remote ? tunnel.configuration.config : null,
    });
  }

  /** Takes a data connection; false when nobody asked for it. */
  arrive(ticket: string, socket: TLSSocket): boolean {
    return [...this.byId.values()].some((connector) => connector.arrive(ticket, socket));
  }

  end(): void {
    for (const connector of this.byId.values()) connector.end();
  }

  private of(tunnelId: string): Connector[] {
    return [...this.byId.values()].filter((connector) => connector.tunnelId === tunnelId);
  }

  private show(connector: Connector): ConnectionView[] {
    return [...connector.controls.values()].map((control) => ({
      id: control.id,
      uuid: control.id,
      client_id: connector.id,
      client_version: connector.version,
      colo_name: placeOf(control.index),
      is_pending_reconnect: false,
      opened_at: control.openedAt,
      origin_ip: control.originIp,
    }));
  }

  private whyNot(
    tunnel: Tunnel | undefined,
    hello: Registration,
  ): { error: string; retry: boolean } | null {
    if (!this.isOpen) return { error: "the lab's edge takes no connectors", retry: true };
    if (tunnel === undefined || tunnel.deletedAt !== null || hello.account !== this.account.id) {
      return { error: "Unauthorized: Failed to get tunnel", retry: false };
    }
    if (hello.secret !== tunnel.secret) {
      return { error: "Unauthorized: Invalid tunnel secret", retry: false };
    }
    const others = this.of(tunnel.id).filter(({ id }) => id !== hello.connector);
    if (others.length < this.account.limits.replicas) return null;
    return { error: "the tunnel has as many replicas as it can have", retry: true };
  }

  private connectorOf(hello: Registration): Connector {
    const known = this.byId.get(hello.connector);
    if (known?.tunnelId === hello.tunnel) return known;
    const connector = new Connector(hello.connector, hello.tunnel, hello.version, hello.arch);
    this.byId.set(connector.id, connector);
    return connector;
  }

  private ended(connector: Connector, control: Control, tunnel: Tunnel): void {
    if (connector.controls.get(control.index) !== control) return;
    connector.controls.delete(control.index);
    if (connector.controls.size > 0) return;
    connector.lost();
    this.byId.delete(connector.id);
    if (this.of(tunnel.id).length === 0) tunnel.inactiveAt = new Date().toISOString();
  }
}
