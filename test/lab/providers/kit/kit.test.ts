import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { type PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { fromStruct, secret, toStruct, UNKNOWN } from "../../../../lab/wire";
import { failure, ProviderUnderTest, urnOf } from "../client";
import { FakeEngine } from "../fakeEngine";

const command = [process.execPath, join(__dirname, "toy.js")];
const thing = urnOf("toy:index:Thing");
const fixed = urnOf("toy:index:Fixed");

let engine: FakeEngine;
let toy: ProviderUnderTest;

beforeEach(async () => {
  engine = await FakeEngine.start();
  toy = await ProviderUnderTest.start(command, engine);
});

afterEach(async () => {
  await toy.stop();
  engine.stop();
});

describe("a provider of the kit", () => {
  it("introduces itself", async () => {
    const handshake = await toy.raw<pb.ProviderHandshakeResponse>(
      "handshake",
      new pb.ProviderHandshakeRequest(),
    );
    expect(handshake.toObject()).toEqual({
      acceptSecrets: true,
      acceptResources: false,
      acceptOutputs: false,
      supportsAutonamingConfiguration: false,
    });
    const info = await toy.raw<PluginInfo>("getPluginInfo", new Empty());
    expect(info.getVersion()).toBe("1.2.3");
  });

  it("checks and compares its configuration", async () => {
    const ask = async (news: Record<string, string>) => {
      const request = new pb.CheckRequest().setUrn(urnOf("pulumi:providers:toy"));
      request.setNews(toStruct(news));
      return (await toy.raw<pb.CheckResponse>("checkConfig", request)).getFailuresList();
    };
    expect(await ask({ greeting: "hi" })).toEqual([]);
    expect((await ask({ greeting: "rude" })).map((f) => f.toObject())).toEqual([
      { property: "greeting", reason: "rude is not allowed" },
    ]);
    const compare = async (greeting: string) => {
      const request = new pb.DiffRequest().setOldInputs(toStruct({ greeting: "hi", version: "1" }));
      request.setNews(toStruct({ greeting, version: "2" }));
      return (await toy.raw<pb.DiffResponse>("diffConfig", request)).getDiffsList();
    };
    expect([await compare("hi"), await compare("hey")]).toEqual([[], ["greeting"]]);
  });

  it("answers UNIMPLEMENTED to what it does not do", async () => {
    expect((await failure(toy.raw("getSchema", new pb.GetSchemaRequest()))).code).toBe(
      status.UNIMPLEMENTED,
    );
  });

  it("names the types it has when asked for another", async () => {
    const error = await failure(toy.create(urnOf("toy:index:Other"), {}));
    expect([error.code, error.details]).toEqual([
      status.NOT_FOUND,
      "toy has no resource of type toy:index:Other. Available: toy:index:Thing, toy:index:Fixed",
    ]);
  });

  it("returns check failures as a list, with the secrets still marked", async () => {
    expect(await toy.check(thing, { token: secret("s3cret") })).toEqual({
      inputs: { color: "red", token: secret("s3cret") },
      failures: [{ property: "size", reason: "is missing" }],
    });
  });

  it("marks outputs: named like a secret input, declared, or containing a secret", async () => {
    await toy.configure({ greeting: "welcome" });
    expect(
      await toy.create(thing, { size: 1, token: secret("s3cret"), echo: "no secret" }),
    ).toEqual({
      id: "thing-1",
      outputs: {
        size: 1,
        token: secret("s3cret"),
        echo: "no secret",
        key: secret("k-1"),
        seen: "welcome no secret",
      },
    });
    const leaking = await toy.create(thing, { size: 1, echo: secret("s3cret") });
    expect(leaking.outputs["seen"]).toEqual(secret("welcome s3cret"));
  });

  it("answers a preview without calling the provider", async () => {
    expect(await toy.create(thing, { mode: "fail", size: UNKNOWN }, { preview: true })).toEqual({
      id: "",
      outputs: { mode: "fail", size: UNKNOWN, key: secret(UNKNOWN), seen: UNKNOWN },
    });
    const olds = { size: 1, key: secret("k-1"), seen: "x" };
    expect(await toy.update(thing, "thing-1", olds, { size: 1 }, { size: 2 }, true)).toEqual({
      size: 2,
      key: secret("k-1"),
      seen: UNKNOWN,
    });
    expect(await toy.update(thing, "thing-1", olds, { size: 1 }, { size: 1 }, true)).toEqual({
      size: 1,
      key: secret("k-1"),
      seen: "x",
    });
  });

  it("compares inputs: update, replacement, nothing", async () => {
    const old = { color: "red", size: 1, tags: ["a", "b"], map: { "x.y": 1 } };
    expect(await toy.diff(thing, "thing-1", old, old, old)).toEqual({
      changes: "none",
      detailed: {},
    });
    expect(
      await toy.diff(thing, "thing-1", old, old, {
        color: secret("blue"),
        size: 2,
        tags: ["a", "c", "d"],
        map: {},
        __internal: true,
      }),
    ).toEqual({
      changes: "some",
      detailed: {
        color: "update",
        size: "update-replace",
        "tags[1]": "update",
        "tags[2]": "add",
        'map["x.y"]': "delete",
      },
    });
    const before = { link: secret({ host: "a", pw: secret("x") }), note: "n" };
    const marks = { link: secret({ host: "a", pw: "x" }), note: secret("n") };
    expect(await toy.diff(thing, "thing-1", before, before, marks)).toEqual({
      changes: "some",
      detailed: { note: "update" },
    });
    const inside = { link: secret({ host: "b", pw: "x" }), note: "n" };
    expect(await toy.diff(thing, "thing-1", before, before, inside)).toEqual({
      changes: "some",
      detailed: { link: "update" },
    });
    expect(await toy.diff(fixed, "fixed-1", { a: 1 }, { a: 1 }, { a: 2 })).toEqual({
      changes: "some",
      detailed: { a: "update-replace" },
    });
  });

  it("masks secrets in errors and log lines, but not their public fields", async () => {
    await toy.configure();
    const inputs = {
      mode: "fail",
      token: secret("s3cret"),
      link: secret({ host: "192.0.2.7", pw: "geheim" }),
    };
    const error = await failure(toy.create(thing, inputs));
    expect([error.code, error.details]).toEqual([
      status.UNKNOWN,
      'no {"link":{"host":"192.0.2.7","pw":"[secret]"},"mode":"fail","token":"[secret]"}',
    ]);
    expect(engine.take()).toEqual([
      { severity: "warning", text: "making it with [secret]", urn: thing, ephemeral: false },
    ]);
  });

  it("says when it was not configured", async () => {
    const error = await failure(toy.create(thing, {}));
    expect([error.code, error.details]).toEqual([
      status.FAILED_PRECONDITION,
      "toy was not configured",
    ]);
  });

  it("keeps an error's own code", async () => {
    expect((await failure(toy.create(thing, { mode: "refuse" }))).code).toBe(
      status.FAILED_PRECONDITION,
    );
  });

  it("sends a partial failure with id, sealed outputs, inputs and reasons", async () => {
    const inputs = { mode: "half", token: secret("s3cret") };
    const error = await failure(toy.create(thing, inputs));
    const [bytes] = error.metadata.get("grpc-status-details-bin");
    const details = Status.deserializeBinary(bytes as Buffer);
    expect([details.getCode(), details.getMessage()]).toEqual([2, "[secret] is ill"]);
    const [any] = details.getDetailsList();
    expect(any?.getTypeUrl()).toBe("type.googleapis.com/pulumirpc.ErrorResourceInitFailed");
    const sent = pb.ErrorResourceInitFailed.deserializeBinary(any!.getValue_asU8());
    expect({
      id: sent.getId(),
      outputs: fromStruct(sent.getProperties()),
      inputs: fromStruct(sent.getInputs()),
      reasons: sent.getReasonsList(),
    }).toEqual({
      id: "half-1",
      outputs: { ...inputs, key: secret("k") },
      inputs,
      reasons: ["[secret] is ill"],
    });
  });

  it("reads: as it is, or gone", async () => {
    const olds = { size: 1, token: secret("s3cret") };
    expect(await toy.read(thing, "thing-1", olds, olds)).toEqual({
      id: "thing-1",
      outputs: olds,
      inputs: olds,
    });
    expect(await toy.read(thing, "gone", olds, olds)).toEqual({ id: "", outputs: {}, inputs: {} });
  });

  it("invokes, and lists what is wrong with the arguments", async () => {
    expect(await toy.invoke("toy:index:getThing", { id: secret("s3cret") })).toEqual({
      result: { key: secret("k-1"), echo: secret("s3cret") },
      failures: [],
    });
    expect(await toy.invoke("toy:index:getThing", {})).toEqual({
      result: {},
      failures: [{ property: "id", reason: "is missing" }],
    });
    expect((await failure(toy.invoke("toy:index:other", {}))).details).toBe(
      "toy has no function toy:index:other",
    );
  });

  it("carries a property of 6 MB", async () => {
    const size = "x".repeat(6 * 1024 * 1024);
    const { outputs } = await toy.create(fixed, { size });
    expect(outputs["size"] === size).toBe(true);
  });
});

describe("a call that takes long", () => {
  beforeEach(async () => {
    await toy.configure();
  });

  it.each(["wait", "deaf"])("ends with CANCELLED when the engine cancels (%s)", async (mode) => {
    const call = failure(toy.create(thing, { mode }));
    // Cancel is answered although the call is still running, and takes it down.
    await toy.create(thing, {});
    await toy.cancel();
    expect((await call).code).toBe(status.CANCELLED);
    expect((await failure(toy.create(thing, {}))).code).toBe(status.CANCELLED);
  });

  it("ends with DEADLINE_EXCEEDED when its customTimeouts are over", async () => {
    const error = await failure(toy.create(thing, { mode: "deaf" }, { timeout: 1 }));
    expect([error.code, error.details]).toEqual([
      status.DEADLINE_EXCEEDED,
      "not done within 1 s (customTimeouts)",
    ]);
  });
});

describe("the process ends", () => {
  beforeEach(async () => {
    await toy.configure();
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "on %s, in the middle of a call",
    async (signal) => {
      const call = failure(toy.create(thing, { mode: "deaf" }));
      await toy.create(thing, {});
      toy.process.kill(signal);
      expect(await toy.exit()).toEqual({ code: 0, signal: null });
      expect((await call).code).toBe(status.UNAVAILABLE);
    },
  );

  it("when stdin closes", async () => {
    toy.process.stdin?.end();
    expect(await toy.exit()).toEqual({ code: 0, signal: null });
  });
});
