import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  makeGraph,
  makeModel,
  makeNode,
  makeTensor,
  makeValueInfo,
  type ModelProto,
  serializeModel,
} from "@nasty/formats/onnx";
import { writeModelFile } from "@nasty/formats/onnx/node";
import { engineVersion, openSession, type Session } from "@nasty/runtime";
import { quantize } from "@nasty/workflow";
import { verify } from "@nasty/workflow/verification";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, type OpenedSite, openSite, type SitePage } from "../browser.js";
import { type DrivenPage, received, sent } from "./driven-page.js";

/** Of the page; functions that are evaluated there see it. */
declare const webgpu: DrivenPage;

// Chromium's own GPU in software, where the machine has none.
const flags = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--use-vulkan=swiftshader",
];

/** An encoder of numbers: what a transformer's layer is made of. */
function encoder(): ModelProto {
  const width = 64;
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state / 2 ** 32 - 0.5) / 2;
  };
  const weight = (name: string) =>
    makeTensor(name, "float32", {
      values: Float32Array.from({ length: width * width }, next),
      shape: [width, width],
    });
  const ones = (name: string, value: number) =>
    makeTensor(name, "float32", { values: new Float32Array(width).fill(value), shape: [width] });
  const value = (name: string) => makeValueInfo(name, "float32", ["batch", width]);
  const graph = makeGraph("encoder", {
    nodes: [
      makeNode("MatMul", ["x", "first.weight"], ["hidden"], { name: "/first/MatMul" }),
      makeNode("LayerNormalization", ["hidden", "norm.weight", "norm.bias"], ["normed"], { name: "/norm" }),
      makeNode("Tanh", ["normed"], ["bounded"], { name: "/first/Tanh" }),
      makeNode("MatMul", ["bounded", "second.weight"], ["embedding"], { name: "/second/MatMul" }),
    ],
    inputs: [value("x")],
    outputs: [value("embedding")],
    initializers: [
      weight("first.weight"),
      weight("second.weight"),
      ones("norm.weight", 1),
      ones("norm.bias", 0),
    ],
  });
  return makeModel(graph, { opsets: { "": 17 }, irVersion: 8 });
}

describe.skipIf(!hasBrowser)("written files on Chromium's WebGPU (needs a browser)", () => {
  let site: OpenedSite;
  let opened: SitePage;
  let folder: string;
  let hasAdapter = false;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "nasty-webgpu-"));
    site = await openSite({ root: import.meta.dirname, flags });
    opened = await site.page();
    await opened.page.waitForFunction("globalThis.webgpu !== undefined");
    hasAdapter = await opened.page.evaluate(() => webgpu.hasAdapter());
    await writeModelFile(join(folder, "encoder.onnx"), encoder());
  }, 120_000);
  afterAll(async () => {
    await site?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** The page's WebGPU as an engine of `verify`. */
  const engine = {
    name: "webgpu",
    version: () => opened.page.evaluate(() => webgpu.version()),
    async open(model: ModelProto | string): Promise<Session> {
      const { page } = opened;
      const bytes = typeof model === "string" ? await readFile(model) : serializeModel(model);
      const address = `data:application/octet-stream;base64,${Buffer.from(bytes).toString("base64")}`;
      const { id, inputs, outputs } = await page.evaluate((given) => webgpu.open(given), address);
      return {
        inputs,
        outputs,
        async run(feeds, names) {
          const tensors = Object.fromEntries(
            Object.entries(feeds).map(([name, tensor]) => [name, sent(tensor)]),
          );
          const found = await page.evaluate((given) => webgpu.run(given.id, given.tensors, given.names), {
            id,
            tensors,
            names,
          });
          return Object.fromEntries(Object.entries(found).map(([name, one]) => [name, received(one)]));
        },
        close: () => page.evaluate((given) => webgpu.close(given), id),
      };
    },
  };
  const native = {
    name: "native",
    version: () => engineVersion("native"),
    open: (model: ModelProto | string) => openSession(model, { engine: "native" }),
  };

  it.for(["float32", "dynamic", "weight-only", "int4"] as const)(
    "agrees with Node: %s",
    async (mode, { skip }) => {
      skip(!hasAdapter, "this Chromium has no WebGPU adapter");
      const original = join(folder, "encoder.onnx");
      const file = mode === "float32" ? original : join(folder, `${mode}.onnx`);
      if (mode !== "float32") await quantize(original, { mode, output: file });
      const result = await verify(file, { original, among: [native, engine] });
      expect(result).toMatchObject({
        passed: true,
        engines: [
          { name: "native", status: "agrees" },
          { name: "webgpu", status: "agrees" },
        ],
      });
    },
  );
});
