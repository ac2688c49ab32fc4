import { afterAll, beforeAll, expect, test } from "vitest";
import { observed } from "../observed.js";
import { openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
});
afterAll(() => shop.remove());

test("eval and tag run sentences together, and one by one with --exact-batches", async () => {
  await shop.write("two.txt", "The cat sat. The dog ran.");
  const evaluated = ["eval", "--model", "pos", "--test", "test.conllu"];
  const tagged = ["tag", "--model", "pos", "two.txt"];
  for (const args of [evaluated, tagged]) {
    expect(Math.max(...(await observed(shop, args)).batches)).toBeGreaterThan(1);
    expect((await observed(shop, [...args, "--exact-batches"])).batches).toEqual([1]);
  }
  expect((await shop.json(evaluated)).exactBatches).toBe(false);
  expect((await shop.json([...evaluated, "--exact-batches"])).exactBatches).toBe(true);
  const text = async (...more: string[]) => (await shop.nasty([...evaluated, ...more])).stdout;
  expect(await text()).toContain("8 sentences, 53 words, in batches, as nasty tag runs them");
  expect(await text("--exact-batches")).toContain("one sentence at a time");
});
