import { type Answer, type Packet, type RecordType } from "dns-packet";
import { type Account } from "../account/account";
import { ADDRESS_TYPES, recordsFor } from "../account/records";
import { CONNECTOR_PORT, CONNECTOR_REGIONS } from "../names";

/** AA: the answer comes from who knows. */
const AUTHORITATIVE = 1 << 10;
const RECURSION_AVAILABLE = 1 << 7;
const NXDOMAIN = 3;
const REFUSED = 5;
/** Seconds that answers for automatic records live (Cloudflare: 300). */
const AUTOMATIC_TTL = 300;

type Found = { readonly answers: readonly Answer[]; readonly exists: boolean };

const NOTHING: Found = { answers: [], exists: false };

/** Names that connectors look up to find the edge (cloudflared: edgediscovery/allregions). */
function connectorNames(name: string, type: string, edge: string): Found {
  if (name === "_v2-origintunneld._tcp.argotunnel.com") {
    const services = CONNECTOR_REGIONS.map((target): Answer => ({
      name,
      type: "SRV",
      ttl: AUTOMATIC_TTL,
      data: { priority: 1, weight: 1, port: CONNECTOR_PORT, target },
    }));
    return { exists: true, answers: type === "SRV" ? services : [] };
  }
  if (!CONNECTOR_REGIONS.includes(name)) return NOTHING;
  const address: Answer = { name, type: "A", ttl: AUTOMATIC_TTL, data: edge };
  return { exists: true, answers: type === "A" ? [address] : [] };
}

/** What the account's records say; proxied ones show the edge and nothing else. */
function zoneNames(account: Account, name: string, type: string, edge: string): Found {
  const records = recordsFor(account, name);
  const zone = account.zoneOf(name);
  if (zone === undefined) return NOTHING;
  if (records.length === 0) {
    const hasBelow = [...account.records.values()].some((one) => one.name.endsWith(`.${name}`));
    return { answers: [], exists: hasBelow || name === zone.name };
  }
  const proxied = records.some((one) => one.proxied && ADDRESS_TYPES.includes(one.type));
  const answers = records.flatMap((record): Answer[] => {
    const ttl = record.ttl === 1 ? AUTOMATIC_TTL : record.ttl;
    if (record.proxied) return [];
    if (record.type === "CNAME" && ["A", "AAAA", "CNAME"].includes(type)) {
      const target = type === "CNAME" ? NOTHING : zoneNames(account, record.content, type, edge);
      return [{ name, type: "CNAME", ttl, data: record.content }, ...target.answers];
    }
    if (record.type !== type) return [];
    if (type === "A" || type === "AAAA") return [{ name, type, ttl, data: record.content }];
    if (type === "TXT") return [{ name, type, ttl, data: record.content }];
    return [];
  });
  const own: Answer[] =
    proxied && type === "A" ? [{ name, type: "A", ttl: AUTOMATIC_TTL, data: edge }] : [];
  return { exists: true, answers: [...own, ...answers] };
}

function soa(zone: string): Answer {
  return {
    name: zone,
    type: "SOA",
    ttl: 60,
    data: {
      mname: "ns1.lab.example",
      rname: "dns.lab.example",
      serial: 1,
      refresh: 10_000,
      retry: 2_400,
      expire: 604_800,
      // How long "there is no such name" is remembered; short, because tests make names.
      minimum: 1,
    },
  };
}

/** The answer to a query; the lab knows nothing of the world outside. */
export function answerQuery(query: Packet, account: Account, edge: string): Packet {
  const question = query.questions?.[0];
  const base: Packet = {
    id: query.id,
    type: "response",
    flags: AUTHORITATIVE | RECURSION_AVAILABLE | ((query.flags ?? 0) & (1 << 8)),
    questions: query.questions,
  };
  if (question === undefined) return { ...base, flags: (base.flags ?? 0) | REFUSED };
  const name = question.name.toLowerCase().replace(/\.$/, "");
  const type: RecordType = question.type;
  const known = connectorNames(name, type, edge);
  const found = known.exists ? known : zoneNames(account, name, type, edge);
  const authorities =
    found.answers.length > 0 ? [] : [soa(account.zoneOf(name)?.name ?? (name || "."))];
  const flags = (base.flags ?? 0) | (found.exists ? 0 : NXDOMAIN);
  return { ...base, flags, answers: [...found.answers], authorities };
}
