/** A recipe after a rung. */
export interface Standing {
  readonly name: string;
  /** Where it stands in the sweep: of two that are alike in all else the first goes on. */
  readonly place: number;
  /** Recipes are compared with those of their group: those that the same kernels run. */
  readonly group: string;
  readonly bytes: number;
  /**
   * What recipes are compared by: at the last rung the loss, before it the upper end of its 95 % interval. On few
   * samples the loss itself is chance, while its interval grows with the labels that changed.
   */
  readonly loss: number;
  /** Lower end of the loss's 95 % interval. */
  readonly low: number;
  readonly flips: number;
}

/** Why a recipe goes no further. */
export type Ending =
  /** Another one of its group is no larger and loses no more. */
  | { readonly reason: "beaten"; readonly by: string }
  /** It surely loses more than is of use. */
  | { readonly reason: "lossy" };

/** Sizes to three digits: how a file says that it was made is not what recipes are compared by. */
const comparedSize = ({ bytes }: Standing): number => Number(bytes.toPrecision(3));

/** Less loss first, then what may decide where losses are equal. */
const byLoss = (a: Standing, b: Standing): number =>
  a.loss - b.loss || a.flips - b.flips || a.bytes - b.bytes || a.place - b.place;

/** Whether `a` is no larger and loses no more than `b`; of two alike that with fewer flips, then the first. */
export function beats(a: Standing, b: Standing): boolean {
  const [size, other] = [comparedSize(a), comparedSize(b)];
  if (size > other || a.loss > b.loss) return false;
  if (size < other || a.loss < b.loss) return true;
  return a.flips < b.flips || (a.flips === b.flips && a.place < b.place);
}

/** Standings in layers: the first are beaten by none, the next by those of the first alone, … */
function layersOf(standings: readonly Standing[]): readonly (readonly Standing[])[] {
  const layers: Standing[][] = [];
  for (let left = [...standings]; left.length > 0; ) {
    const layer = left.filter((one) => !left.some((other) => other !== one && beats(other, one)));
    layers.push(layer.sort(byLoss));
    left = left.filter((one) => !layer.includes(one));
  }
  return layers;
}

/**
 * Recipes that end at a rung, by name. Of each group the better half goes on, and whoever is beaten by none: its own
 * frontier is never cut. What surely loses more than `maxLoss` ends whatever its size.
 *
 * @param isLast whether nothing comes after the rung: only those that none beats are left
 */
export function endingsOf(
  standings: readonly Standing[],
  { maxLoss, isLast }: { readonly maxLoss: number; readonly isLast: boolean },
): ReadonlyMap<string, Ending> {
  const endings = new Map<string, Ending>();

  for (const group of groupsOf(standings).values()) {
    const useful = group.filter(({ low }) => low <= maxLoss);
    for (const one of group) if (!useful.includes(one)) endings.set(one.name, { reason: "lossy" });
    const layers = layersOf(useful);
    const [frontier = []] = layers;
    const half = isLast ? 0 : Math.ceil(group.length / 2);
    const ended = layers.flat().slice(Math.max(frontier.length, half));
    for (const one of ended) {
      const by = frontier.find((other) => beats(other, one)) as Standing;
      endings.set(one.name, { reason: "beaten", by: by.name });
    }
  }
  return endings;
}

function groupsOf(standings: readonly Standing[]): ReadonlyMap<string, readonly Standing[]> {
  const groups = new Map<string, Standing[]>();
  for (const one of standings) groups.set(one.group, [...(groups.get(one.group) ?? []), one]);
  return groups;
}
