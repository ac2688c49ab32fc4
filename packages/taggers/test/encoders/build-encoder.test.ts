import { float32ToFloat16, type Tensor } from "@nasty/core";
import { openSession } from "@nasty/runtime";
import { describe, expect, it } from "vitest";
import { ModelGraph, validateModel } from "@nasty/graph";
import { buildEncoder } from "../../src/encoders/build-encoder.js";
import { checkpointTensors } from "../../src/encoders/checkpoint-tensors.js";
import { parseEncoderConfig } from "../../src/encoders/encoder-config.js";
import { withoutWrapper } from "../../src/encoders/read-checkpoint.js";
import { TaggerError } from "../../src/tagger-error.js";
import { referenceLogits } from "./reference-encoder.js";
import { type ModelType, modelTypes, tinyCheckpoint } from "./tiny-checkpoint.js";

const rows = [
  [5, 9, 7, 12, 3],
  [6, 4],
];

/** Feeds for the rows above, padded with the family's id. */
function feedsOf(modelType: ModelType, types: boolean): Record<string, Tensor<"int64">> {
  const width = 5;
  const padId = modelType === "roberta" ? 1 : 0;
  const make = (value: (row: readonly number[], at: number) => number): Tensor<"int64"> => ({
    dtype: "int64",
    shape: [rows.length, width],
    data: BigInt64Array.from({ length: rows.length * width }, (_, i) =>
      BigInt(value(rows[Math.floor(i / width)] as number[], i % width)),
    ),
  });
  return {
    input_ids: make((row, at) => row[at] ?? padId),
    attention_mask: make((row, at) => (at < row.length ? 1 : 0)),
    ...(types ? { token_type_ids: make((row, at) => (at > 1 && at < row.length ? 1 : 0)) } : {}),
  };
}

function problem(run: () => unknown): TaggerError {
  try {
    run();
  } catch (error) {
    if (error instanceof TaggerError) return error;
    throw error;
  }
  throw new Error("expected an error");
}

describe.each(modelTypes)("an encoder of %s", (modelType) => {
  it("computes what the formulas say, padding or not", async () => {
    const { config, tensors } = tinyCheckpoint(modelType);
    const model = buildEncoder(config, tensors);
    validateModel(ModelGraph.from(model));
    const types = modelType === "bert" || modelType === "electra";
    const session = await openSession(model);
    expect(session.inputs.map(({ name }) => name)).toEqual([
      "input_ids",
      "attention_mask",
      ...(types ? ["token_type_ids"] : []),
    ]);
    const { logits } = await session.run(feedsOf(modelType, types));
    await session.close();
    expect(logits?.shape).toEqual([2, 5, 3]);
    rows.forEach((row, r) => {
      const padded = Array.from({ length: 5 }, (_, at) => row[at] ?? (modelType === "roberta" ? 1 : 0));
      const expected = referenceLogits(config, tensors, {
        ids: padded,
        types: padded.map((_, at) => (types && at > 1 && at < row.length ? 1 : 0)),
        length: row.length,
      });
      for (let at = 0; at < row.length; at++) {
        for (let label = 0; label < 3; label++)
          expect(Number(logits?.data[(r * 5 + at) * 3 + label])).toBeCloseTo(
            expected[at]?.[label] as number,
            4,
          );
      }
    });
  });

  it("gives its checkpoint back", () => {
    const { config, tensors } = tinyCheckpoint(modelType);
    const back = checkpointTensors(buildEncoder(config, tensors));
    const kept = [...tensors].filter(([name]) => !/pooler|position_ids/.test(name));
    expect([...back.keys()].sort()).toEqual(kept.map(([name]) => name).sort());
    for (const [name, { shape, data }] of kept)
      expect(back.get(name)).toEqual({ dtype: "float32", shape, data });
  });

  it("is built from a bare encoder's checkpoint too, and can be given the family's names", () => {
    const { config, tensors } = tinyCheckpoint(modelType, { prefix: false });
    const bare = buildEncoder(config, tensors);
    expect(bare.graph?.output.map(({ name }) => name)).toEqual(["last_hidden_state"]);
    const prefixed = buildEncoder(config, tensors, { prefixed: true });
    const names = prefixed.graph?.initializer.map(({ name }) => name).filter((name) => name.includes("."));
    expect(names?.every((name) => name.startsWith(`${modelType}.`) || name.startsWith("constant/"))).toBe(
      true,
    );
  });
});

describe("a checkpoint that does not fit", () => {
  const { config, tensors } = tinyCheckpoint("bert");
  const without = (name: string): Map<string, Tensor> =>
    new Map([...tensors].filter(([key]) => key !== name));

  it("lacks a tensor", () => {
    const name = "bert.encoder.layer.1.output.dense.weight";
    const error = problem(() => buildEncoder(config, without(name)));
    expect(error.code).toBe("checkpoint");
    expect(error.message).toBe(
      `buildEncoder: tensor "${name}": expected a tensor [8, 12], got none of that name`,
    );
  });

  it("has a tensor of another shape", () => {
    const error = problem(() => buildEncoder({ ...config, intermediate_size: 16 }, tensors));
    expect(error.code).toBe("checkpoint");
    expect(error.message).toBe(
      'buildEncoder: tensor "bert.encoder.layer.0.intermediate.dense.weight": expected shape [16, 8] as config.json has it, got [12, 8]',
    );
  });

  it("has more layers than the configuration", () => {
    const error = problem(() => buildEncoder({ ...config, num_hidden_layers: 1 }, tensors));
    expect(error.code).toBe("checkpoint");
    expect(error.message).toContain('"bert.encoder.layer.1.');
    expect(error.message).toContain("config.json has 1 layers");
  });

  it.each([true, false])("belongs to another family (prefix: %s)", (prefix) => {
    const other = tinyCheckpoint("distilbert", { prefix }).tensors;
    const error = problem(() => buildEncoder(config, other));
    expect(error.code).toBe("checkpoint");
    expect(error.message).toContain("expected tensors of the family bert");
    expect(error.message).toContain("got those of distilbert");
  });

  it("is empty, holds integers, or numbers that are none", () => {
    expect(problem(() => buildEncoder(config, new Map())).message).toContain("got no tensors at all");
    const name = "bert.embeddings.LayerNorm.bias";
    const changed = (value: Tensor): Map<string, Tensor> => new Map(tensors).set(name, value);
    const integers: Tensor = { dtype: "int32", shape: [8], data: new Int32Array(8) };
    expect(problem(() => buildEncoder(config, changed(integers))).message).toContain("got int32");
    const broken: Tensor = { dtype: "float32", shape: [8], data: new Float32Array(8).fill(Number.NaN) };
    expect(problem(() => buildEncoder(config, changed(broken))).message).toContain("got NaN at element 0");
  });

  it("is found behind the name of a wrapping module", () => {
    const wrapped = new Map([...tensors].map(([name, value]) => [`m.${name}`, value]));
    const { family } = parseEncoderConfig(config);
    expect([...withoutWrapper(wrapped, family).keys()]).toEqual([...tensors.keys()]);
    expect(withoutWrapper(tensors, family)).toBe(tensors);
  });

  it("is read with the old names of normalisation, and in half precision", () => {
    const old = new Map(
      [...tensors].map(([name, value]) => [
        name.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta"),
        value.dtype === "float32"
          ? ({
              ...value,
              dtype: "float16",
              data: Uint16Array.from(value.data as Float32Array, (x) => float32ToFloat16(x)),
            } as Tensor)
          : value,
      ]),
    );
    const back = checkpointTensors(buildEncoder(config, old));
    const name = "bert.embeddings.LayerNorm.weight";
    const [found, expected] = [back.get(name)?.data[0], tensors.get(name)?.data[0]];
    expect(Number(found)).toBeCloseTo(Number(expected), 2);
    expect(found).not.toBe(expected);
  });
});

describe("a configuration that cannot be built", () => {
  const { config } = tinyCheckpoint("bert");
  it.each([
    [
      { model_type: "gpt2" },
      'model_type: expected one of distilbert, roberta, xlm-roberta, camembert, electra, bert, got "gpt2"',
    ],
    [{ hidden_act: "silu" }, "hidden_act: expected one of gelu"],
    [{ num_attention_heads: 3 }, "hidden_size: expected a multiple of the 3 heads, got 8"],
    [
      { position_embedding_type: "relative_key" },
      'position_embedding_type: expected absolute, got "relative_key"',
    ],
    [{ is_decoder: true }, "is_decoder: expected an encoder (false), got true"],
    [{ num_hidden_layers: 1e29 }, "num_hidden_layers: expected <=16777216"],
    [{ num_hidden_layers: 1025 }, "num_hidden_layers: expected <=1024"],
    [{ num_hidden_layers: undefined }, "num_hidden_layers: expected a positive integer, got nothing"],
    [{ vocab_size: "8" }, "vocab_size"],
  ])("%o", (change, message) => {
    const error = problem(() => parseEncoderConfig({ ...config, ...change }));
    expect(error.code).toBe("config");
    expect(error.message).toContain(`buildEncoder: config.json: ${message}`);
  });
});
