import { afterAll, beforeAll, expect, test } from "vitest";
import { observed } from "../observed.js";
import { type Json, openWorkshop, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.json(["quantize", "--model", "pos", "--output", "int8.onnx"]);
});
afterAll(() => shop.remove());

const quick = (...args: string[]) => [
  ..."benchmark --model pos --environment development --data test.conllu".split(" "),
  ...args,
];

test("the JSON document has the keys that scripts rely on, a model a row", async () => {
  const result = await shop.json(quick("--compare", "int8.onnx", "--samples", "5"));
  expect(result.environment).toMatchObject({
    cpu: expect.any(String),
    instructionSets: expect.any(Array),
    threads: 1,
    onnxruntime: expect.stringMatching(/^\d+\.\d+/),
    node: expect.any(String),
    devices: expect.arrayContaining(["cpu"]),
  });
  expect(result.sentences).toBe(5);
  expect(result.models.map(({ path }: Json) => path)).toEqual(["pos", "int8.onnx"]);
  for (const model of result.models) {
    const { p50, p95, mean, ci95 } = model.msPerSentence;
    expect(p50).toBeGreaterThan(0);
    expect(p95).toBeGreaterThanOrEqual(p50);
    expect(ci95[0]).toBeLessThanOrEqual(mean);
    expect(model.tokensPerSecond).toBeGreaterThan(0);
    expect(model.modelBytes).toBeGreaterThan(0);
    expect(model.memoryBytes).toBeGreaterThan(0);
  }
});

test("--report writes a page; what is printed stays what it was", async () => {
  const result = await shop.json(quick("--samples", "5", "--report", "b.html"));
  expect(Object.keys(result.models[0].msPerSentence)).toEqual(["p50", "p95", "mean", "ci95"]);
  const html = (await shop.bytes("b.html")).toString();
  expect(html).toContain("<h1>Benchmark of pos</h1>");
  expect(html).toContain(
    "nasty benchmark --model pos --environment development --samples 5 --data test.conllu",
  );
  expect(html).toContain("</svg>");
});

test("--threads and --batch-size reach the runtime", async () => {
  const one = await observed(shop, quick());
  expect(one.threads).toEqual([1]);
  expect(one.batches).toEqual([1]);
  const two = await observed(shop, quick("--threads", "2", "--batch-size", "4"));
  // Trying the devices of the machine, at the end, takes one thread.
  expect(two.threads[0]).toBe(2);
  expect(two.batches).toContain(4);
});

test("for people: the machine, then a table; without --data the embedded sample", async () => {
  const { stdout } = await shop.nasty(
    "benchmark --model pos --environment development --samples 3 --quiet".split(" "),
  );
  expect(stdout).toMatch(
    /1 thread, Node [\d.v]+, ONNX Runtime [\d.]+ \(cpu.*\)\n3 sentences, \d+ words, batch 1/,
  );
  expect(stdout).toMatch(/model +size +ms\/sentence p50 +p95 +words\/s +memory +speed\npos /);
});
