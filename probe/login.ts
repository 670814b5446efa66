/** The last two stages of a dial: key exchange against the pinned key, and exactly one login per key. */

import { type Duplex } from "node:stream";
import { type AuthHandlerMiddleware, Client, type ServerHostKeyAlgorithm } from "ssh2";
import { clean } from "../payload/untrusted";
import { type Budget } from "./budget";
import { type Credential } from "./credentials";
import { DialFailure, seconds } from "./failure";
import { algorithmsOf, fingerprint, type HostKey, hostKeyFromWire } from "./hostKey";
import { STAGE } from "./limits";

interface SshError extends Error {
  readonly level?: string;
}

/**
 * @param stream a connection whose banner has been seen and put back
 * @throws DialFailure `host-key-changed`, `login-refused`, `stalled`, `closed`
 */
export async function login(
  stream: Duplex,
  user: string,
  pinned: HostKey,
  credential: Credential,
  budget: Budget,
): Promise<Client> {
  const client = new Client();
  // Whatever comes after the wait shows as a closed connection.
  client.on("error", () => undefined);
  let shown: HostKey | undefined;
  const failure = (error: SshError): DialFailure => {
    if (shown && !shown.bytes.equals(pinned.bytes)) return keyChanged(pinned, shown);
    if (error.message.includes("no matching host key format")) return keyMissing(pinned);
    return describe(error, user, credential);
  };
  const until = (event: "handshake" | "ready", limit: number, stage: string, begin?: () => void) =>
    budget.phase<void>(
      limit,
      ({ resolve, reject }) => {
        const onDone = () => resolve();
        const onError = (error: SshError) => reject(failure(error));
        const onClose = () => reject(new DialFailure("closed", `hung up ${stage}`));
        client
          .once(event as "ready", onDone)
          .on("error", onError)
          .once("close", onClose);
        begin?.();
        return () =>
          client
            .off(event as "ready", onDone)
            .off("error", onError)
            .off("close", onClose);
      },
      (given) =>
        new DialFailure("stalled", `stalled ${stage} (no answer within ${seconds(given)})`),
    );
  await until("handshake", STAGE.keyExchange, "in the key exchange", () => {
    client.connect({
      sock: stream,
      username: user,
      // Deadlines are ours.
      readyTimeout: 0,
      algorithms: { serverHostKey: [...algorithmsOf(pinned.type)] as ServerHostKeyAlgorithm[] },
      hostVerifier: (bytes: Buffer) => {
        shown = hostKeyFromWire(bytes);
        return shown.bytes.equals(pinned.bytes);
      },
      authHandler: onceOnly(user, credential),
    });
  });
  await until("ready", STAGE.login, "during the login");
  return client;
}

/** sshd counts failed logins against their sender (PerSourcePenalties): one try, and no other method. */
function onceOnly(user: string, credential: Credential): AuthHandlerMiddleware {
  let isTried = false;
  return (_left, _partial, next) => {
    if (isTried) return next(false as never);
    isTried = true;
    if (credential.kind === "agent")
      return next({ type: "agent", username: user, agent: credential.agent });
    return next({ type: "publickey", username: user, key: credential.key as never });
  };
}

function keyChanged(pinned: HostKey, shown: HostKey): DialFailure {
  return new DialFailure(
    "host-key-changed",
    `the host key has changed: pinned ${pinned.type} ${fingerprint(pinned)}, shown ${shown.type} ${fingerprint(shown)}`,
  );
}

function keyMissing(pinned: HostKey): DialFailure {
  return new DialFailure(
    "host-key-changed",
    `the host key has changed: pinned ${pinned.type} ${fingerprint(pinned)}, but no key of that type is offered`,
  );
}

function describe(error: SshError, user: string, credential: Credential): DialFailure {
  const text = clean(error.message).split("\n")[0]?.slice(0, 160) ?? "";
  if (error.level === "client-authentication" || /authentication failures/i.test(text))
    return new DialFailure("login-refused", `login refused for ${user} with ${credential.label}`);
  if (error.level === "agent")
    return new DialFailure("login-refused", `login failed for ${user}: the ssh agent: ${text}`);
  if (/^Handshake failed: no matching/.test(text))
    return new DialFailure("closed", `the key exchange failed: ${text.slice(18)}`);
  return new DialFailure("closed", `the connection broke: ${text}`);
}
