import {
  type BlockParameters,
  chooseBlock,
  fullRange,
  hasHalfScales,
  perChannel,
  safePairParameters,
  type Tensor,
} from "@nasty/core";
import type { Graph } from "@nasty/graph";
import { pairAxisOf, type Site } from "./find-sites.js";
import type { ChosenOptions } from "./options.js";
import { hashScales, type TrainedWeight } from "./record.js";

type Layout = Pick<ChosenOptions, "bits" | "blockSize" | "symmetric" | "pairs">;

/** How each weight of some sites is rounded, with the scales that its values of now give. */
export function trainedWeights(graph: Graph, sites: readonly Site[], layout: Layout): TrainedWeight[] {
  const weights = new Map<string, TrainedWeight>();
  for (const site of sites) {
    const names = site.kind === "lstm" ? site.weights : [site.weight];
    for (const { name } of names) {
      const described = trainedWeight(graph.constant(name) as Tensor<"float32">, { site, name, layout });
      const key = `${name} ${described.axis} ${described.blockSize ?? "channel"}`;
      if (!weights.has(key)) weights.set(key, described);
    }
  }
  return [...weights.values()];
}

function trainedWeight(
  weight: Tensor<"float32">,
  { site, name, layout }: { readonly site: Site; readonly name: string; readonly layout: Layout },
): TrainedWeight {
  const op = site.node.opType as TrainedWeight["op"];
  const pairAxis = pairAxisOf(site, layout);
  if (site.kind === "lstm") {
    const [directions = 1, gates = 1, inputs = 1] = weight.shape;
    const rows = { ...weight, shape: [directions * gates, inputs] };
    return { name, op, axis: 0, symmetric: true, ...hashed(channelScales(rows, 0, pairAxis)) };
  }
  const channels = site.kind === "product" ? site.axis : site.perRow ? 0 : 1;
  if (layout.bits === 8)
    return {
      name,
      op,
      axis: channels,
      symmetric: true,
      ...hashed(channelScales(weight, channels, pairAxis)),
    };
  const { blockSize, symmetric } = layout;
  // A table's blocks run along its rows, whoever else reads it.
  const axis = site.kind === "product" ? 1 - site.axis : 1;
  return { name, op, axis, blockSize, symmetric, ...hashed(blockScales(weight, axis, layout)) };
}

const hashed = (scales: Float32Array): Pick<TrainedWeight, "scales" | "scalesHash"> => ({
  scales: scales.length,
  scalesHash: hashScales(scales),
});

function channelScales(weight: Tensor<"float32">, axis: number, pairAxis: number | undefined): Float32Array {
  const pairAxes = pairAxis === undefined ? [] : [pairAxis];
  return safePairParameters(weight, { dtype: "int8", symmetric: true }, perChannel(axis), pairAxes).scale;
}

/** Scales [channels, blocks] of blocks along an axis of a matrix. */
function blockScales(
  { data, shape }: Tensor<"float32">,
  axis: number,
  { blockSize, symmetric }: Layout,
): Float32Array {
  const [rows = 0, columns = 0] = shape;
  const [channels, length] = axis === 1 ? [rows, columns] : [columns, rows];
  const [channelStride, stride] = axis === 1 ? [columns, 1] : [1, columns];
  const blocks = Math.ceil(length / blockSize);
  const scales = new Float32Array(channels * blocks);
  const halfScales = hasHalfScales(channels, blocks);
  const scheme = { bits: 4, symmetric, halfScales, shrink: fullRange } as const;
  const values = new Float32Array(blockSize);
  const parameters: BlockParameters = { scale: 0, zeroPoint: 0 };
  for (let channel = 0; channel < channels; channel++) {
    for (let block = 0; block < blocks; block++) {
      const first = block * blockSize;
      const count = Math.min(length - first, blockSize);
      for (let i = 0; i < count; i++) {
        values[i] = data[channel * channelStride + (first + i) * stride] as number;
      }
      chooseBlock(values, 0, count, scheme, parameters);
      scales[channel * blocks + block] = parameters.scale;
    }
  }
  return scales;
}
