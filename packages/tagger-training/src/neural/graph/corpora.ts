import { makeValueInfo, type ModelProto, type ValueInfoProto } from "@nasty/formats/onnx";
import { ModelGraph } from "@nasty/graph";
import type { LayerWriter } from "./layer-writer.js";

/** Name of the input that says which corpus a place is from: float32 [B, T, corpora], zeros for the task's own text. */
export const corporaInput = "corpora";

const addition = (name: string): string => `${name}/of-corpus`;

/**
 * Adds to every place a vector of the corpus that it is from, zeros at first; nothing for the task's own text.
 *
 * What a corpus labels in another way than the task does is learned by its vector instead of by the network, which the
 * text of the task alone then answers for.
 *
 * @param x float32 [B, T, width], or [T, B, width] with `lengthFirst`
 */
export function addCorpora(
  writer: LayerWriter,
  x: string,
  name: string,
  {
    corpora = 0,
    width,
    lengthFirst,
  }: { readonly corpora?: number | undefined; readonly width: number; readonly lengthFirst: boolean },
): string {
  if (corpora === 0) return x;
  const places = lengthFirst
    ? writer.named(`${name}/corpora`, "Transpose", [corporaInput], { perm: [1, 0, 2] })
    : corporaInput;
  const vectors = writer.weight(`${name}.corpora`, [corpora, width], { value: 0 });
  const added = writer.named(`${name}/corpus-vectors`, "MatMul", [places, vectors]);
  return writer.named(addition(name), "Add", [x, added]);
}

export const corporaInputOf = (corpora = 0): ValueInfoProto[] =>
  corpora === 0 ? [] : [makeValueInfo(corporaInput, "float32", ["batch", "length", corpora])];

/** The model for the task's own text, whose corpus has no vector: without {@link corporaInput}. */
export function dropCorpora(model: ModelProto): ModelProto {
  const edited = ModelGraph.from(model);
  const { main } = edited;
  if (main.inputs.every(({ name }) => name !== corporaInput)) return model;
  const additions = main.nodes.filter(({ output }) => output[0]?.endsWith(addition("")));
  for (const node of additions) main.bypassNode(node);
  main.pruneUnused();
  main.removeInput(corporaInput);
  return edited.toModel();
}
