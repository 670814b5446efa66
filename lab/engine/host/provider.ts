import {
  type CallOptions,
  type ClientUnaryCall,
  type Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { type Empty } from "google-protobuf/google/protobuf/empty_pb";
import { EngineError } from "../errors";
import { compareInputs, type Diff } from "../plan/decision";
import { remarkSecrets } from "../wire/secrecy";
import { checkRequest, nameResource, readDiff } from "./messages";
import { type Plugin } from "./plugin";
import { ProviderError, readRpcError } from "./rpcError";
import { fromStruct, hasUnknown, toStruct, unwrapSecrets, type ValueMap } from "../../wire";

type Call<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

export interface CheckFailure {
  property: string;
  reason: string;
}

export interface Checked {
  inputs: ValueMap;
  failures: CheckFailure[];
}

export interface Created {
  id: string;
  outputs: ValueMap;
}

export interface Read extends Created {
  /** What the resource would have been made with; undefined where the provider does not say. */
  inputs: ValueMap | undefined;
}

/** What every call about one resource carries. */
export interface Subject {
  urn: string;
  id: string;
  inputs: ValueMap;
  outputs: ValueMap;
  /** Seconds; zero is the provider's own default. */
  timeout: number;
}

/** One configured instance of a provider: a plugin process and what it agreed to. */
export class Provider {
  private acceptSecrets = false;
  private supportsPreview = true;
  private handshaken = false;
  /** False when its configuration is not known yet, in a preview: then nothing may be asked of it. */
  isConfigured = false;

  constructor(
    readonly plugin: Plugin,
    private readonly metadata: Metadata,
  ) {}

  async handshake(engineAddress: string, root: string, program: string): Promise<void> {
    const request = new proto.ProviderHandshakeRequest();
    request.setEngineAddress(engineAddress);
    request.setRootDirectory(root);
    request.setProgramDirectory(program);
    request.setConfigureWithUrn(true);
    try {
      const response = await this.call(request, this.plugin.client.handshake);
      this.acceptSecrets = response.getAcceptSecrets();
      this.handshaken = true;
    } catch (error) {
      if (!(error instanceof ProviderError && error.isUnimplemented)) throw error;
    }
  }

  async checkConfig(urn: string, olds: ValueMap | undefined, news: ValueMap): Promise<Checked> {
    // Providers get their configuration in clear until they are configured, whatever they agreed to (as the CLI does).
    const request = checkRequest(urn, olds && unwrapSecrets(olds), unwrapSecrets(news));
    try {
      const { inputs, failures } = await this.readCheck(
        this.plugin.client.checkConfig,
        request,
        news,
      );
      return { inputs: remarkSecrets(inputs, news), failures };
    } catch (error) {
      if (error instanceof ProviderError && error.isUnimplemented) {
        return { inputs: news, failures: [] };
      }
      throw error;
    }
  }

  async diffConfig(urn: string, old: Subject, news: ValueMap): Promise<Diff> {
    const inClear = {
      ...old,
      inputs: unwrapSecrets(old.inputs),
      outputs: unwrapSecrets(old.outputs),
    };
    const request = this.diffRequest(urn, inClear, unwrapSecrets(news), []);
    try {
      const response = await this.call(request, this.plugin.client.diffConfig);
      return readDiff(response, old.inputs, news);
    } catch (error) {
      if (!(error instanceof ProviderError && error.isUnimplemented)) throw error;
      return compareInputs(old.inputs, news);
    }
  }

  /** Gives the provider its configuration, unless a part of it is not known yet. */
  async configure(urn: string, id: string, inputs: ValueMap): Promise<void> {
    if (hasUnknown(inputs)) return;
    const request = new proto.ConfigureRequest();
    const args = unwrapSecrets(inputs);
    request.setArgs(toStruct(this.acceptSecrets ? inputs : args));
    for (const [key, value] of Object.entries(args)) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      request.getVariablesMap().set(`${this.plugin.name}:config:${key}`, text);
    }
    request.setAcceptsecrets(true);
    request.setAcceptresources(false);
    request.setSendsOldInputs(true);
    request.setSendsOldInputsToDelete(true);
    request.setId(id);
    nameResource(request, urn);
    const response = await this.call(request, this.plugin.client.configure);
    if (!this.handshaken) this.acceptSecrets = response.getAcceptsecrets();
    this.supportsPreview = response.getSupportspreview() || this.handshaken;
    this.isConfigured = true;
  }

  async check(
    urn: string,
    olds: ValueMap | undefined,
    news: ValueMap,
    seed: Uint8Array,
  ): Promise<Checked> {
    if (!this.isConfigured) return { inputs: news, failures: [] };
    const request = checkRequest(urn, olds && this.lower(olds), this.lower(news));
    request.setRandomseed(seed);
    return this.readCheck(this.plugin.client.check, request, news);
  }

  async diff(old: Subject, news: ValueMap, ignoreChanges: readonly string[]): Promise<Diff> {
    if (!this.isConfigured) return compareInputs(old.inputs, news);
    const request = this.diffRequest(old.urn, old, news, ignoreChanges);
    return readDiff(await this.call(request, this.plugin.client.diff), old.inputs, news);
  }

  async create(subject: Omit<Subject, "id" | "outputs">, preview: boolean): Promise<Created> {
    if (preview && !this.isConfigured) return { id: "", outputs: {} };
    if (preview && !this.supportsPreview) return { id: "", outputs: subject.inputs };
    const request = new proto.CreateRequest();
    nameResource(request, subject.urn);
    request.setProperties(toStruct(this.lower(subject.inputs)));
    request.setTimeout(subject.timeout);
    request.setPreview(preview);
    const response = await this.call(request, this.plugin.client.create);
    const created = {
      id: response.getId(),
      outputs: this.raise(fromStruct(response.getProperties()), subject.inputs),
    };
    if (!preview) refuseBadOutputs(subject.urn, created);
    return created;
  }

  async update(
    old: Subject,
    news: ValueMap,
    ignoreChanges: readonly string[],
    preview: boolean,
  ): Promise<ValueMap> {
    if (preview && !this.isConfigured) return {};
    if (preview && !this.supportsPreview) return news;
    const request = new proto.UpdateRequest();
    request.setId(old.id);
    nameResource(request, old.urn);
    request.setOlds(toStruct(this.lower(old.outputs)));
    request.setNews(toStruct(this.lower(news)));
    request.setOldInputs(toStruct(this.lower(old.inputs)));
    request.setTimeout(old.timeout);
    request.setIgnorechangesList([...ignoreChanges]);
    request.setPreview(preview);
    const response = await this.call(request, this.plugin.client.update);
    const outputs = this.raise(fromStruct(response.getProperties()), news);
    if (!preview) refuseBadOutputs(old.urn, { id: old.id, outputs });
    return outputs;
  }

  async delete(subject: Subject): Promise<void> {
    const request = new proto.DeleteRequest();
    request.setId(subject.id);
    nameResource(request, subject.urn);
    request.setProperties(toStruct(this.lower(subject.outputs)));
    request.setOldInputs(toStruct(this.lower(subject.inputs)));
    request.setTimeout(subject.timeout);
    await this.call<proto.DeleteRequest, Empty>(request, this.plugin.client.delete);
  }

  /** The resource as it is; undefined when the provider knows none of that id. */
  async read(subject: Subject): Promise<Read | undefined> {
    const request = new proto.ReadRequest();
    request.setId(subject.id);
    nameResource(request, subject.urn);
    request.setProperties(toStruct(this.lower(subject.outputs)));
    request.setInputs(toStruct(this.lower(subject.inputs)));
    const response = await this.call(request, this.plugin.client.read);
    if (response.getId() === "") return undefined;
    const outputs = this.raise(fromStruct(response.getProperties()), subject.inputs);
    const found = response.getInputs();
    const inputs = found && this.raise(fromStruct(found), subject.inputs);
    return { id: response.getId(), outputs, inputs };
  }

  async invoke(token: string, args: ValueMap, preview: boolean): Promise<proto.InvokeResponse> {
    if (!this.isConfigured) throw new EngineError(`${token}: the provider is not configured yet`);
    const request = new proto.InvokeRequest();
    request.setTok(token);
    request.setArgs(toStruct(this.lower(args)));
    request.setPreview(preview);
    return this.call(request, this.plugin.client.invoke);
  }

  private async readCheck(
    method: Call<proto.CheckRequest, proto.CheckResponse>,
    request: proto.CheckRequest,
    news: ValueMap,
  ): Promise<Checked> {
    const response = await this.call(request, method);
    const failures = response.getFailuresList().map((failure) => ({
      property: failure.getProperty(),
      reason: failure.getReason(),
    }));
    return { inputs: this.raise(fromStruct(response.getInputs()), news), failures };
  }

  private diffRequest(
    urn: string,
    old: Subject,
    news: ValueMap,
    ignoreChanges: readonly string[],
  ): proto.DiffRequest {
    const request = new proto.DiffRequest();
    request.setId(old.id);
    nameResource(request, urn);
    request.setOlds(toStruct(this.lower(old.outputs)));
    request.setNews(toStruct(this.lower(news)));
    request.setOldInputs(toStruct(this.lower(old.inputs)));
    request.setIgnorechangesList([...ignoreChanges]);
    return request;
  }

  /** Values as this provider takes them: in clear, if it does not understand secrets. */
  private lower(map: ValueMap): ValueMap {
    return this.acceptSecrets ? map : unwrapSecrets(map);
  }

  /** Values from the provider, with the secret marks put back that it could not carry. */
  private raise(outputs: ValueMap, inputs: ValueMap): ValueMap {
    return this.acceptSecrets ? outputs : remarkSecrets(outputs, inputs);
  }

  private call<Request, Response>(
    request: Request,
    method: Call<Request, Response>,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      method.call(this.plugin.client, request, this.metadata, {}, (error, response) => {
        if (!error) return resolve(response);
        const failure = readRpcError(error);
        if (!failure.isLost) return reject(failure);
        const end = this.plugin.end ?? "stopped answering";
        const text = `the provider "${this.plugin.name}" ${end} during the call (${failure.message})`;
        reject(new ProviderError(text, undefined, true));
      });
    });
  }
}

function refuseBadOutputs(urn: string, created: Created): void {
  if (created.id === "") throw new ProviderError(`${urn}: the provider gave no id`);
  if (hasUnknown(unwrapSecrets(created.outputs))) {
    throw new ProviderError(`${urn}: the provider answered with unknown values outside a preview`);
  }
}
