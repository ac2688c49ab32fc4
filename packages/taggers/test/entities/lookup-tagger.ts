import { parseModelConfig, parseTokenizerConfig } from "@nasty/formats/hf";
import { makeGraph, makeModel, makeNode, makeTensor, makeValueInfo } from "@nasty/formats/onnx";
import { openSession } from "@nasty/runtime";
import {
  type LabelChoice,
  makeTransformerTagger,
  settingsFromHf,
  type Tagger,
  withChoice,
} from "../../src/index.js";

/**
 * Shares of the labels of a subword, which sum to 10: its scores are their logarithms, so that a share of 4 is a
 * probability of 0.4.
 */
export type Shares = Readonly<Record<string, number>>;

export interface LookupOptions extends LabelChoice {
  readonly labels: readonly string[];
  readonly tokenizer: Readonly<Record<string, unknown>>;
  /** By id; subwords without any have label 0 for sure. */
  readonly shares: Readonly<Record<number, Shares>>;
  readonly positions?: number;
}

/** A token classifier that looks up each subword's scores: every result can be worked out by hand. */
export async function lookupTagger({
  labels,
  tokenizer,
  shares,
  positions = 64,
  ...choice
}: LookupOptions): Promise<Tagger> {
  const rows = Math.max(...Object.keys(shares).map(Number)) + 1;
  const table = Array.from({ length: rows }, (_, id) =>
    labels.map((label, index) =>
      Math.log(shares[id] === undefined ? Number(index === 0) : (shares[id][label] ?? 0)),
    ),
  ).flat();
  const graph = makeGraph("lookup", {
    nodes: [makeNode("Gather", ["scores", "input_ids"], ["logits"])],
    inputs: [makeValueInfo("input_ids", "int64", ["batch", "length"])],
    outputs: [makeValueInfo("logits", "float32", ["batch", "length", labels.length])],
    initializers: [makeTensor("scores", "float32", { values: table, shape: [rows, labels.length] })],
  });
  const settings = settingsFromHf({
    config: parseModelConfig(
      JSON.stringify({
        model_type: "bert",
        id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
        max_position_embeddings: positions,
      }),
    ),
    tokenizerJson: tokenizer,
    tokenizerConfig: parseTokenizerConfig("{}"),
  });
  const session = await openSession(makeModel(graph, { opsets: { "": 17 }, irVersion: 8 }));
  return makeTransformerTagger(session, withChoice(settings, choice));
}
