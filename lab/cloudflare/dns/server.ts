import { createSocket, type Socket } from "node:dgram";
import { createServer, type Server } from "node:net";
import { decode, encode, streamEncode } from "dns-packet";
import { type Account } from "../account/account";
import { answerQuery } from "./answer";

/** Bytes that an answer over UDP may have; a longer one is cut, and asked for again over TCP. */
const UDP_SIZE = 1232;
const TRUNCATED = 1 << 9;

/** DNS over UDP. */
export function dnsUdpServer(account: Account, edge: string): Socket {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    try {
      const answer = answerQuery(decode(message), account, edge);
      const whole = encode(answer);
      const cut = { ...answer, flags: (answer.flags ?? 0) | TRUNCATED, answers: [] };
      const sent = whole.length <= UDP_SIZE ? whole : encode(cut);
      socket.send(sent, from.port, from.address);
    } catch {
      // What is no query gets no answer.
    }
  });
  socket.on("error", () => undefined);
  return socket;
}

/** DNS over TCP: each message after two bytes with its length. */
export function dnsTcpServer(account: Account, edge: string): Server {
  return createServer((socket) => {
    let rest = Buffer.alloc(0);
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const message = rest.subarray(2, 2 + rest.readUInt16BE(0));
        rest = rest.subarray(2 + message.length);
        try {
          socket.write(streamEncode(answerQuery(decode(message), account, edge)));
        } catch {
          socket.destroy();
        }
      }
    });
  });
}
