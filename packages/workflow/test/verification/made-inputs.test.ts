import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quantize } from "../../src/quantization/quantize.js";
import { verify } from "../../src/verification/verify.js";
import { frames, voice } from "../tiny-graph.js";
import { jsonLines } from "../tiny-texts.js";
import { engineNamed } from "./planted.js";

let folder: string;
const path = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nasty-made-"));
  // Made inputs are farther from zero than these.
  const quiet = frames.map(({ input, state }) => ({
    input: input.map((row) => row.map((one) => one / 8)),
    state: state.map((row) => row.map((one) => one / 8)),
  }));
  await writeFile(path("quiet.jsonl"), jsonLines(quiet));
  await writeModelFile(path("voice.onnx"), voice());
  await writeModelFile(path("loud.onnx"), voice({ factor: 2 }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("ranges that clip inputs nobody calibrated for are no fault of a file, and doubled scales are one", async () => {
  const options = { mode: "static", calibration: path("quiet.jsonl"), minCosine: -1 } as const;
  const check = { original: path("voice.onnx"), among: [engineNamed("native")], minCosine: -1 };
  const clipped = await quantize(path("voice.onnx"), { ...options, output: path("clipped.onnx") });
  expect(await verify(clipped, check)).toMatchObject({ ranOn: "made", brokenLayer: null, passed: true });
  const loud = await quantize(path("loud.onnx"), {
    ...options,
    mode: "dynamic",
    calibration: [],
    output: path("doubled.onnx"),
  });
  expect(await verify(loud, check)).toMatchObject({
    ranOn: "made",
    brokenLayer: { node: "/first/MatMul" },
    passed: false,
  });
});
