import type { PruningScope } from "./plan.js";

/**
 * Chooses the least important units.
 *
 * Of all layers together, or of each, round(share·units) go; a layer keeps at least one. Of equally important ones the
 * first go.
 *
 * @param layers importance by unit
 * @returns for each layer the units to remove, ascending
 */
export function selectUnits(
  layers: readonly ArrayLike<number>[],
  share: number,
  scope: PruningScope,
): number[][] {
  const groups = scope === "global" ? [layers.map((_, index) => index)] : layers.map((_, index) => [index]);
  const removed = layers.map((): number[] => []);
  for (const group of groups) {
    const units = group.flatMap((layer) =>
      Array.from(layers[layer] as ArrayLike<number>, (importance, unit) => ({ layer, unit, importance })),
    );
    units.sort((a, b) => a.importance - b.importance || a.layer - b.layer || a.unit - b.unit);
    let left = Math.round(share * units.length);
    for (const { layer, unit } of units) {
      const list = removed[layer] as number[];
      if (left > 0 && list.length < (layers[layer] as ArrayLike<number>).length - 1) {
        list.push(unit);
        left--;
      }
    }
  }
  return removed.map((list) => list.sort((a, b) => a - b));
}

/** The positions from 0 to below `count` that are not in a list. */
export function remaining(count: number, removed: readonly number[]): number[] {
  const gone = new Set(removed);
  return Array.from({ length: count }, (_, index) => index).filter((index) => !gone.has(index));
}

/** The positions of units that take several positions each. */
export function spread(units: readonly number[], width: number): number[] {
  return units.flatMap((unit) => Array.from({ length: width }, (_, i) => unit * width + i));
}
