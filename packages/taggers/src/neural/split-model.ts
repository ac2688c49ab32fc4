import { makeValueInfo, type ModelProto } from "@nasty/formats/onnx";
import { inferShapes, ModelGraph } from "@nasty/graph";
import { embeddingsValue } from "./graph-values.js";

/** A tagger's graph in two: words to vectors, and vectors to scores. */
export interface SplitModel {
  /** Outputs `embeddings` [U, width] for the inputs that describe words. */
  readonly embedder: ModelProto;
  /** Takes `embeddings` in place of those inputs. */
  readonly network: ModelProto;
}

/**
 * Cuts a graph at the vectors of the distinct words, so that a tagger may keep the vectors of words it has met.
 *
 * @returns undefined if the graph has no such value, or the scores depend on the words by another way too.
 */
export function splitModel(model: ModelProto): SplitModel | undefined {
  const whole = ModelGraph.from(model);
  if (whole.main.producer(embeddingsValue) === undefined || whole.main.isOutput(embeddingsValue))
    return undefined;
  const width = inferShapes(whole).typeOf(whole.main, embeddingsValue)?.shape?.[1];
  const info = makeValueInfo(embeddingsValue, "float32", ["words", width]);

  const embedder = ModelGraph.from(model);
  for (const name of embedder.main.outputs.map((output) => output.name)) embedder.main.removeOutput(name);
  embedder.main.addOutput(info);
  finish(embedder);

  const network = ModelGraph.from(model);
  const producer = network.main.producer(embeddingsValue);
  if (producer !== undefined) network.main.removeNode(producer);
  network.main.addInput(info);
  finish(network);
  const describing = new Set(embedder.main.inputs.map(({ name }) => name));
  if (network.main.inputs.some(({ name }) => describing.has(name))) return undefined;
  return { embedder: embedder.toModel(), network: network.toModel() };
}

function finish({ main }: ModelGraph): void {
  main.pruneUnused();
  const unread = main.inputs.filter(({ name }) => main.consumers(name).length === 0);
  for (const { name } of unread) main.removeInput(name);
}
