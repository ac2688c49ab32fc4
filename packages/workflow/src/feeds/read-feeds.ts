import { cast, type Tensor } from "@nasty/core";
import { readFileMaybeCompressed } from "@nasty/formats/archive/node";
import type { ValueInfo } from "@nasty/runtime";
import { InputError } from "../errors.js";
import { chunksOf, linesOf } from "../texts/text-lines.js";
import { nameOf } from "../texts/text-form.js";
import { type FeedSample, shownInput } from "./feed-sample.js";
import { readNpz } from "./npz.js";
import { checkShape, parseFeed } from "./parse-feed.js";

/** Whether a file holds inputs of a graph, by its name; compressed ones may be JSON Lines. */
export const isFeedFile = (path: string): boolean => /\.(?:npz|(?:jsonl|ndjson)(?:\.gz|\.br)?)$/i.test(path);

/** Whether a file is an archive of numpy arrays, by its name. */
export const isNpz = (path: string): boolean => /\.npz$/i.test(path);

/**
 * The samples of a file: JSON Lines with an object of named inputs on each, streamed, or an `.npz` archive with an
 * array an input.
 *
 * @param inputs of the graph
 * @throws InputError naming file and line
 */
export async function* readFeeds(path: string, inputs: readonly ValueInfo[]): AsyncGenerator<FeedSample> {
  if (isNpz(path)) {
    yield* arraySamples(readNpz(await readFileMaybeCompressed(path), nameOf(path)), inputs, nameOf(path));
    return;
  }
  for await (const { text, line } of linesOf(chunksOf(path))) {
    if (text.trim() === "") continue;
    const place = `line ${line}`;
    yield parseFeed(text, inputs, { where: `read ${nameOf(path)}: ${place}`, place });
  }
}

/**
 * Samples of arrays: along a first axis that the input does not have, or along that of the batch, one at a time; an
 * array that has neither belongs to every sample.
 */
function* arraySamples(
  arrays: ReadonlyMap<string, Tensor>,
  inputs: readonly ValueInfo[],
  name: string,
): Generator<FeedSample> {
  const unknown = [...arrays.keys()].find((key) => !inputs.some((input) => input.name === key));
  if (unknown !== undefined) {
    throw new InputError(
      `read ${name}: ${unknown}: expected one of the graph's inputs (${inputs.map((input) => input.name).join(", ")}), got an unknown name`,
    );
  }
  const sliced = inputs.map((input) => {
    const found = arrays.get(input.name);
    if (found === undefined) {
      throw new InputError(`read ${name}: ${input.name}: expected ${shownInput(input)}, got no such array`);
    }
    return { input, ...slicesOf(converted(found, input, name), input, name) };
  });
  const counts = new Set(sliced.map(({ count }) => count).filter((count) => count !== undefined));
  const [count = 1, other] = counts;
  if (other !== undefined) {
    throw new InputError(
      `read ${name}: samples: expected as many in every array, got ${[...counts].join(" and ")}`,
    );
  }
  for (let at = 0; at < count; at++) {
    yield {
      feeds: Object.fromEntries(sliced.map(({ input, sampleAt }) => [input.name, sampleAt(at)])),
      place: `sample ${at + 1}`,
    };
  }
}

interface Slices {
  /** Undefined for an array that belongs to every sample. */
  readonly count: number | undefined;
  sampleAt(at: number): Tensor;
}

function slicesOf(value: Tensor, input: ValueInfo, name: string): Slices {
  const where = `read ${name}: ${input.name}`;
  const rank = input.shape.length;
  const isStacked = value.shape.length === rank + 1;
  const isBatch =
    value.shape.length === rank && rank > 0 && (typeof input.shape[0] === "string" || input.shape[0] === 1);
  if (!isStacked && !isBatch) {
    checkShape(value.shape, input, where);
    return { count: undefined, sampleAt: () => value };
  }
  const inner = value.shape.slice(1);
  const shape = isStacked ? inner : [1, ...inner];
  checkShape(shape, input, where);
  const length = inner.reduce((a, b) => a * b, 1);
  return {
    count: value.shape[0] ?? 0,
    sampleAt: (at) =>
      ({
        dtype: value.dtype,
        shape,
        data: value.data.subarray(at * length, (at + 1) * length),
      }) as unknown as Tensor,
  };
}

/** Numbers of another width are taken where nothing is lost: float64 and float16 for float32, int32 for int64. */
function converted(value: Tensor, { name: input, dtype }: ValueInfo, name: string): Tensor {
  if (value.dtype === dtype) return value;
  const isFloat = (type: string): boolean => type.startsWith("float");
  if (isFloat(value.dtype) && isFloat(dtype)) return cast(value, dtype);
  if (value.dtype === "int32" && dtype === "int64") {
    return {
      ...value,
      dtype,
      data: BigInt64Array.from(value.data as Int32Array, BigInt),
    } as unknown as Tensor;
  }
  throw new InputError(`read ${name}: ${input}: type: expected ${dtype}, got ${value.dtype}`);
}
