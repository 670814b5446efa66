/** Pulumi's mocks for tunnels: what Cloudflare would answer, and nothing that it would not. */

import { type Registered, startStrictMocks } from "./mocks";

const ANSWERS: Readonly<Record<string, (name: string) => Record<string, unknown>>> = {
  "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": () => ({}),
  "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig": () => ({}),
  "cloudflare:index/dnsRecord:DnsRecord": () => ({}),
  "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy": () => ({}),
  "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication": () => ({}),
  "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken": (name) => ({
    clientId: `${name}.access`,
    clientSecret: `${name}-secret`,
    expiresAt: "2099-01-01T00:00:00Z",
  }),
};

const COMPONENTS = ["NodeTunnel", "EntryTunnel", "TunnelAccess"];

/** Short names of types: `ZeroTrustTunnelCloudflared`, `NodeTunnel`. */
export function shortType(type: string): string {
  return type.split(":").at(-1) ?? type;
}

/** @param preview true: ids are not known, as for what is still to be made */
export async function startCloudflareMocks(preview = false): Promise<Registered[]> {
  return startStrictMocks(
    (type, name, values) => {
      if (COMPONENTS.includes(shortType(type))) return { id: "", state: {} };
      const answer = ANSWERS[type];
      if (!answer) throw new Error(`unknown type ${type}`);
      if (preview) return { id: undefined, state: values };
      return { id: `${name}-id`, state: { ...values, ...answer(name) } };
    },
    preview,
    "p2p",
  );
}
