import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import {
  decode,
  encode,
  type Packet,
  type RecordType,
  streamDecode,
  streamEncode,
} from "dns-packet";
import { Account } from "../../../lab/cloudflare/account/account";
import { LAB_ZONE_ID } from "../../../lab/cloudflare/names";
import { answerQuery } from "../../../lab/cloudflare/dns/answer";
import { Loopback } from "./loopback";

const EDGE = "192.0.2.1";

function accountWith(...records: [name: string, type: string, content: string, proxied?: true][]) {
  const account = new Account();
  for (const [name, type, content, proxied = false] of records) {
    account.records.set(name + type, {
      ...{ id: name, zoneId: LAB_ZONE_ID, name: `${name}fleet.example`, type, content, proxied },
      ...{ ttl: proxied ? 1 : 60, comment: null, tags: [], settings: {} },
      ...{ createdOn: "", modifiedOn: "" },
    });
  }
  return account;
}

const account = accountWith(
  ["n1.", "CNAME", "x.cfargotunnel.com", true],
  ["plain.", "A", "192.0.2.7"],
  ["alias.", "CNAME", "plain.fleet.example"],
  ["out.", "CNAME", "elsewhere.example"],
  ["", "TXT", "hello"],
  ["*.wild.", "CNAME", "x.cfargotunnel.com", true],
  ["own.wild.", "A", "192.0.2.8"],
);

function ask(name: string, type: RecordType): [number, unknown[]] {
  const query: Packet = { id: 7, type: "query", questions: [{ name, type }] };
  const answer = decode(encode(answerQuery(query, account, EDGE)));
  const data = (answer.answers ?? []).map((item) => ("data" in item ? item.data : null));
  return [(answer.flags ?? 0) & 15, data];
}

describe("the lab's DNS", () => {
  it.each<[string, RecordType, number, unknown[]]>([
    ["n1.fleet.example", "A", 0, [EDGE]],
    ["N1.Fleet.Example", "A", 0, [EDGE]],
    ["n1.fleet.example", "AAAA", 0, []],
    ["n1.fleet.example", "CNAME", 0, []],
    ["plain.fleet.example", "A", 0, ["192.0.2.7"]],
    ["alias.fleet.example", "A", 0, ["plain.fleet.example", "192.0.2.7"]],
    ["alias.fleet.example", "CNAME", 0, ["plain.fleet.example"]],
    ["out.fleet.example", "A", 0, ["elsewhere.example"]],
    ["fleet.example", "TXT", 0, [[Buffer.from("hello")]]],
    ["fleet.example", "A", 0, []],
    ["a.wild.fleet.example", "A", 0, [EDGE]],
    ["own.wild.fleet.example", "A", 0, ["192.0.2.8"]],
    ["wild.fleet.example", "A", 0, []],
    ["nobody.fleet.example", "A", 3, []],
    ["a.n1.fleet.example", "A", 3, []],
    ["example.net", "A", 3, []],
    ["region1.v2.argotunnel.com", "A", 0, [EDGE]],
  ])("%s %s", (name, type, code, answers) => {
    expect(ask(name, type)).toEqual([code, answers]);
  });

  it("says where connectors find the edge", () => {
    expect(ask("_v2-origintunneld._tcp.argotunnel.com", "SRV")[1]).toMatchObject([
      { port: 7844, target: "region1.v2.argotunnel.com" },
      { port: 7844, target: "region2.v2.argotunnel.com" },
    ]);
  });

  it("answers over UDP and TCP, and survives what is no query", async () => {
    const lab = await Loopback.start();
    try {
      const { dns: port } = lab.stand.ports;
      const query: Packet = {
        ...{ id: 9, type: "query" },
        questions: [{ name: "region1.v2.argotunnel.com", type: "A" }],
      };
      const udp = createSocket("udp4");
      udp.send(Buffer.from("nonsense"), port, "127.0.0.1");
      udp.send(encode(query), port, "127.0.0.1");
      const [message] = (await once(udp, "message")) as [Buffer];
      udp.close();
      expect(decode(message)).toMatchObject({ id: 9, answers: [{ data: "127.0.0.1" }] });
      const tcp = connect(port, "127.0.0.1");
      tcp.write(streamEncode(query));
      const [chunk] = (await once(tcp, "data")) as [Buffer];
      tcp.destroy();
      expect(streamDecode(chunk)).toMatchObject({ id: 9, answers: [{ data: "127.0.0.1" }] });
    } finally {
      await lab.close();
    }
  });
});
