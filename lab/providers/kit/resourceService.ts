import { type IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { equalValues, fromStruct, toStruct, UNKNOWN, type ValueMap } from "../../wire";
import { handler, type ProviderState, type RequestFacts, resourceOf } from "./call";
import { diffInputs } from "./diff";
import { ProviderError } from "./errors";
import { toCheckResponse, toDiffResponse } from "./responses";
import { type ResourceSpec } from "./types";

type Handlers = Pick<
  IResourceProviderServer,
  "check" | "diff" | "create" | "update" | "delete" | "read"
>;

/** The methods that are about one resource. */
export function resourceHandlers<Config>(state: ProviderState<Config>): Handlers {
  return {
    check: handler(
      state,
      (request: pb.CheckRequest) => factsOf(state, request, [request.getOlds(), request.getNews()]),
      async (request, { scope, context }) => {
        const spec = resourceOf(state, request.getUrn());
        const news = fromStruct(request.getNews());
        const opened = scope.open(news);
        const olds = scope.open(fromStruct(request.getOlds()));
        const result = (await spec.check?.({ olds, news: opened, context })) ?? { inputs: opened };
        return toCheckResponse(
          scope.seal(result.inputs, news, spec.secretInputs),
          result.failures ?? [],
          scope.mask,
        );
      },
    ),

    diff: handler(
      state,
      (request: pb.DiffRequest) =>
        factsOf(state, request, [request.getOlds(), request.getOldInputs(), request.getNews()]),
      async (request, { scope, context }) => {
        const spec = resourceOf(state, request.getUrn());
        const markedOld = fromStruct(request.getOldInputs());
        const markedNew = fromStruct(request.getNews());
        for (const key of request.getIgnorechangesList()) keepOld(key, markedOld, markedNew);
        const result =
          (await spec.diff?.({
            id: request.getId(),
            olds: scope.open(fromStruct(request.getOlds())),
            oldInputs: scope.open(markedOld),
            news: scope.open(markedNew),
            context,
          })) ?? diffInputs(markedOld, markedNew, replacing(spec, markedOld, markedNew));
        return toDiffResponse({
          ...result,
          deleteBeforeReplace: result.deleteBeforeReplace ?? spec.deleteBeforeReplace,
        });
      },
    ),

    create: handler(
      state,
      (request: pb.CreateRequest) =>
        factsOf(state, request, [request.getProperties()], request.getTimeout()),
      async (request, { scope, context }) => {
        const spec = resourceOf(state, request.getUrn());
        const marked = fromStruct(request.getProperties());
        const inputs = scope.open(marked);
        const seal = (outputs: ValueMap) =>
          toStruct(scope.seal(outputs, marked, secretNames(spec)));
        if (request.getPreview()) {
          const unknown = Object.fromEntries(
            Object.keys(spec.computed ?? {}).map((key) => [key, UNKNOWN]),
          );
          return new pb.CreateResponse().setProperties(seal({ ...inputs, ...unknown }));
        }
        const { id, outputs } = await spec.create({ inputs, context });
        return new pb.CreateResponse().setId(id).setProperties(seal(outputs));
      },
    ),

    update: handler(
      state,
      (request: pb.UpdateRequest) =>
        factsOf(
          state,
          request,
          [request.getOlds(), request.getOldInputs(), request.getNews()],
          request.getTimeout(),
        ),
      async (request, { scope, context }) => {
        const spec = resourceOf(state, request.getUrn());
        const marked = fromStruct(request.getNews());
        const inputs = scope.open(marked);
        const olds = scope.open(fromStruct(request.getOlds()));
        const oldInputs = scope.open(fromStruct(request.getOldInputs()));
        const seal = (outputs: ValueMap) =>
          toStruct(scope.seal(outputs, marked, secretNames(spec)));
        if (request.getPreview()) {
          const outputs = previewUpdate(spec, olds, inputs);
          return new pb.UpdateResponse().setProperties(seal(outputs));
        }
        if (!spec.update) throw new ProviderError(`${request.getUrn()} cannot be updated`);
        const outputs = await spec.update({
          id: request.getId(),
          olds,
          oldInputs,
          inputs,
          context,
        });
        return new pb.UpdateResponse().setProperties(seal(outputs));
      },
    ),

    delete: handler(
      state,
      (request: pb.DeleteRequest) =>
        factsOf(
          state,
          request,
          [request.getProperties(), request.getOldInputs()],
          request.getTimeout(),
        ),
      async (request, { scope, context }) => {
        const spec = resourceOf(state, request.getUrn());
        const olds = scope.open(fromStruct(request.getProperties()));
        await spec.delete?.({ id: request.getId(), olds, context });
        return new Empty();
      },
    ),

    read: handler(
      state,
      (request: pb.ReadRequest) =>
        factsOf(
          state,
          request,
          [request.getProperties(), request.getInputs()],
          request.getTimeout(),
        ),
      async (request, { scope, context }) => {
        const spec = resourceOf(state, request.getUrn());
        const properties = fromStruct(request.getProperties());
        const markedInputs = fromStruct(request.getInputs());
        const olds = scope.open(properties);
        const oldInputs = scope.open(markedInputs);
        const id = request.getId();
        const found = spec.read
          ? await spec.read({ id, olds, oldInputs, context })
          : { id, outputs: olds, inputs: oldInputs };
        if (!found) return new pb.ReadResponse();
        return new pb.ReadResponse()
          .setId(found.id ?? id)
          .setProperties(toStruct(scope.seal(found.outputs, properties, secretNames(spec))))
          .setInputs(toStruct(scope.seal(found.inputs, markedInputs, spec.secretInputs)));
      },
    ),
  };
}

interface ResourceRequest {
  getUrn(): string;
  getId?(): string;
}

function factsOf<Config>(
  state: ProviderState<Config>,
  request: ResourceRequest,
  structs: readonly Parameters<typeof fromStruct>[0][],
  timeout = 0,
): RequestFacts {
  const spec = resourceOf(state, request.getUrn());
  const values = structs.map(fromStruct);
  return {
    urn: request.getUrn(),
    id: request.getId?.() ?? "",
    values,
    // The last struct of every request that can fail halfway holds the inputs.
    inputs: values.at(-1),
    timeout,
    secretOutputs: secretNames(spec),
    publicFields: spec.publicFields,
  };
}

function secretNames<Config>(spec: ResourceSpec<Config>): string[] {
  return [...(spec.secretInputs ?? []), ...(spec.secretOutputs ?? [])];
}

/** Without an update, every change replaces. */
function replacing<Config>(
  spec: ResourceSpec<Config>,
  oldInputs: ValueMap,
  news: ValueMap,
): readonly string[] {
  if (spec.update) return spec.replaceOnChanges ?? [];
  return [...new Set([...Object.keys(oldInputs), ...Object.keys(news)])];
}

/** The engine has put old values back before Check; this is for a Check that filled in a default. Top level only. */
function keepOld(key: string, oldInputs: ValueMap, news: ValueMap): void {
  if (Object.hasOwn(oldInputs, key)) news[key] = oldInputs[key]!;
  else if (Object.hasOwn(news, key)) delete news[key];
}

function previewUpdate<Config>(
  spec: ResourceSpec<Config>,
  olds: ValueMap,
  inputs: ValueMap,
): ValueMap {
  const changed = !Object.entries(inputs).every(([key, value]) => equalValues(olds[key], value));
  const outputs: ValueMap = { ...inputs };
  for (const [key, when] of Object.entries(spec.computed ?? {})) {
    if (when === "update" && changed) outputs[key] = UNKNOWN;
    else if (Object.hasOwn(olds, key)) outputs[key] = olds[key]!;
  }
  return outputs;
}
