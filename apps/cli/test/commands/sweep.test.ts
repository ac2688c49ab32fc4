import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { conllu, sentences } from "../tiny-corpus.js";
import { type Json, openWorkshop, startBinary, type Workshop } from "../workshop.js";

let shop: Workshop;
beforeAll(async () => {
  shop = await openWorkshop();
  await shop.write("dev.conllu", conllu(Array.from({ length: 4 }, () => sentences).flat()));
  await shop.write(
    "sizes.yaml",
    `model: pos
data: { calibration: test.conllu, validation: dev.conllu }
sweep:
  - quantize:
      mode: [static, dynamic, int4]
      method: [minmax, entropy]
      activations: [symmetric, asymmetric]
      block-size: [16, 32, 64]
`,
  );
});
afterAll(() => shop.remove());

const sweep = ["sweep", "sizes.yaml", "--rungs", "2"];

/** A result without what depends on the clock, the folder, and on which texts were still to be read. */
const settled = ({ frontier, output: _, inputs: _inputs, ...result }: Json): Json => ({
  ...result,
  frontier: frontier.map(({ path: _path, msPerSentence: _ms, speedup: _speedup, ...one }: Json) => one),
});

it("lists its recipes, tries them, and says what is worth its size", async () => {
  const plan = await shop.json([...sweep, "--dry-run"]);
  expect([plan.combinations, plan.recipes.length]).toEqual([36, 8]);
  const ran = await shop.nasty([
    ...sweep,
    "--output",
    "out",
    "--select",
    "loss <= 0",
    "--selected",
    "chosen.onnx",
  ]);
  expect(ran.code, ran.stderr).toBe(0);
  expect(ran.stdout).toContain("rung 1, 16 samples: 8 recipes, ");
  expect(ran.stdout).toMatch(/Selected by loss <= 0: \S+chosen\.onnx, /);
  expect(ran.stderr).toContain("rung 2 of 2");
  const result = JSON.parse(await readFile(shop.path("out", "frontier.json"), "utf8"));
  expect((await shop.bytes("chosen.onnx")).length).toBe(result.selected.output.bytes);
  // The chosen file passes the gate of quantize eval too.
  const compared = await shop.json([
    "quantize",
    "eval",
    "--original",
    "pos",
    "--quantized",
    "chosen.onnx",
    "--test",
    "dev.conllu",
  ]);
  expect(compared.summary.loss).toBe(result.selected.gate.loss);
}, 120_000);

it("ends with code 4 where nothing qualifies, with its figures", async () => {
  const { code, stdout, stderr } = await shop.nasty([
    ...sweep,
    "--output",
    "out",
    "--select",
    "size < 1kB",
    "--workers",
    "1",
    "--json",
  ]);
  expect(code).toBe(4);
  expect(JSON.parse(stdout)).toMatchObject({ passed: false, selected: null, select: "size < 1kB" });
  expect(stderr).toMatch(/nasty: sweep: sizes\.yaml: Selected by size < 1kB: none; the least loss is /);
}, 60_000);

it("comes to the same frontier after it was killed half-way, without doing again what was done", async () => {
  const arguments_ = [...sweep, "--workers", "2", "--json"];
  const whole = await shop.json([...arguments_, "--output", "whole"]);
  const child = startBinary(shop.folder, [...arguments_, "--output", "killed", "--quiet"]);
  const ended = once(child, "exit");
  const known = async (): Promise<string[]> =>
    (await readdir(shop.path("killed", "recipes")).catch(() => [])).filter((name) => name.endsWith(".json"));
  while ((await known()).length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  child.kill("SIGKILL");
  await ended;
  const before = await known();
  expect(before.length).toBeLessThan(8);
  const { stdout, stderr, code } = await shop.nasty([...arguments_, "--output", "killed", "--resume"]);
  expect(code, stderr).toBe(0);
  expect(settled(JSON.parse(stdout))).toEqual(settled(whole));
  const open = /rung 1 of 2: (\d+) recipes/.exec(stderr)?.[1];
  // A worker may have been between its file and its record.
  expect(Number(open)).toBeLessThanOrEqual(8 - before.length);
}, 120_000);

it("refuses what is not right before it writes anything", async () => {
  expect(await shop.refused(2, [...sweep, "--select", "loss <= small"])).toContain(
    "xpected a number at column 9 (found small)",
  );
  await shop.write(
    "wrong.yaml",
    "model: pos\ndata: { validation: dev.conllu }\nsweep:\n  - quantize: { mode: fast }\n",
  );
  expect(await shop.refused(3, ["sweep", "wrong.yaml"])).toContain(
    "line 4, column 23: recipe 1 (quantize): mode:",
  );
  expect(await shop.refused(3, ["sweep", "sizes.yaml", "--output", "pos"])).toContain(
    "expected an empty folder",
  );
  expect(await shop.refused(3, ["sweep", "none.yaml"])).toContain("none.yaml");
}, 60_000);
