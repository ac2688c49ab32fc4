import { dynamic } from "@nasty/compression";
import { parseModel, serializeModel } from "@nasty/formats/onnx";
import { auditModel, openSession } from "@nasty/runtime";
import {
  type ArchitectureName,
  architectures,
  buildNeuralModel,
  countWords,
  featureSettings,
} from "@nasty/tagger-training";
import { openNeuralTagger, readTaggerSettings, withTagger } from "@nasty/taggers";
import { describe, expect, test } from "vitest";

const words = Array.from(
  { length: 400 },
  (_, i) => `${"bcdfgklmnprst"[i % 13]}${"aeiou"[i % 5]}${i.toString(36)}`,
);
const sentences = Array.from({ length: 60 }, (_, i) => words.slice(i * 5, i * 5 + 3 + (i % 9)));
const labels = Array.from({ length: 17 }, (_, i) => `L${i}`);

async function tags(bytes: Uint8Array, batchSize: number): Promise<string[]> {
  const model = parseModel(bytes);
  const settings = await readTaggerSettings(model);
  if (settings?.kind !== "neural") throw new Error(`expected a neural tagger, got ${settings?.kind}`);
  const tagger = await openNeuralTagger(model, settings, (part) => openSession(part));
  const out: string[] = [];
  for await (const sentence of tagger.tag(sentences, { batchSize })) out.push(...sentence);
  await tagger.close();
  return out;
}

describe.each<[ArchitectureName, readonly string[]]>([
  ["bilstm", ["DynamicQuantizeLSTM", "DynamicQuantizeMatMul"]],
  ["cnn", ["DynamicQuantizeMatMul"]],
])("%s as int8", (name, kernels) => {
  const { architecture, features: sizes } = architectures[name];
  const features = featureSettings(countWords([words, words]), { ...sizes, hasCharacters: true });
  const plain = buildNeuralModel({ features, architecture, labels: labels.length });

  test("keeps its tagger, is four times smaller and tags almost the same", async () => {
    const model = await withTagger(plain, { kind: "neural", task: "pos", labels, features });
    const [before, after] = [serializeModel(model), serializeModel(await dynamic.quantize(model))];
    expect(before.length / after.length).toBeGreaterThan(3.4);
    const [float, int8] = [await tags(before, 32), await tags(after, 32)];
    const flips = float.filter((label, i) => label !== int8[i]).length;
    // Random weights score all labels nearly alike, so rounding flips more than it does after training.
    expect(flips / float.length).toBeLessThan(0.1);
    expect(await tags(before, 1)).toEqual(float);
  });

  test("runs integer kernels; only the character convolutions stay in float", async () => {
    const audit = await auditModel(await dynamic.quantize(plain));
    expect(audit.floatMatMuls).toBe(architecture.embedding.characters.filters.length);
    const found = new Set(audit.kernels.map(({ op }) => op));
    for (const kernel of kernels) expect([...found]).toContain(kernel);
  });
});
