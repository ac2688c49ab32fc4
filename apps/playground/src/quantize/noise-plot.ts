import type { QuantizedTensor } from "@nasty/compression";
import { shape } from "../page/element.js";

const width = 720;
const rowHeight = 22;
const labelWidth = 280;
const valueWidth = 60;

/** Bars of the signal-to-noise ratio of each weight, in graph order: the shorter, the more was lost. */
export function noisePlot(tensors: readonly QuantizedTensor[]): SVGElement {
  const finite = tensors.map(({ sqnrDb }) => sqnrDb).filter(Number.isFinite);
  const most = Math.max(1, ...finite);
  const least = Math.min(...finite);
  const rows = tensors.map(({ layer, sqnrDb }, at) => {
    const y = at * rowHeight;
    const share = Number.isFinite(sqnrDb) ? Math.max(sqnrDb, 0) / most : 1;
    const length = share * (width - labelWidth - valueWidth);
    const name = layer.length > 42 ? `…${layer.slice(-41)}` : layer;
    return shape(
      "g",
      {},
      shape("text", { x: labelWidth - 8, y: y + 15, "text-anchor": "end" }, name),
      shape("rect", { class: "bar", x: labelWidth, y: y + 4, width: length, height: rowHeight - 8 }),
      shape(
        "text",
        { x: labelWidth + length + 6, y: y + 15 },
        Number.isFinite(sqnrDb) ? `${sqnrDb.toFixed(1)} dB` : "exact",
      ),
    );
  });
  return shape(
    "svg",
    {
      viewBox: `0 0 ${width} ${tensors.length * rowHeight}`,
      role: "img",
      "aria-label": `Signal-to-noise ratio of ${tensors.length} weights, ${least.toFixed(1)} to ${most.toFixed(1)} dB`,
    },
    ...rows,
  );
}
