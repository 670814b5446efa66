import { type Limits, DEFAULT_LIMITS, LAB_ACCOUNT_ID, LAB_ZONE, LAB_ZONE_ID } from "../names";
import { type Application, type Policy, type ServiceToken } from "./access";
import { type DnsRecord } from "./records";
import { type ApiToken } from "./tokens";
import { type Tunnel } from "./tunnels";

export interface Zone {
  readonly id: string;
  readonly name: string;
  readonly createdOn: string;
}

/** Everything that one Cloudflare account holds; it lives as long as the process. */
export class Account {
  readonly id: string;
  readonly zones: Zone[];
  readonly tokens: ApiToken[] = [];
  readonly tunnels = new Map<string, Tunnel>();
  readonly records = new Map<string, DnsRecord>();
  readonly applications = new Map<string, Application>();
  readonly policies = new Map<string, Policy>();
  readonly serviceTokens = new Map<string, ServiceToken>();
  limits: Limits = { ...DEFAULT_LIMITS };

  constructor(zone = { id: LAB_ZONE_ID, name: LAB_ZONE }, id = LAB_ACCOUNT_ID) {
    this.id = id;
    this.zones = [{ ...zone, createdOn: new Date().toISOString() }];
  }

  /** The zone that a host name belongs to. */
  zoneOf(host: string): Zone | undefined {
    return this.zones.find(({ name }) => host === name || host.endsWith(`.${name}`));
  }
}
