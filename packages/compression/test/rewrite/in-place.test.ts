import { createHash } from "node:crypto";
import { type ModelProto, parseModel, serializeModel, type TensorProto } from "@nasty/formats/onnx";
import { describe, expect, it } from "vitest";
import { apply, dynamic, int4, pairUnits, plan, type QuantizationPlan } from "../../src/index.js";
import { allocatedBytes } from "../allocated-bytes.js";
import { type TinyBert, tinyBert } from "../pruning/tiny-bert.js";
import { linear, matrix, model, node } from "../tiny-models.js";

/** As a file has it: all weights in one buffer, wherever they come to lie. */
const read = (of: ModelProto): ModelProto => parseModel(serializeModel(of));

const initializers = ({ graph }: ModelProto): readonly TensorProto[] => graph?.initializer ?? [];
const integersOf = (of: ModelProto): TensorProto[] =>
  initializers(of).filter(({ name, dims }) => name.endsWith("_q") && dims.length === 2);

/** The file's hash: comparing arrays byte by byte takes seconds. */
const fileOf = (of: ModelProto): string => createHash("sha256").update(serializeModel(of)).digest("hex");

const large: TinyBert = { layers: 6, inner: 512 };

describe("quantizing in place", () => {
  it.each<TinyBert>([
    {},
    { tied: true },
    { weights: "constant" },
    { weights: "transposed", activation: "gated" },
    { linearForm: "gemm", norm: "pre" },
  ])("makes the same file: %j", async (options) => {
    const expected = fileOf(await dynamic.quantize(tinyBert(options)));
    expect(fileOf(await dynamic.quantize(read(tinyBert(options)), { inPlace: true }))).toEqual(expected);
  });

  it("makes the same file of asymmetric, unpaired and 4-bit weights", async () => {
    for (const options of [{ symmetric: false }, { pairs: "full" }, { perChannel: false }] as const) {
      const expected = fileOf(await dynamic.quantize(tinyBert(), options));
      const made = await dynamic.quantize(read(tinyBert()), { ...options, inPlace: true });
      expect(fileOf(made)).toEqual(expected);
    }
    const expected = fileOf(await int4.quantize(tinyBert()));
    expect(fileOf(await int4.quantize(read(tinyBert()), { inPlace: true }))).toEqual(expected);
  });

  it("puts integers where the floats were, in the bytes of the file", async () => {
    const given = read(tinyBert(large));
    const { buffer } = initializers(given)[0]?.rawData ?? {};
    const made = integersOf(await dynamic.quantize(given, { inPlace: true }));
    expect(made.length).toBeGreaterThan(30);
    for (const { name, rawData } of made) expect(rawData.buffer, name).toBe(buffer);
    const apart = read(tinyBert(large));
    const before = fileOf(apart);
    for (const { rawData } of integersOf(await dynamic.quantize(apart)))
      expect(rawData.buffer).not.toBe(initializers(apart)[0]?.rawData.buffer);
    expect(fileOf(apart)).toEqual(before);
  });

  it("takes memory for one weight at a time", async () => {
    const given = read(tinyBert(large));
    const bytes = initializers(given).reduce((sum, { rawData }) => sum + rawData.length, 0);
    const planned = await plan(pairUnits(read(tinyBert(large))).model, { mode: "dynamic" });
    const made = await allocatedBytes(async () => {
      const { model: paired } = pairUnits(given, { inPlace: true });
      await apply(paired, planned, { inPlace: true });
    });
    // In so small a model scales and orders count too; the integers alone are a quarter.
    expect(made).toBeLessThan(0.7 * bytes);
  });

  it("leaves floats alone that more than one input reads, or whose bytes another tensor has", async () => {
    const twice = () =>
      model({
        nodes: [
          node("MatMul", ["x", "A"], ["a"]),
          node("MatMul", ["x", "B"], ["b"]),
          node("MatMul", ["x", "C"], ["c"]),
          node("Sum", ["a", "b", "c", "C"], ["y"]),
        ],
        initializers: [matrix("A", [16, 16]), matrix("B", [16, 16]), matrix("C", [16, 16], 7)],
      });
    // As readers give ranges of external data: equal ones, and ones that begin within another.
    for (const offset of [0, 512]) {
      const sharing = (): [ModelProto, Uint8Array] => {
        const given = read(twice());
        const [a, b] = initializers(given) as [TensorProto, TensorProto];
        const both = new Uint8Array(a.rawData.length + offset);
        both.set(a.rawData);
        both.set(b.rawData.subarray(0, offset), a.rawData.length);
        a.rawData = both.subarray(0, a.rawData.length);
        b.rawData = both.subarray(offset);
        return [given, both];
      };
      const [shared, bytes] = sharing();
      const floats = bytes.slice();
      const part = await dynamic.plan(shared);
      const { model: made } = await apply(shared, part, { inPlace: true });
      expect(fileOf(made)).toEqual(fileOf((await apply(sharing()[0], part)).model));
      expect(bytes).toEqual(floats);
    }
  });

  it("plans once and applies often without it", async () => {
    const given = read(linear());
    const planned: QuantizationPlan = await dynamic.plan(given);
    const first = fileOf((await dynamic.apply(given, planned)).model);
    expect(fileOf((await dynamic.apply(given, planned)).model)).toEqual(first);
  });
});

describe("pairing in place", () => {
  it("gives layers that share bytes each their own order", () => {
    const joined = (): ModelProto => {
      const given = tinyBert({ layers: 2 });
      const byName = new Map(initializers(given).map((proto) => [proto.name, proto]));
      // Two layers with the very same weights and other biases.
      for (const [name, proto] of byName) {
        const other = name.includes("layer.0") ? byName.get(name.replace("layer.0", "layer.1")) : undefined;
        if (other?.dims.length === 2) other.rawData = proto.rawData;
      }
      return given;
    };
    const before = fileOf(joined());
    const expected = fileOf(pairUnits(joined()).model);
    expect(expected).not.toEqual(before);
    expect(fileOf(pairUnits(joined(), { inPlace: true }).model)).toEqual(expected);
  });
});
