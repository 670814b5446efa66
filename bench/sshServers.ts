/**
 * Stands for any number of hosts: one SSH server on every loopback address, in a process of its own, so that its share
 * of the processor is not the controller's. Lets anybody in who has the key that it made, and answers every command
 * with the text that came on its stdin.
 */

import { type AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { Server, utils } from "ssh2";

const answer = readFileSync(0, "utf8");
const host = utils.generateKeyPairSync("ed25519");
const operator = utils.generateKeyPairSync("ed25519");
const allowed = utils.parseKey(operator.public);
if (allowed instanceof Error) throw allowed;

const server = new Server({ hostKeys: [host.private] }, (client) => {
  client.on("error", () => undefined);
  client.on("authentication", (context) => {
    const isAllowed =
      context.method === "publickey" &&
      context.key.data.equals(allowed.getPublicSSH()) &&
      (context.signature === undefined ||
        allowed.verify(context.blob as Buffer, context.signature, context.hashAlgo) === true);
    if (isAllowed) context.accept();
    else context.reject(["publickey"]);
  });
  client.on("session", (accept) => {
    accept().on("exec", (acceptExec) => {
      const channel = acceptExec();
      channel.on("error", () => undefined);
      channel.resume().once("end", () => {
        channel.write(answer);
        channel.exit(0);
        channel.end();
      });
    });
  });
});
server.listen(0, "0.0.0.0", () => {
  const { port } = server.address() as AddressInfo;
  const hostKey = host.public.split(" ").slice(0, 2).join(" ");
  process.stdout.write(`${JSON.stringify({ port, hostKey, operatorKey: operator.private })}\n`);
});
