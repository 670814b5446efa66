/** Pulumi's mocks for tunnels: what Cloudflare would answer, and nothing that it would not. */

import * as pulumi from "@pulumi/pulumi";
import { type Registered } from "./mocks";

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
  const registered: Registered[] = [];
  const names = new Set<string>();
  await pulumi.runtime.setMocks(
    {
      newResource({ type, name, inputs }) {
        const values = inputs as Record<string, unknown>;
        if (names.has(`${type} ${name}`)) throw new Error(`${type} ${name} is registered twice`);
        names.add(`${type} ${name}`);
        registered.push({ type, name, inputs: values });
        if (COMPONENTS.includes(shortType(type))) return { id: "", state: {} };
        const answer = ANSWERS[type];
        if (!answer) throw new Error(`unknown type ${type}`);
        if (preview) return { id: undefined, state: values };
        return { id: `${name}-id`, state: { ...values, ...answer(name) } };
      },
      call: ({ token }) => {
        throw new Error(`unknown function ${token}`);
      },
    },
    "p2p",
    "test",
    preview,
  );
  return registered;
}
