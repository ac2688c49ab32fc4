import { provideRuntime } from "@nasty/runtime/web";
import { loadModel } from "@nasty/taggers/web";
// The command records this version.
import { version } from "@nasty/workflow/package.json";
import { type Files, sourceOf } from "../page/dropped-files.js";
import { loadRuntime } from "../page/runtime.js";
import { serveTasks } from "../page/task.js";
import { type Compared, compareModels, type Inspected, inspectModel } from "./examine.js";
import { type Mode, type Quantized, quantizeModel, sentencesOf } from "./quantize-model.js";

/** What the page asks. */
export type Question =
  | { readonly kind: "inspect"; readonly files: Files }
  | { readonly kind: "quantize"; readonly files: Files; readonly mode: Mode; readonly text: string };

/** What the page gets for its model. */
export interface Result extends Compared, Omit<Quantized, "model"> {
  readonly originalBytes: number;
}

serveTasks<Question, Inspected | Result>(async (question, onProgress) => {
  onProgress({ stage: "Reading the model" });
  const { files } = question;
  const loaded = await loadModel(sourceOf(files));
  if (question.kind === "inspect") return inspectModel(loaded);
  const ort = await loadRuntime();
  provideRuntime(ort);
  const { mode, text } = question;
  const versions = { nasty: version, onnxruntime: ort.env.versions.web ?? ort.env.versions.common };
  const { model, ...quantized } = await quantizeModel(loaded, { mode, text, versions, onProgress });
  onProgress({ stage: "Running both models" });
  const compared = await compareModels(
    loaded,
    { model, bytes: quantized.bytes },
    sentencesOf(text, loaded.settings?.language),
  );
  return { ...quantized, ...compared, originalBytes: loaded.bytes.length };
});
