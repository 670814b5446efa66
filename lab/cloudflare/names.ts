/** Names and numbers of the lab's Cloudflare. The account and the zone are the same in every lab; labs never meet. */

/** 32 hexadecimal digits, as real ones. */
export const LAB_ACCOUNT_ID = "1ab0000000000000000000000000acc0";
export const LAB_ZONE_ID = "1ab000000000000000000000000020e0";
/** Reserved for documentation, so that no resolver outside a lab knows it. */
export const LAB_ZONE = "fleet.example";

/** Ports on the lab's own address. */
export const API_PORT = 8082;
export const EDGE_PORT = 443;
export const DNS_PORT = 53;
/** Where connectors dial; TCP, and UDP for those that try QUIC first. */
export const CONNECTOR_PORT = 7844;

/** What connectors look up, and the name that they expect in the certificate there. */
export const CONNECTOR_REGIONS = ["region1.v2.argotunnel.com", "region2.v2.argotunnel.com"];
export const CONNECTOR_SERVER_NAME = "h2.cftunnel.com";

/** Where a tunnel's DNS record points. */
export const TUNNEL_DOMAIN = "cfargotunnel.com";

/** Published limits of an account (developers.cloudflare.com/cloudflare-one/account-limits). */
export const DEFAULT_LIMITS = {
  tunnels: 1000,
  replicas: 25,
  records: 1000,
  applications: 500,
  domainsPerApplication: 5,
  serviceTokens: 50,
  policies: 500,
  /** API requests within five minutes; whoever makes more is refused for five minutes. */
  requests: 1200,
};
export type Limits = typeof DEFAULT_LIMITS;
