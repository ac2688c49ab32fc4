import { elementCount } from "@nasty/core";
import type { ModelProto } from "@nasty/formats/onnx";
import { blockBytes, blockLayout } from "../block-weights/block-layout.js";
import { planInt4, type BlockOptions } from "../block-weights/weight-only.js";
import { CompressionError } from "../compression-error.js";
import { planDynamic } from "../modes/dynamic.js";
import { layerGroups, type LayerGroup } from "./layer-groups.js";
import type { DynamicPlan, Int4Plan, MixedPlan, PlannedTensor, QuantizationPlan } from "./plan.js";
import { predictedBytes } from "../report/predicted-bytes.js";
import { sensitivity, type SensitivityOptions } from "../sensitivity/sensitivity.js";

export interface TargetSizeOptions extends BlockOptions, Omit<SensitivityOptions, "evaluate" | "limit"> {
  /** Largest file, in bytes. */
  readonly targetBytes: number;
  /** Bytes that the writer will add: a tokenizer, labels. Default 0. */
  readonly extraBytes?: number;
}

interface Level {
  /** Undefined: float. */
  readonly group: LayerGroup | undefined;
  readonly bytes: number;
  /** Noise over signal at the outputs when only this group is stored so. */
  readonly noise: number;
}

function bytesOf({ shape, granularity, symmetric, ...rest }: PlannedTensor): number {
  const layout = blockLayout({ shape, granularity, symmetric, ...rest });
  if (layout !== undefined) return blockBytes(layout, symmetric);
  const scales = granularity.kind === "per-channel" ? (shape[granularity.axis] ?? 1) : 1;
  return elementCount(shape) + 4 * scales;
}

function levelsOf(groups: readonly LayerGroup[], noises: ReadonlyMap<string, number>): Map<string, Level> {
  return new Map(
    groups.map((group) => [
      group.name,
      {
        group,
        bytes: group.tensors.reduce((sum, planned) => sum + bytesOf(planned), 0),
        noise: noises.get(group.name) ?? 0,
      },
    ]),
  );
}

/** The change of one group that takes away most noise a byte, among those that fit. */
function bestUpgrade(
  ladder: ReadonlyMap<string, readonly Level[]>,
  chosen: ReadonlyMap<string, number>,
  room: number,
): { readonly name: string; readonly level: number; readonly bytes: number } | undefined {
  let best: { name: string; level: number; bytes: number; gain: number } | undefined;
  for (const [name, levels] of ladder) {
    const at = chosen.get(name) ?? 0;
    const from = levels[at] as Level;
    for (let level = at + 1; level < levels.length; level++) {
      const to = levels[level] as Level;
      const bytes = to.bytes - from.bytes;
      const gain = (from.noise - to.noise) / Math.max(1, bytes);
      if (bytes <= room && gain > 0 && (best === undefined || gain > best.gain)) {
        best = { name, level, bytes, gain };
      }
    }
  }
  return best;
}

/**
 * Plans the bits of each weight, 4, 8 or 32, so that the file stays under a size and the outputs change least.
 *
 * Starts with the fewest bits everywhere, then spends what is left where it takes away most noise a byte. The noise of
 * weights is measured one by one and taken to add up. Weights of 8 bits are those of dynamic quantization.
 *
 * @param model an unfused float32 graph; not changed
 * @throws CompressionError `target-missed` (even the fewest bits are too large), `no-calibration-data`
 * @example
 * const mixed = await plan(model, { mode: "mixed", targetBytes: 4.5e6, batches: tagger.feedsOf(sentences) });
 */
export async function planTargetSize(model: ModelProto, options: TargetSizeOptions): Promise<MixedPlan> {
  const { targetBytes, extraBytes = 0, skipLayers, minimumElements, pairs } = options;
  const shared = {
    ...(pairs && { pairs }),
    ...(skipLayers && { skipLayers }),
    ...(minimumElements !== undefined && { minimumElements }),
  };
  const four = planInt4(model, options);
  const eight = planDynamic(model, shared);
  const measure = async (plan: QuantizationPlan): Promise<Map<string, Level>> => {
    const rows = plan.tensors.length === 0 ? [] : await sensitivity(model, plan, options);
    const noises = new Map(rows.map(({ name, outputSqnrDb }) => [name, 10 ** (-outputSqnrDb / 10)]));
    return levelsOf(layerGroups(plan), noises);
  };
  const levels4 = await measure(four);
  const levels8 = await measure(eight);
  const ladder = new Map<string, Level[]>();
  for (const name of new Set([...levels8.keys(), ...levels4.keys()])) {
    const known = [levels4.get(name), levels8.get(name)].filter((level) => level !== undefined);
    const [first] = known;
    const elements = first?.group?.tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0) ?? 0;
    const all = [...known, { group: undefined, bytes: 4 * elements, noise: 0 }];
    ladder.set(
      name,
      all.sort((a, b) => a.bytes - b.bytes),
    );
  }
  const chosen = new Map<string, number>();
  const planOf = (): MixedPlan => mixedPlan(four, eight, ladder, chosen, targetBytes);
  const sizeOf = (): number => predictedBytes(model, planOf()) + extraBytes;
  const smallest = sizeOf();
  if (smallest > targetBytes) {
    throw new CompressionError(
      "target-missed",
      `targetSize: model: bytes: expected at most ${targetBytes}, got ${smallest} with the fewest bits everywhere; use larger blocks, or prune first`,
    );
  }
  const taken: { readonly name: string; readonly before: number }[] = [];
  let room = targetBytes - smallest;
  for (
    let next = bestUpgrade(ladder, chosen, room);
    next !== undefined;
    next = bestUpgrade(ladder, chosen, room)
  ) {
    taken.push({ name: next.name, before: chosen.get(next.name) ?? 0 });
    chosen.set(next.name, next.level);
    room -= next.bytes;
  }
  // Nodes and names take bytes too: the last upgrades go until the file itself fits.
  while (sizeOf() > targetBytes) {
    const last = taken.pop();
    if (last === undefined) break;
    chosen.set(last.name, last.before);
  }
  return planOf();
}

function mixedPlan(
  four: Int4Plan,
  eight: DynamicPlan,
  ladder: ReadonlyMap<string, readonly Level[]>,
  chosen: ReadonlyMap<string, number>,
  targetBytes: number,
): MixedPlan {
  const tensors: PlannedTensor[] = [];
  const float = new Map<string, readonly PlannedTensor[]>();
  for (const [name, levels] of ladder) {
    const { group } = levels[chosen.get(name) ?? 0] as Level;
    if (group !== undefined) tensors.push(...group.tensors);
    else float.set(name, levels.find((level) => level.group !== undefined)?.group?.tensors ?? []);
  }
  const plannedNodes = new Set(
    [...four.tensors, ...eight.tensors].flatMap(({ sites }) => sites.map(({ node }) => node)),
  );
  return {
    ...four,
    mode: "mixed",
    options: { ...four.options, targetBytes },
    tensors,
    keptInFloat: [
      ...eight.keptInFloat.filter(({ name }) => !plannedNodes.has(name)),
      ...[...float.values()].flatMap((kept) =>
        kept.flatMap(({ sites }) =>
          sites.map(({ node, op }) => ({
            name: node,
            op,
            reason: "sensitive, and the target size leaves room for it",
          })),
        ),
      ),
    ],
    warnings: eight.warnings,
  };
}
