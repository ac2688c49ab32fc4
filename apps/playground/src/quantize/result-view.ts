import { bytesText, countText } from "../page/figures.js";
import { element } from "../page/element.js";
import { flipsView } from "../page/flips-view.js";
import { table } from "../page/table.js";
import type { Inspected } from "./examine.js";
import { noisePlot } from "./noise-plot.js";
import type { Mode } from "./quantize-model.js";
import type { Result } from "./quantize-worker.js";

/** Weights that are listed; a large transformer has hundreds. */
const mostLayers = 200;

/** What is in a model, and the sizes that it would have. */
export function inspectedView(found: Inspected): HTMLElement {
  const { name, modelBytes, parameters, layers, weightBytes, sizes, labels, reason, notes } = found;
  const can =
    labels === undefined
      ? `It has no tagger: static mode and labels need one. ${reason ?? ""}`
      : `It tags with ${labels.length} labels.`;
  const rest = layers.length > mostLayers ? `, the largest ${mostLayers} of them` : "";
  return element(
    "section",
    { id: "inspected", "aria-label": "The model" },
    element("h2", {}, name),
    element(
      "p",
      {},
      `${bytesText(modelBytes)}, ${countText(parameters)} parameters in ${layers.length} weights. ${can}`,
    ),
    ...notes.map((note) => element("p", {}, note)),
    table(
      "Estimated sizes",
      ["mode", "size", "times smaller"],
      sizes.map(({ mode, bytes, ratio }) => [mode, bytesText(bytes), `${ratio.toFixed(2)}×`]),
    ),
    element(
      "details",
      {},
      element("summary", {}, `Weights${rest}`),
      table(
        "Weights",
        ["weight", "shape", "size", "share"],
        layers
          .slice(0, mostLayers)
          .map(({ name: weight, shape, bytes }) => [
            weight,
            shape.join(" × "),
            bytesText(bytes),
            `${((100 * bytes) / weightBytes).toFixed(1)} %`,
          ]),
      ),
    ),
  );
}

/** `model.onnx.br` becomes `model_int8.onnx`. */
function outputName(name: string, mode: Mode): string {
  const base = (name.split("/").at(-1) ?? "model").replace(/\.(?:gz|br)$/i, "").replace(/\.onnx$/i, "");
  const suffix = { dynamic: "dynamic", static: "int8_minmax", int4: "int4" }[mode];
  return `${base}_${suffix}.onnx`;
}

/** What was made, and how it compares with the original. */
export function resultView(name: string, mode: Mode, result: Result): HTMLElement {
  const { bytes, originalBytes, tensors, warnings, drift, words, changed } = result;
  const file = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" });
  const download = outputName(name, mode);
  const changes =
    changed === undefined
      ? []
      : [
          element("h2", {}, "Labels on the text"),
          ...flipsView(changed, words, { first: "original", second: "quantized", verb: "changed" }),
        ];
  return element(
    "section",
    { id: "result", "aria-label": "The quantized model" },
    element("h2", {}, "Quantized"),
    element(
      "p",
      {},
      `${bytesText(originalBytes)} → ${bytesText(bytes.length)}, ${tensors.length} weights quantized. `,
      element("a", { href: URL.createObjectURL(file), download, id: "download" }, `Download ${download}`),
    ),
    ...warnings.map((warning) => element("p", {}, warning)),
    ...changes,
    element("h2", {}, "Outputs beside the original's"),
    table(
      "Drift of outputs",
      ["output", "cosine"],
      drift.map(({ name: output, cosine }) => [output, cosine.toFixed(6)]),
    ),
    element("h2", {}, "Signal-to-noise ratio of each weight"),
    element("figure", {}, noisePlot(tensors)),
  );
}
