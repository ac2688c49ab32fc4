import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
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

const spy = new URL("../runtime-spy.mjs", import.meta.url);
/** Runs with a module that writes down what the runtime is told. */
async function observed(args: readonly string[]): Promise<{ threads: number[]; batches: number[] }> {
  const log = shop.path("runtime.log");
  const env = { NODE_OPTIONS: `--import ${fileURLToPath(spy)}`, NASTY_TEST_LOG: log };
  await shop.json(args, { env });
  const lines = (await readFile(log, "utf8")).trimEnd().split("\n");
  await shop.write("runtime.log", "");
  const numbers = (kind: string): number[] => [
    ...new Set(lines.filter((line) => line.startsWith(kind)).map((line) => Number(line.split(" ")[1]))),
  ];
  return { threads: numbers("threads"), batches: numbers("batch") };
}

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

test("--threads and --batch-size reach the runtime", async () => {
  const one = await observed(quick());
  expect(one.threads).toEqual([1]);
  expect(one.batches).toEqual([1]);
  const two = await observed(quick("--threads", "2", "--batch-size", "4"));
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
