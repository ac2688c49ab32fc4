import { makeValueInfo, type ModelProto, type ValueInfoProto } from "@nasty/formats/onnx";
import { auxiliaryOutput, chainOutputs, logitsOutput } from "@nasty/taggers/neural";
import type { Context } from "./bilstm.js";
import { beginEncoder, type EncoderOptions } from "./encoder.js";
import { addCorpora } from "./corpora.js";
import type { LayerWriter } from "./layer-writer.js";

export interface NeuralModelOptions extends EncoderOptions {
  /** How many labels. */
  readonly labels: number;
  /** Scores of label sequences, for a conditional random field. */
  readonly chain?: boolean;
  /** More heads that help while training, with how many labels each has. */
  readonly auxiliary?: Readonly<Record<string, number>>;
}

/**
 * Builds the graph of a tagger with random weights: integer ids in (see {@link beginEncoder}), label scores out.
 *
 * Output `logits` float32 [B, T, labels], `logits_NAME` for each auxiliary head; with `chain` also the parameters of
 * the label sequence, `transitions` [labels, labels] (from, to), `start` and `end` [labels]. All weights are named
 * initializers.
 *
 * @returns operator set 21; the same weights for the same options.
 * @throws RangeError for parts of different width that are to be added.
 *
 * @example
 * ```ts
 * const { architecture } = architectures.cnn;
 * const model = buildNeuralModel({ features, architecture, labels: 17 });
 * ```
 */
export function buildNeuralModel(options: NeuralModelOptions): ModelProto {
  const { labels, chain = false, auxiliary = {}, corpora } = options;
  const { graph, writer, context } = beginEncoder(options);
  const heads = [{ name: logitsOutput, labels }, ...auxiliaryHeads(auxiliary)];
  for (const head of heads)
    writeHead(writer, context, { ...head, corpora: head.name === logitsOutput ? corpora : 0 });
  const outputs = heads.map(({ name, labels: count }) =>
    makeValueInfo(name, "float32", ["batch", "length", count]),
  );
  if (chain) outputs.push(...writeChain(writer, labels));
  for (const output of outputs) graph.main.addOutput(output);
  return graph.toModel();
}

const auxiliaryHeads = (auxiliary: Readonly<Record<string, number>>): { name: string; labels: number }[] =>
  Object.entries(auxiliary).map(([head, labels]) => ({ name: auxiliaryOutput(head), labels }));

function writeHead(
  writer: LayerWriter,
  context: Context,
  { name, labels, corpora }: { name: string; labels: number; corpora: number | undefined },
): void {
  const { width, lengthFirst } = context;
  const linear = writer.linear(context.value, `head.${name}`, { inputs: width, outputs: labels });
  const scores = addCorpora(writer, linear, `head.${name}`, { corpora, width: labels, lengthFirst });
  if (lengthFirst) writer.named(name, "Transpose", [scores], { perm: [1, 0, 2] });
  else writer.named(name, "Identity", [scores]);
}

function writeChain(writer: LayerWriter, labels: number): ValueInfoProto[] {
  const output = (name: string, shape: readonly number[]): ValueInfoProto => {
    writer.named(name, "Identity", [writer.weight(`chain.${name}`, shape, { bound: 0.01 })]);
    return makeValueInfo(name, "float32", shape);
  };
  return [
    output(chainOutputs.transitions, [labels, labels]),
    output(chainOutputs.start, [labels]),
    output(chainOutputs.end, [labels]),
  ];
}
