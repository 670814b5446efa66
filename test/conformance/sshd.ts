import { spawn } from "node:child_process";
import { type AddressInfo } from "node:net";
import { Server, type ServerChannel } from "ssh2";
import { makeKeyPair } from "../../lab/fleet/keys";

import { type Cloud } from "./provider/cloud";

export const sshPassword = "planted-ssh-password";

/**
 * An SSH server on loopback, in this process: it takes one password, runs what it is told with sh, and
 * writes every command with its stdin and environment to the journal.
 */
export class Sshd {
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(cloud: Cloud): Promise<Sshd> {
    const { private: hostKey } = makeKeyPair();
    const server = new Server({ hostKeys: [hostKey] }, (client) => {
      client.on("error", () => undefined);
      client.on("authentication", (attempt) => {
        if (attempt.method === "password" && attempt.password === sshPassword) attempt.accept();
        else attempt.reject(["password"]);
      });
      client.on("session", (accept) => {
        const session = accept();
        const environment: Record<string, string> = {};
        session.on("env", (acceptEnv, _reject, { key, val }) => {
          environment[key] = String(val);
          // Absent when the client wants no reply.
          (acceptEnv as (() => void) | undefined)?.();
        });
        session.on("exec", (acceptExec, _reject, { command }) => {
          execute(cloud, acceptExec(), command, environment);
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Sshd(server, (server.address() as AddressInfo).port);
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

function execute(
  cloud: Cloud,
  channel: ServerChannel,
  command: string,
  environment: Record<string, string>,
): void {
  const child = spawn("/bin/sh", ["-c", command], {
    env: { PATH: "/usr/bin:/bin", ...environment },
  });
  // A command may end before it has been sent anything; what the client gave it is part of the observation all the same.
  let stdin = "";
  const heard = new Promise<void>((resolve) => {
    channel.on("data", (data: Buffer) => {
      stdin += data.toString("utf8");
      child.stdin.write(data);
    });
    channel.on("end", () => {
      child.stdin.end();
      resolve();
    });
    channel.on("close", resolve);
  });
  child.stdin.on("error", () => undefined);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on("close", (code) => {
    void heard.then(() => {
      cloud.record({ call: "exec", phase: "begin", name: "sshd", command, stdin, environment });
      cloud.record({ call: "exec", phase: "done", name: command, id: `exit ${code}` });
      channel.exit(code ?? 255);
      channel.end();
    });
  });
}
