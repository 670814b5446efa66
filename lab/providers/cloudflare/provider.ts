import { type ProviderSpec } from "../kit";
import { accessApplication, accessPolicy, accessServiceToken } from "./access";
import { type Client } from "./client";
import { getTunnelToken, getZone, getZones } from "./functions";
import { dnsRecord } from "./record";
import { checkSettings, makeClient } from "./settings";
import { tunnel, tunnelConfig } from "./tunnels";

/** The part of the cloudflare package that this project uses, as @pulumi/cloudflare 6.22.1 documents it. */
export const cloudflare: ProviderSpec<Client> = {
  name: "cloudflare",
  version: "6.22.1",
  checkConfig: checkSettings,
  configure: (inputs) => makeClient(inputs),
  resources: {
    "cloudflare:index/dnsRecord:DnsRecord": dnsRecord,
    "cloudflare:index/zeroTrustAccessApplication:ZeroTrustAccessApplication": accessApplication,
    "cloudflare:index/zeroTrustAccessPolicy:ZeroTrustAccessPolicy": accessPolicy,
    "cloudflare:index/zeroTrustAccessServiceToken:ZeroTrustAccessServiceToken": accessServiceToken,
    "cloudflare:index/zeroTrustTunnelCloudflared:ZeroTrustTunnelCloudflared": tunnel,
    "cloudflare:index/zeroTrustTunnelCloudflaredConfig:ZeroTrustTunnelCloudflaredConfig":
      tunnelConfig,
  },
  invokes: {
    "cloudflare:index/getZone:getZone": getZone,
    "cloudflare:index/getZones:getZones": getZones,
    "cloudflare:index/getZeroTrustTunnelCloudflaredToken:getZeroTrustTunnelCloudflaredToken":
      getTunnelToken,
  },
};
