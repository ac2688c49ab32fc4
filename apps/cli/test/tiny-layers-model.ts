import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lexicon, nerLabels, posLabels } from "./tiny-tagger.js";

export interface TinyLayersModel {
  readonly task?: "pos" | "ner";
  readonly maskZero?: boolean;
  /** A fixed number of ids in a row. */
  readonly length?: number;
  readonly activation?: string;
  /** Another class for the recurrent layer. */
  readonly recurrent?: string;
  /** Puts a NaN into the embedding. */
  readonly nan?: boolean;
}

/** Ids of the words: 0 is padding, 1 an unknown word. */
export const wordIndex: Readonly<Record<string, number>> = Object.fromEntries(
  ["<PAD>", "<UNK>", ...lexicon.map(([word]) => word)].map((word, id) => [word, id]),
);

/** Numbers that look random and are not. */
const noise = (i: number): number => 0.1 * Math.sin(i * 12.9898);
const units = 16;

/**
 * Writes the folder of a TensorFlow.js LayersModel that is right for every word of the lexicon: an embedding with the
 * label in it, beside it the faint opinion of an LSTM in both directions.
 */
export async function writeTinyLayersModel(folder: string, options: TinyLayersModel = {}): Promise<string> {
  const {
    task = "pos",
    maskZero = true,
    length,
    activation = "softmax",
    recurrent = "LSTM",
    nan = false,
  } = options;
  const labels = task === "pos" ? posLabels : nerLabels;
  const width = labels.length;
  const table = Float32Array.from({ length: (lexicon.length + 2) * width }, (_, i) => noise(i));
  lexicon.forEach(([, upos, entity], index) => {
    table[(index + 2) * width + labels.indexOf(task === "pos" ? upos : entity)] = 2;
  });
  if (nan) table[5] = Number.NaN;
  const kernel = Float32Array.from({ length: (width + 2 * units) * width }, (_, i) =>
    Math.floor(i / width) === i % width ? 4 : noise(i),
  );
  const weights: [string, number[], Float32Array][] = [
    ["words/embeddings", [lexicon.length + 2, width], table],
  ];
  for (const way of ["forward", "backward"]) {
    const sizes = { kernel: [width, 4 * units], recurrent_kernel: [units, 4 * units], bias: [4 * units] };
    for (const [name, shape] of Object.entries(sizes)) {
      const count = shape.reduce((product, size) => product * size, 1);
      const values = Float32Array.from({ length: count }, (_, i) => noise(i + way.length));
      weights.push([`both/${way}_lstm/${name}`, shape, values]);
    }
  }
  weights.push(
    ["tags/kernel", [width + 2 * units, width], kernel],
    ["tags/bias", [width], new Float32Array(width)],
  );
  const from = (...names: string[]) => [names.map((name) => [name, 0, 0, {}])];
  const layer = (
    className: string,
    config: { readonly name: string; readonly [key: string]: unknown },
    inbound: unknown[],
  ) => ({
    name: config.name,
    class_name: className,
    config,
    inbound_nodes: inbound,
  });
  const lstm = {
    class_name: recurrent,
    config: { name: "lstm", units, return_sequences: true, recurrent_activation: "sigmoid" },
  };
  const model = {
    format: "layers-model",
    modelTopology: {
      class_name: "Model",
      config: {
        name: "tiny",
        layers: [
          layer("InputLayer", { name: "ids", batch_input_shape: [null, length ?? null], dtype: "int32" }, []),
          layer(
            "Embedding",
            { name: "words", input_dim: lexicon.length + 2, output_dim: width, mask_zero: maskZero },
            from("ids"),
          ),
          layer("Bidirectional", { name: "both", layer: lstm, merge_mode: "concat" }, from("words")),
          layer("Concatenate", { name: "all", axis: -1 }, from("words", "both")),
          layer("Dense", { name: "tags", units: width, activation }, from("all")),
        ],
        input_layers: [["ids", 0, 0]],
        output_layers: [["tags", 0, 0]],
      },
    },
    weightsManifest: [
      {
        paths: ["weights.bin"],
        weights: weights.map(([name, shape]) => ({ name, shape, dtype: "float32" })),
      },
    ],
  };
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.json"), JSON.stringify(model));
  await writeFile(
    join(folder, "weights.bin"),
    Buffer.concat(weights.map(([, , values]) => Buffer.from(values.buffer))),
  );
  await writeFile(join(folder, "words.json"), JSON.stringify(wordIndex));
  await writeFile(join(folder, "labels.json"), JSON.stringify(labels));
  return folder;
}
