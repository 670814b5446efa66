import { setTimeout as sleep } from "node:timers/promises";
import {
  InvalidArguments,
  PartialFailure,
  ProviderError,
  type ProviderSpec,
  serve,
} from "../../../../lab/providers/kit";

/** A provider with nothing behind it, to see what the kit does. */
const toy: ProviderSpec<{ greeting: string }> = {
  name: "toy",
  version: "1.2.3",
  checkConfig: (news) => ({
    inputs: news,
    failures:
      news["greeting"] === "rude" ? [{ property: "greeting", reason: "rude is not allowed" }] : [],
  }),
  configure: (inputs) => ({ greeting: String(inputs["greeting"] ?? "hello") }),
  resources: {
    "toy:index:Thing": {
      computed: { key: "create", seen: "update" },
      replaceOnChanges: ["size"],
      secretOutputs: ["key"],
      publicFields: ["host"],
      check: ({ news }) => ({
        inputs: { color: "red", ...news },
        failures: "size" in news ? [] : [{ property: "size", reason: "is missing" }],
      }),
      async create({ inputs, context }) {
        const mode = inputs["mode"];
        context.log("warning", `making ${context.name} with ${String(inputs["token"])}`);
        if (mode === "fail") throw new Error(`no ${JSON.stringify(inputs)}`);
        if (mode === "refuse") throw new ProviderError("refused", 9);
        if (mode === "half") {
          throw new PartialFailure([`${String(inputs["token"])} is ill`], "half-1", {
            ...inputs,
            key: "k",
          });
        }
        if (mode === "wait") await sleep(60_000, undefined, { signal: context.signal });
        if (mode === "deaf") await sleep(60_000);
        const seen = `${context.config.greeting} ${String(inputs["echo"] ?? "")}`;
        return { id: "thing-1", outputs: { ...inputs, key: "k-1", seen } };
      },
      update: ({ inputs, olds }) =>
        Promise.resolve({ ...inputs, key: olds["key"] ?? null, seen: "again" }),
      read: ({ id, olds, oldInputs }) =>
        Promise.resolve(id === "gone" ? undefined : { outputs: olds, inputs: oldInputs }),
    },
    "toy:index:Fixed": {
      create: ({ inputs }) => Promise.resolve({ id: "fixed-1", outputs: inputs }),
    },
  },
  invokes: {
    "toy:index:getThing": {
      secretOutputs: ["key"],
      call({ args }) {
        if (!("id" in args)) throw new InvalidArguments([{ property: "id", reason: "is missing" }]);
        return Promise.resolve({ key: "k-1", echo: args["id"]! });
      },
    },
  },
};

void serve(toy);
