import { once } from "node:events";
import { type AddressInfo } from "node:net";
import { Account } from "./account/account";
import { type ApiServer, apiServer } from "./api/server";
import { certificateFiles, isCovered, readPair } from "./certificates";
import { dnsTcpServer, dnsUdpServer } from "./dns/server";
import { Connectors } from "./edge/connectors";
import { connectorServer, reachabilityServer } from "./edge/connectorServer";
import { edgeServer } from "./edge/front";
import { API_PORT, CONNECTOR_PORT, DNS_PORT, EDGE_PORT } from "./names";

export interface StandArgs {
  /** Address that everything listens on, and that DNS gives for the edge. */
  readonly address: string;
  /** Folder with the certificates, as makeCertificates leaves it. */
  readonly folder: string;
  /** Value of the API token that may do everything. */
  readonly apiToken: string;
  /** @default the real ones; 0 takes any that is free */
  readonly ports?: Readonly<Record<"api" | "connectors" | "dns" | "edge", number>>;
}

/** The lab's Cloudflare, running. */
export interface Stand {
  readonly account: Account;
  readonly connectors: Connectors;
  readonly api: ApiServer;
  readonly ports: Readonly<Record<"api" | "connectors" | "dns" | "edge", number>>;
  close(): Promise<void>;
}

const PORTS = { api: API_PORT, connectors: CONNECTOR_PORT, dns: DNS_PORT, edge: EDGE_PORT };

/** Starts API, edge, DNS and the place where connectors dial, all in this process. */
export async function startStand(args: StandArgs): Promise<Stand> {
  const { address, folder } = args;
  const wanted = args.ports ?? PORTS;
  const files = certificateFiles(folder);
  const account = new Account();
  account.tokens.push({ id: account.id, value: args.apiToken, permissions: "all" });
  const connectors = new Connectors(account);
  const covers = (name: string): boolean =>
    account.zones.some((zone) => isCovered(name, zone.name));

  const api = apiServer(account, connectors);
  const edge = edgeServer(account, connectors, { ...readPair(files.edge), covers });
  const dial = connectorServer(connectors, readPair(files.connectors));
  const dns = dnsTcpServer(account, address);
  const servers = [api.server, edge, dial, dns];
  const listen = async (server: (typeof servers)[number], port: number): Promise<number> => {
    server.listen(port, address);
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
  };
  const ports = {
    api: await listen(api.server, wanted.api),
    edge: await listen(edge, wanted.edge),
    connectors: await listen(dial, wanted.connectors),
    dns: await listen(dns, wanted.dns),
  };
  const datagrams = [
    { socket: dnsUdpServer(account, address), port: ports.dns },
    { socket: reachabilityServer(), port: ports.connectors },
  ];
  for (const { socket, port } of datagrams) {
    socket.bind(port, address);
    await once(socket, "listening");
  }

  const close = async (): Promise<void> => {
    connectors.end();
    api.server.closeAllConnections();
    edge.closeAllConnections();
    datagrams.forEach(({ socket }) => socket.close());
    await Promise.all(
      servers.map((server) => new Promise((resolve) => server.close(() => resolve(null)))),
    );
  };
  return { account, connectors, api, ports, close };
}
