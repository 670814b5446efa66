import { type ProviderSpec } from "../kit";
import { acl } from "./acl";
import { Client } from "./client";
import { deviceAuthorization, deviceKey, deviceTags } from "./devices";
import {
  dnsConfiguration,
  dnsNameservers,
  dnsPreferences,
  dnsSearchPaths,
  dnsSplitNameservers,
} from "./dns";
import { getAcl, getDevice, getDevices } from "./functions";
import { readSettings } from "./settings";
import { tailnetKey } from "./tailnetKey";

/** The part of the tailscale package that the project uses, as @pulumi/tailscale 0.29.1 documents it. */
export const tailscale: ProviderSpec<Client> = {
  name: "tailscale",
  version: "0.29.1",
  configure: (inputs) => new Client(readSettings(inputs, process.env)),
  resources: {
    "tailscale:index/tailnetKey:TailnetKey": tailnetKey,
    "tailscale:index/acl:Acl": acl,
    "tailscale:index/dnsPreferences:DnsPreferences": dnsPreferences,
    "tailscale:index/dnsNameservers:DnsNameservers": dnsNameservers,
    "tailscale:index/dnsSearchPaths:DnsSearchPaths": dnsSearchPaths,
    "tailscale:index/dnsSplitNameservers:DnsSplitNameservers": dnsSplitNameservers,
    "tailscale:index/dnsConfiguration:DnsConfiguration": dnsConfiguration,
    "tailscale:index/deviceTags:DeviceTags": deviceTags,
    "tailscale:index/deviceKey:DeviceKey": deviceKey,
    "tailscale:index/deviceAuthorization:DeviceAuthorization": deviceAuthorization,
  },
  invokes: {
    "tailscale:index/getAcl:getAcl": getAcl,
    "tailscale:index/getDevice:getDevice": getDevice,
    "tailscale:index/getDevices:getDevices": getDevices,
  },
};
