import { float32ToFloat16 } from "@nasty/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readManifest } from "../../src/layers-model/index.js";
import { openWeights } from "../../src/layers-model/weights.js";
import { tf, uniformNumbers } from "./saved-model.js";

/** What TensorFlow.js itself makes of the same bytes. */
const reference = (bytes: Uint8Array, specs: tf.io.WeightsManifestEntry[]): Float32Array[] =>
  Object.values(tf.io.decodeWeights(Uint8Array.from(bytes).buffer, specs)).map((one) =>
    one.dataSync<"float32">(),
  );

describe("quantized shards", () => {
  const quantizations = {
    uint8: { dtype: "uint8", scale: 0.00731, min: -0.9127 },
    uint16: { dtype: "uint16", scale: 3.1e-5, min: -1.0003 },
    float16: { dtype: "float16" },
  } as const;

  test.each(["uint8", "uint16", "float16"] as const)(
    "%s: bit for bit what TensorFlow.js decodes",
    (dtype) => {
      const quantization = quantizations[dtype];
      const uniform = uniformNumbers(3);
      const count = 60;
      const stored =
        dtype === "uint8"
          ? Uint8Array.from({ length: count }, () => 128 * (uniform() + 1))
          : Uint16Array.from({ length: count }, () =>
              dtype === "float16" ? float32ToFloat16(4 * uniform()) : 32768 * (uniform() + 1),
            );
      // One byte before, so that the values do not start at a multiple of their size.
      const specs = [
        { name: "first/b", shape: [1], dtype: "bool" },
        { name: "d/kernel", shape: [12, 5], dtype: "float32", quantization },
      ] as tf.io.WeightsManifestEntry[];
      const bytes = new Uint8Array(1 + stored.byteLength);
      bytes.set(new Uint8Array(stored.buffer), 1);
      const weights = openWeights([{ paths: ["a"], weights: specs }], bytes);
      const values = weights.take("d", "kernel", [12, 5]);
      expect(values).toEqual(reference(bytes, specs)[1]);
      expect(weights.unused()).toEqual(["first/b"]);
    },
  );

  test("float32 over several groups of shards", () => {
    const values = Float32Array.of(1.5, -2, 3, 4);
    const manifest = [
      { paths: ["a", "b"], weights: [{ name: "x/kernel", shape: [3], dtype: "float32" }] },
      { paths: ["c"], weights: [{ name: "y/kernel", shape: [1, 1], dtype: "float32" }] },
    ];
    const weights = openWeights(manifest, new Uint8Array(values.buffer));
    expect(weights.take("x", "kernel", [3])).toEqual(values.subarray(0, 3));
    expect(weights.take("y", "kernel", [1, 1])).toEqual(values.subarray(3));
    expect(readManifest(manifest).groups).toEqual([
      { paths: ["a", "b"], byteLength: 12 },
      { paths: ["c"], byteLength: 4 },
    ]);
  });
});

describe("manifests that are none", () => {
  const weight = (changed: object) => [
    { paths: [], weights: [{ name: "w", shape: [2], dtype: "float32", ...changed }] },
  ];

  test.each<[unknown, string]>([
    [undefined, "importLayersModel: model.json: weightsManifest: expected a value, got nothing"],
    [{}, "importLayersModel: model.json: weightsManifest: expected Array, got Object"],
    [[{ paths: [] }], "importLayersModel: model.json: weightsManifest.0.weights: expected"],
    [
      weight({ shape: [-1] }),
      "importLayersModel: model.json: weightsManifest.0.weights.0.shape.0: expected >=0, got -1",
    ],
    [weight({ shape: [1.5] }), "weightsManifest.0.weights.0.shape.0: expected"],
    [
      weight({ dtype: "string" }),
      'importLayersModel: weight "w": dtype: expected float32, int32 or bool, got "string"',
    ],
    [
      weight({ shape: [2 ** 40, 2 ** 40] }),
      'importLayersModel: weight "w": shape: expected a size below 2^53 bytes, got [1099511627776, 1099511627776]',
    ],
    [weight({ quantization: { dtype: "uint8", scale: 1 } }), "weights.0.quantization.min: expected"],
    [weight({ quantization: { dtype: "int4" } }), "weights.0.quantization.dtype: expected"],
    [
      weight({ dtype: "int32", quantization: { dtype: "float16" } }),
      'importLayersModel: weight "w": quantization: expected float32 for float16 values, got int32',
    ],
    [
      [...weight({}), ...weight({})],
      'importLayersModel: weight "w": name: expected each name once, got it twice',
    ],
  ])("%j", (manifest, message) => {
    expect(() => readManifest(manifest)).toThrow(
      expect.objectContaining({
        name: "TfjsError",
        kind: "input",
        code: "invalid-weights",
        message: expect.stringContaining(message),
      }),
    );
  });

  test("whatever is in it, nothing but TfjsError comes out", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        try {
          readManifest(json);
        } catch (error) {
          expect(error).toMatchObject({ name: "TfjsError", code: "invalid-weights" });
        }
      }),
    );
  });
});

describe("bytes that do not fit", () => {
  const manifest = [{ paths: ["a"], weights: [{ name: "x/kernel", shape: [2], dtype: "float32" }] }];

  test.each([7, 9, 0])("%d bytes instead of 8", (size) => {
    expect(() => openWeights(manifest, new Uint8Array(size))).toThrow(
      expect.objectContaining({
        code: "truncated-weights",
        message: `importLayersModel: weights: size: expected 8 bytes (weightsManifest), got ${size}`,
      }),
    );
  });

  test("a size far beyond the bytes allocates nothing", () => {
    const huge = [{ paths: ["a"], weights: [{ name: "x/kernel", shape: [2 ** 40], dtype: "float32" }] }];
    expect(() => openWeights(huge, new Uint8Array(8))).toThrow("expected 4398046511104 bytes");
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("%d", (value) => {
    const weights = openWeights(manifest, new Uint8Array(Float32Array.of(1, value).buffer));
    expect(() => weights.take("x", "kernel", [2])).toThrow(
      expect.objectContaining({
        code: "not-finite",
        message: `importLayersModel: weight "x/kernel": value 1: expected a finite number, got ${value}`,
      }),
    );
  });

  test("an infinite float16", () => {
    const half = [
      {
        paths: ["a"],
        weights: [{ name: "x/kernel", shape: [1], dtype: "float32", quantization: { dtype: "float16" } }],
      },
    ];
    const weights = openWeights(half, Uint8Array.of(0, 0x7c));
    expect(() => weights.take("x", "kernel", [1])).toThrow("got Infinity");
  });
});
