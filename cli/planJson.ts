/** The stable JSON of `fleet plan --json` (docs/json.md): every host has the same keys. */

import { NO_ADDRESSES } from "../hosts/plan/addresses";
import { type FleetPlan, type HostPlan } from "../hosts/plan/types";

export function planJson(plan: FleetPlan): unknown {
  return {
    hosts: Object.fromEntries([...plan.hosts].map(([name, host]) => [name, hostJson(host)])),
    voters: plan.voters,
    relays: plan.relays,
    coordinator: plan.coordinator,
    entry: plan.entry,
    methods: plan.methods,
  };
}

function hostJson(host: HostPlan): unknown {
  const { action, reason, provider, number } = host;
  if (host.action !== "deploy")
    return {
      action,
      reason,
      provider,
      number,
      leaving: host.leaving,
      ...IDLE,
      connection: host.connection,
    };
  return {
    ...host,
    // The key of the object says it.
    name: undefined,
    leaving: false,
    transport: host.transport.kind,
    transportReason: host.transport.reason,
  };
}

/** What a host that is left alone has none of. */
const IDLE = {
  supervisor: null,
  transport: null,
  transportReason: null,
  networking: null,
  container: null,
  connection: null,
  home: null,
  aiServicePath: null,
  interpreter: null,
  loopback: null,
  port: null,
  networkPort: null,
  directPort: null,
  forwarded: false,
  methods: null,
  listen: null,
  exposure: null,
  advertise: null,
  addresses: NO_ADDRESSES,
  planned: [],
  entryOnly: false,
  peers: [],
  peerAddresses: [],
  relayAddresses: [],
  seeds: [],
  relay: false,
  relayReason: null,
  relays: [],
  relayHub: false,
  voter: false,
  coordinator: false,
  authKey: null,
  nodeConf: null,
  environment: null,
} as const;
