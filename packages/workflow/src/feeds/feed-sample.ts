import { dataConstructor, type Tensor } from "@nasty/core";
import type { ValueInfo } from "@nasty/runtime";

/** The named inputs of one run, as somebody gave them. */
export interface FeedSample {
  readonly feeds: Readonly<Record<string, Tensor>>;
  /** [rows, positions], 0 where a position is padding; undefined where nobody said. */
  readonly mask?: Tensor | undefined;
  /** Where it stands, for messages and lists: `line 12`, `sample 3`. */
  readonly place: string;
  /** Class of the right answer, where the text says one. */
  readonly label?: number | undefined;
}

/** What an input of a graph takes, as messages say it: `int64 [batch, 2048]`. */
export function shownInput({ dtype, shape }: Pick<ValueInfo, "dtype" | "shape">): string {
  return `${dtype} [${shape.map((size) => (size === "" ? "?" : size)).join(", ")}]`;
}

/** How many numbers a sample has. */
export function sizeOfSample({ feeds }: FeedSample): number {
  return Object.values(feeds).reduce((sum, { data }) => sum + data.length, 0);
}

/**
 * Samples that may share a run are put together along their first axis; nobody's data is padded.
 *
 * Only those of equal shapes share one, and only in a graph whose inputs all have a first axis that varies under one
 * name.
 */
export function* feedBatches(
  samples: Iterable<FeedSample>,
  inputs: readonly ValueInfo[],
  batchSize: number,
): Generator<Readonly<Record<string, Tensor>>> {
  const [first] = inputs;
  const axis = first?.shape[0];
  const isTogether =
    typeof axis === "string" &&
    inputs.every(({ shape }) => shape[0] === axis) &&
    (axis !== "" || inputs.length === 1);
  if (batchSize === 1 || !isTogether) {
    for (const { feeds } of samples) yield feeds;
    return;
  }
  const waiting = new Map<string, FeedSample[]>();
  for (const sample of samples) {
    const key = inputs.map(({ name }) => sample.feeds[name]?.shape.slice(1).join("x")).join(" ");
    const group = waiting.get(key) ?? [];
    waiting.set(key, group);
    if (group.push(sample) < batchSize) continue;
    waiting.delete(key);
    yield joined(group);
  }
  for (const group of waiting.values()) yield joined(group);
}

function joined(group: readonly FeedSample[]): Readonly<Record<string, Tensor>> {
  const [first] = group as [FeedSample, ...FeedSample[]];
  if (group.length === 1) return first.feeds;
  return Object.fromEntries(
    Object.entries(first.feeds).map(([name, { dtype, shape }]) => {
      const parts = group.map(({ feeds }) => feeds[name] as Tensor);
      const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 1), 0);
      const length = parts.reduce((sum, part) => sum + part.data.length, 0);
      const data = new (dataConstructor(dtype))(length) as Float32Array;
      let at = 0;
      for (const part of parts) {
        data.set(part.data as Float32Array, at);
        at += part.data.length;
      }
      return [name, { dtype, shape: [rows, ...shape.slice(1)], data } as unknown as Tensor];
    }),
  );
}
