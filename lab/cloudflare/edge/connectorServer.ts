import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { type Connectors } from "./connectors";
import { type FromConnector, MessageReader } from "./messages";

/** Milliseconds that a connection has to say what it is; a busy machine makes hundreds at once. */
const HELLO = 60_000;

/** Where connectors dial. */
export function connectorServer(
  connectors: Connectors,
  certificate: { readonly key: string; readonly cert: string },
): Server {
  const server = createServer({ ...certificate, minVersion: "TLSv1.2" }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    if (!connectors.isOpen) return void socket.destroy();
    readHello(socket, (hello) => {
      if (hello.type === "register") connectors.register(socket, hello);
      else if (hello.type !== "data" || !connectors.arrive(hello.ticket, socket)) socket.destroy();
    });
  });
  server.on("tlsClientError", (_, socket) => socket.destroy());
  return server;
}

/** Reads exactly the first line; whatever follows belongs to somebody else. */
function readHello(socket: TLSSocket, onHello: (hello: FromConnector) => void): void {
  const reader = new MessageReader();
  const timer = setTimeout(() => socket.destroy(), HELLO);
  const onClose = (): void => clearTimeout(timer);
  const onData = (chunk: Buffer): void => {
    try {
      const [hello] = reader.read(chunk);
      if (hello === undefined) return;
      clearTimeout(timer);
      socket.off("data", onData).off("close", onClose);
      onHello(hello);
    } catch {
      socket.destroy();
    }
  };
  socket.on("data", onData).on("close", onClose);
}

/** Answers datagrams, which is all that the stand-in connector asks of UDP before it says "quic". */
export function reachabilityServer(): UdpSocket {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => {
    // Never more than was sent.
    socket.send(message.subarray(0, 64), from.port, from.address);
  });
  socket.on("error", () => undefined);
  return socket;
}
