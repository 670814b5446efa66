import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { fromStruct, toStruct, type ValueMap } from "../../../lab/wire";
import { type FakeEngine } from "./fakeEngine";

/** Kind of a property's change, by the number that is sent. */
const KINDS = ["add", "add-replace", "delete", "delete-replace", "update", "update-replace"];

type Method = Exclude<keyof ResourceProviderClient, keyof Client>;

/** A provider executable, started and spoken to as an engine does it. Values go in and come out with their marks. */
export class ProviderUnderTest {
  private constructor(
    readonly process: ChildProcess,
    readonly client: ResourceProviderClient,
    readonly stderr: () => string,
  ) {}

  static async start(
    command: readonly string[],
    engine: FakeEngine,
    env: NodeJS.ProcessEnv = {},
  ): Promise<ProviderUnderTest> {
    const [file = "", ...args] = command;
    const child = spawn(file, [...args, engine.address], {
      env: { ...process.env, SSH_AUTH_SOCK: undefined, ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const lines = createInterface({ input: child.stdout });
    const port = await Promise.race([
      once(lines, "line").then(([line]) => String(line)),
      once(child, "exit").then(([code]) => {
        throw new Error(`provider ended with ${String(code)} before its port line: ${stderr}`);
      }),
    ]);
    if (!/^\d+$/.test(port)) throw new Error(`not a port: ${port}`);
    const client = new ResourceProviderClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": 400 * 1024 * 1024,
      "grpc.max_send_message_length": 400 * 1024 * 1024,
    });
    return new ProviderUnderTest(child, client, () => stderr);
  }

  /** Starts the call and resolves with the raw response, or rejects with the gRPC error. */
  raw<Response>(method: Method, request: unknown): Promise<Response> {
    return new Promise((resolve, reject) => {
      const call = this.client[method].bind(this.client) as unknown as (
        request: unknown,
        callback: (error: ServiceError | null, response: Response) => void,
      ) => void;
      call(request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  }

  /** Handshake and Configure, as before any resource. */
  async configure(args: ValueMap = {}): Promise<this> {
    await this.raw("handshake", new pb.ProviderHandshakeRequest());
    const request = new pb.ConfigureRequest().setArgs(toStruct(args)).setAcceptsecrets(true);
    await this.raw("configure", request.setSendsOldInputs(true));
    return this;
  }

  async check(urn: string, news: ValueMap, olds: ValueMap = {}) {
    const request = new pb.CheckRequest().setUrn(urn);
    request.setNews(toStruct(news)).setOlds(toStruct(olds));
    const response = await this.raw<pb.CheckResponse>("check", request);
    return {
      inputs: fromStruct(response.getInputs()),
      failures: response.getFailuresList().map((failure) => failure.toObject()),
    };
  }

  /** Kind of change by path. */
  async diff(urn: string, id: string, olds: ValueMap, oldInputs: ValueMap, news: ValueMap) {
    const request = new pb.DiffRequest().setUrn(urn).setId(id);
    request.setOlds(toStruct(olds)).setOldInputs(toStruct(oldInputs)).setNews(toStruct(news));
    const response = await this.raw<pb.DiffResponse>("diff", request);
    const detailed = response.getDetaileddiffMap().getEntryList();
    return {
      changes: ["unknown", "none", "some"][response.getChanges()],
      detailed: Object.fromEntries(
        detailed.map(([path]) => [
          path,
          KINDS[response.getDetaileddiffMap().get(path)?.getKind() ?? -1],
        ]),
      ),
    };
  }

  async create(
    urn: string,
    inputs: ValueMap,
    options: { preview?: boolean; timeout?: number } = {},
  ) {
    const request = new pb.CreateRequest().setUrn(urn).setProperties(toStruct(inputs));
    request.setPreview(options.preview ?? false).setTimeout(options.timeout ?? 0);
    const response = await this.raw<pb.CreateResponse>("create", request);
    return { id: response.getId(), outputs: fromStruct(response.getProperties()) };
  }

  async update(
    urn: string,
    id: string,
    olds: ValueMap,
    oldInputs: ValueMap,
    news: ValueMap,
    preview = false,
  ) {
    const request = new pb.UpdateRequest().setUrn(urn).setId(id).setPreview(preview);
    request.setOlds(toStruct(olds)).setOldInputs(toStruct(oldInputs)).setNews(toStruct(news));
    return fromStruct((await this.raw<pb.UpdateResponse>("update", request)).getProperties());
  }

  async delete(urn: string, id: string, olds: ValueMap): Promise<void> {
    const request = new pb.DeleteRequest().setUrn(urn).setId(id).setProperties(toStruct(olds));
    await this.raw("delete", request);
  }

  async read(urn: string, id: string, olds: ValueMap, inputs: ValueMap) {
    const request = new pb.ReadRequest().setUrn(urn).setId(id);
    request.setProperties(toStruct(olds)).setInputs(toStruct(inputs));
    const response = await this.raw<pb.ReadResponse>("read", request);
    return {
      id: response.getId(),
      outputs: fromStruct(response.getProperties()),
      inputs: fromStruct(response.getInputs()),
    };
  }

  async invoke(token: string, args: ValueMap) {
    const request = new pb.InvokeRequest().setTok(token).setArgs(toStruct(args));
    const response = await this.raw<pb.InvokeResponse>("invoke", request);
    return {
      result: fromStruct(response.getReturn()),
      failures: response.getFailuresList().map((failure) => failure.toObject()),
    };
  }

  async cancel(): Promise<void> {
    await this.raw("cancel", new Empty());
  }

  /** Resolves with exit code and signal. */
  exit(): Promise<{ code: number | null; signal: string | null }> {
    const { exitCode, signalCode } = this.process;
    if (exitCode !== null || signalCode !== null) {
      return Promise.resolve({ code: exitCode, signal: signalCode });
    }
    return once(this.process, "exit").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as string | null,
    }));
  }

  /** Ends the provider as the CLI does: Cancel, then SIGINT. */
  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill("SIGINT");
      await this.exit();
    }
    this.client.close();
  }
}

/** URN of a resource in the stack that the tests pretend to have. */
export function urnOf(type: string, name = "it"): string {
  return `urn:pulumi:test::lab::${type}::${name}`;
}

/** The gRPC error of a call that has to fail. */
export async function failure(call: Promise<unknown>): Promise<ServiceError> {
  const outcome = await call.then(
    (value) => ({ value }),
    (error: unknown) => ({ error: error as ServiceError }),
  );
  if ("error" in outcome) return outcome.error;
  throw new Error(`expected a failure, got ${JSON.stringify(outcome.value)}`);
}

/** Waits until something holds; fails after a minute, so that a test that goes wrong ends. */
export async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still not so: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
