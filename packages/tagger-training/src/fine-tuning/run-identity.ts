import { type ModelProto, tensorFromProto } from "@nasty/formats/onnx";
import type { LabelledSentence } from "@nasty/taggers";
import { hashText } from "@nasty/taggers/neural";
import { mixWords } from "@nasty/training";

/**
 * A short text that tells one training run from another: its settings, its sentences and the weights it starts from.
 *
 * A checkpoint of another run is refused by it.
 */
export function runIdentity(
  settings: object,
  sentences: readonly LabelledSentence[],
  model: ModelProto,
): string {
  let data = 0;
  for (const { words, labels } of sentences)
    data = mixWords(data, hashText(words.join(" "), { seed: 1 }), hashText(labels.join(" "), { seed: 2 }));
  let weights = 0;
  for (const proto of model.graph?.initializer ?? []) {
    const { data: values } = tensorFromProto(proto);
    // Every 97th word is enough to tell two checkpoints apart, and costs nothing.
    const words = new Uint32Array(
      values.buffer,
      values.byteOffset - (values.byteOffset % 4),
      Math.floor(values.byteLength / 4),
    );
    for (let i = 0; i < words.length; i += 97) weights = mixWords(weights, words[i] as number);
  }
  const hex = (word: number): string => word.toString(16).padStart(8, "0");
  return `${hex(hashText(JSON.stringify(settings), { seed: 3 }))}-${hex(data)}-${hex(weights)}`;
}
