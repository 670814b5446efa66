import * as pulumi from "@pulumi/pulumi";
import { inventoryOf } from "../../bench/syntheticInventory";
import { correctedWish, makeTask, makeWishes, type WishOptions } from "../../components/tasks";
import { readConfig } from "../../config";
import { loadInventory } from "../../hosts/inventory";
import { factsInOrder } from "../payload/facts";

const { plan } = loadInventory(inventoryOf(4), "hosts.yaml");
if (!plan) throw new Error("no plan");
const options: WishOptions = {
  config: readConfig(new pulumi.Config("none")),
  inventory: null,
  token: null,
};
const wish = makeWishes(plan, options).find(({ activate }) => activate.state === "present");
if (wish?.prepare.state !== "present" || wish.activate.state !== "present")
  throw new Error("nobody is deployed");
const host = plan.hosts.get(wish.name);
const clean = factsInOrder(wish.prepare, wish.activate);
const OLD = "/etc/ringrift/cluster-token-0123456789abcdef";

describe("a host without secrets", () => {
  it("has no command for them", () => {
    expect(wish.secrets).toBeUndefined();
    expect(correctedWish(wish, host, clean, options)?.secrets).toBeUndefined();
  });

  it("gets those of an earlier configuration taken away", () => {
    const facts = { ...clean, secrets: { [OLD]: { digest: "d", mode: "0600", owner: "root" } } };
    const corrected = correctedWish(wish, host, facts, options);
    expect(corrected?.secrets).toBeUndefined();
    const probe = { class: "ready", facts, milliseconds: 1 } as unknown as Parameters<
      typeof makeTask
    >[1];
    const task = corrected && makeTask(corrected, probe, { limit: [], takeover: false }, "now");
    expect(task?.prepare.work).toEqual({
      kind: "needed",
      drift: [{ what: OLD, want: "absent", is: "present" }],
      nonce: "now",
    });
  });
});
