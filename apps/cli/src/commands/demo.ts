import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeTemporaryFolder } from "@nasty/formats/archive/node";
import { sampleConllu } from "@nasty/model-en";
import { posFloat32 } from "@nasty/model-en-float32";
import { openModel } from "@nasty/workflow";
import { type QuantizationResult, runQuantization } from "@nasty/workflow/quantization";
import {
  comparisonText,
  formatBytes,
  formatCount,
  formatMs,
  formatPercent,
  noAudit,
  table,
} from "@nasty/workflow/report";
import { readModelFile, writeModelFile } from "@nasty/formats/onnx/node";
import { comparePair } from "./quantize-eval.js";
import type { CommonOptions, Terminal } from "../terminal/console.js";

interface DemoOptions extends CommonOptions {
  readonly test?: string;
}

const sentence = "Time flies like an arrow.";

/** `nasty demo`: quantizes a model, compares size, speed and accuracy, audits the result, tags a sentence. */
export async function demo(options: DemoOptions, terminal: Terminal, given?: string): Promise<void> {
  const test = options.test ?? fileURLToPath(sampleConllu);
  const { path: folder, remove } = await makeTemporaryFolder("nasty-demo");
  try {
    const model = given ?? (await unpackDefault(folder));
    const { seed, threads } = options;
    const output = join(folder, `${basename(model).replace(/\.onnx$/, "")}_int8_dynamic.onnx`);
    const made = await runQuantization({ ...demoSettings, model, output, seed, threads }, terminal);
    const audit = auditOf(made);
    const comparison = await comparePair([model, output], { test, seed, threads, inputFormat: [] }, terminal);
    const tagged = await tagWords(output, threads);
    const { models: _, original, quantized, summary, ...rest } = comparison;
    const json = { model, test, ...rest, original, quantized, summary, audit, tagged };
    terminal.result(json, () =>
      [
        comparisonText(comparison),
        "",
        table(
          ["Model", "Size", "Inference (CPU)", original.metric === "accuracy" ? "Accuracy" : "F1 score"],
          [
            [
              "Float32",
              formatBytes(original.modelBytes),
              formatMs(original.msPerSentence),
              formatPercent(original.value),
            ],
            [
              "INT8 (dynamic)",
              formatBytes(quantized.modelBytes),
              formatMs(quantized.msPerSentence),
              formatPercent(quantized.value),
            ],
          ],
        ),
        "",
        audit === null
          ? `The runtime's kernels: ${noAudit}.`
          : `The runtime executes ${formatCount(audit.quantizedKernels)} quantized matrix kernels, ${formatCount(audit.floatMatMuls)} float ones.`,
        `Tagged by the INT8 model: ${tagged.map(({ form, label }) => `${form}/${label}`).join(" ")}`,
      ].join("\n"),
    );
  } finally {
    await remove();
  }
}

/** The embedded model as a plain file, so that sizes compare like with like. */
async function unpackDefault(folder: string): Promise<string> {
  const path = join(folder, "pos-en.onnx");
  await writeModelFile(path, await readModelFile(fileURLToPath(posFloat32)));
  return path;
}

const demoSettings = {
  mode: "dynamic",
  calibration: [],
  skipLayers: [],
  perChannel: true,
  fallback: true,
  inputFormat: [],
} as const;

/** What the runtime executes, without the shares of time. */
function auditOf({
  audit,
}: QuantizationResult): Omit<NonNullable<QuantizationResult["audit"]>, "timeShares"> | null {
  if (audit === null) return null;
  const { timeShares: _, ...rest } = audit;
  return rest;
}

async function tagWords(path: string, threads: number): Promise<{ form: string; label: string }[]> {
  const model = await openModel(path, { threads });
  try {
    const words: { form: string; label: string }[] = [];
    for await (const tagged of model.tagText(sentence)) {
      for (const { form, label } of tagged.words) words.push({ form, label });
    }
    return words;
  } finally {
    await model.close();
  }
}
