import { embeddingsValue } from "@nasty/taggers/neural";
import { type BilstmArchitecture, embeddingWidth } from "../architecture.js";
import { addCorpora } from "./corpora.js";
import type { LayerWriter } from "./layer-writer.js";

/** The last layer's input, and its width. */
export interface Context {
  readonly value: string;
  readonly width: number;
  /** Whether the value is [length, batch, width] instead of [batch, length, width]. */
  readonly lengthFirst: boolean;
}

/**
 * Word vectors [U, width] looked up by `word_index` [B, T], and two-way LSTM layers over the first `lengths` [B] words
 * of each row.
 */
export function writeBilstm(
  writer: LayerWriter,
  architecture: BilstmArchitecture,
  corpora?: number,
): Context {
  const { layers, hidden, embeddingDropout, layerDropout } = architecture;
  const turned = writer.named("words/turned", "Transpose", ["word_index"], { perm: [1, 0] });
  let width = embeddingWidth(architecture.embedding);
  const vectors = writer.named("words/vectors", "Gather", [embeddingsValue, turned]);
  let x = addCorpora(writer, vectors, "words", { corpora, width, lengthFirst: true });
  for (let layer = 0; layer < layers; layer++) {
    const name = `lstm${layer}`;
    const input = layer === 0 ? "dropout/embedding" : `dropout/layer${layer}`;
    x = writer.dropout(x, input, layer === 0 ? embeddingDropout : layerDropout);
    // Glorot's bound over one gate, and the recurrent bound that PyTorch starts from.
    const W = writer.weight(`${name}.W`, [2, 4 * hidden, width], { bound: Math.sqrt(6 / (width + hidden)) });
    const R = writer.weight(`${name}.R`, [2, 4 * hidden, hidden], { bound: Math.sqrt(3 / hidden) });
    const B = writer.weight(`${name}.B`, [2, 8 * hidden], { values: lstmBias(hidden) });
    const both = writer.named(`${name}/directions`, "LSTM", [x, W, R, B, "lengths"], {
      hidden_size: hidden,
      direction: "bidirectional",
    });
    const beside = writer.named(`${name}/beside`, "Transpose", [both], { perm: [0, 2, 1, 3] });
    x = writer.named(`${name}/output`, "Reshape", [beside, writer.ints("shape.lstm", [0, 0, 2 * hidden])]);
    width = 2 * hidden;
  }
  return { value: x, width, lengthFirst: true };
}

/** Zeros, but ones for the forget gates (third of i o f c): at first memory is kept. */
function lstmBias(hidden: number): Float32Array {
  const values = new Float32Array(16 * hidden);
  for (const direction of [0, 1]) {
    const start = direction * 8 * hidden + 2 * hidden;
    values.fill(1, start, start + hidden);
  }
  return values;
}
