import { afterAll, beforeAll, expect, test } from "vitest";
import { observed } from "../observed.js";
import { conllu } from "../tiny-corpus.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

test("eval and tag run sentences together, and one by one with --exact-batches", async () => {
  await shop.write("two.txt", "The cat sat. The dog ran.");
  await shop.write("two.conllu", conllu(["The cat sat .", "The dog ran ."]));
  const evaluated = ["eval", "--model", "pos", "--test", "two.conllu"];
  const tagged = ["tag", "--model", "pos", "two.txt"];
  for (const args of [evaluated, tagged]) {
    expect(Math.max(...(await observed(shop, args)).batches)).toBeGreaterThan(1);
    expect((await observed(shop, [...args, "--exact-batches"])).batches).toEqual([1]);
  }
  expect((await shop.json(evaluated)).exactBatches).toBe(false);
  expect((await shop.json([...evaluated, "--exact-batches"])).exactBatches).toBe(true);
  const { stdout } = await shop.nasty([...evaluated, "--exact-batches"]);
  expect(stdout).toContain("words, one sentence at a time");
});
