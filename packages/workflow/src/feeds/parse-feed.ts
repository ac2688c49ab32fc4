import { cast, dataConstructor, type DType, elementCount, type Tensor } from "@nasty/core";
import { FormatError } from "@nasty/formats/hf";
import { parseJson } from "@nasty/formats/json";
import { nearestName } from "@nasty/graph";
import type { ValueInfo } from "@nasty/runtime";
import { InputError } from "../errors.js";
import { type FeedSample, shownInput } from "./feed-sample.js";

/** Key of the right answer, where no input has its name. */
const labelKey = "label";

/** Smallest and largest of the integers that are stored in fewer than 64 bits. */
const bounds: Partial<Record<DType, readonly [least: number, most: number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
};

/**
 * The inputs of one run from a line of JSON: an object with nested lists of numbers, true and false for booleans, and
 * texts of digits for integers beyond 2^53.
 *
 * @param where the file and line, for messages
 * @throws InputError for what is no such object, for inputs that are missing or unknown, and for values whose shape or
 *   type is not that of the graph
 */
export function parseFeed(
  line: string,
  inputs: readonly ValueInfo[],
  { where, place }: { readonly where: string; readonly place: string },
): FeedSample {
  const given = objectOf(line, where, inputs);
  const feeds: Record<string, Tensor> = Object.create(null) as Record<string, Tensor>;
  for (const input of inputs) {
    if (!Object.hasOwn(given, input.name)) {
      throw new InputError(
        `${where}: input ${input.name}: expected ${shownInput(input)}, got none; the line must name every input (${inputs.map(({ name }) => name).join(", ")})`,
      );
    }
    feeds[input.name] = tensorOf(given[input.name], input, `${where}: input ${input.name}`);
  }
  checkNames(given, inputs, where);
  const label = inputs.some(({ name }) => name === labelKey) ? undefined : labelOf(given[labelKey], where);
  return { feeds, place, label };
}

function objectOf(
  line: string,
  where: string,
  inputs: readonly ValueInfo[],
): Readonly<Record<string, unknown>> {
  const wanted = `an object of inputs such as {${inputs.map(({ name }) => `"${name}": …`).join(", ")}}`;
  let value: unknown;
  try {
    value = parseJson(line);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new InputError(`${where}: expected ${wanted}, got ${error.message.replace(/^.*, got /, "")}`, {
      cause: error,
    });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Readonly<Record<string, unknown>>;
  }
  throw new InputError(`${where}: expected ${wanted}, got ${kindOf(value)}`);
}

function checkNames(
  given: Readonly<Record<string, unknown>>,
  inputs: readonly ValueInfo[],
  where: string,
): void {
  const names = inputs.map(({ name }) => name);
  for (const key of Object.keys(given)) {
    if (names.includes(key) || key === labelKey) continue;
    const nearest = nearestName(key, names);
    throw new InputError(
      `${where}: ${key}: expected one of the graph's inputs (${names.join(", ")}), got an unknown name${nearest === undefined ? "" : `; did you mean ${nearest}?`}`,
    );
  }
}

function labelOf(value: unknown, where: string): number | undefined {
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new InputError(
    `${where}: ${labelKey}: expected the number of the right class, from 0, got ${shownValue(value)}`,
  );
}

/** Checks shape and type, and copies the values in order. */
function tensorOf(value: unknown, input: ValueInfo, where: string): Tensor {
  const shape: number[] = [];
  for (let at: unknown = value; Array.isArray(at); at = at[0]) shape.push(at.length);
  checkShape(shape, input, where);
  const { dtype } = input;
  const count = elementCount(shape);
  if (dtype === "float16" || dtype === "bfloat16") {
    return cast(tensorOf(value, { ...input, dtype: "float32" }, where) as Tensor<"float32">, dtype);
  }
  const data = new (dataConstructor(dtype))(count) as unknown as { [index: number]: number | bigint };
  const read = readerOf(dtype, where);
  let at = 0;
  const fill = (part: unknown, axis: number, path: string): void => {
    if (axis === shape.length) {
      data[at++] = read(part, path);
      return;
    }
    if (!Array.isArray(part) || part.length !== shape[axis]) {
      const got = Array.isArray(part) ? `${part.length}` : kindOf(part);
      throw new InputError(
        `${where}${path}: expected a list of ${shape[axis]} as its neighbours (lists of one input must be of one length), got ${got}`,
      );
    }
    for (let i = 0; i < part.length; i++) fill(part[i], axis + 1, `${path}[${i}]`);
  };
  fill(value, 0, "");
  return { dtype, shape, data } as unknown as Tensor;
}

/** @throws InputError for another rank, or another size of an axis that the graph fixes */
export function checkShape(shape: readonly number[], input: ValueInfo, where: string): void {
  const isRight =
    shape.length === input.shape.length &&
    shape.every((size, axis) => typeof input.shape[axis] === "string" || input.shape[axis] === size);
  if (isRight) return;
  const hint =
    shape.length === input.shape.length - 1 ? "; every axis is written, that of the batch too: [[…]]" : "";
  throw new InputError(`${where}: shape: expected ${shownInput(input)}, got [${shape.join(", ")}]${hint}`);
}

type Read = (value: unknown, path: string) => number | bigint;

function readerOf(dtype: DType, where: string): Read {
  const refuse = (path: string, expected: string, value: unknown): InputError =>
    new InputError(`${where}${path}: expected ${expected}, got ${shownValue(value)}`);
  switch (dtype) {
    case "bool":
      return (value, path) => {
        if (value === true || value === 1) return 1;
        if (value === false || value === 0) return 0;
        throw refuse(path, "true or false", value);
      };
    case "int64":
    case "uint64":
      return (value, path) => wideInteger(value, dtype, (expected) => refuse(path, expected, value));
    case "float32":
    case "float64":
      return (value, path) => {
        if (typeof value === "number") return value;
        throw refuse(path, `a number (${dtype})`, value);
      };
    default: {
      const [least, most] = bounds[dtype] ?? [0, 0];
      return (value, path) => {
        if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most)
          return value as number;
        throw refuse(path, `an integer from ${least} to ${most} (${dtype})`, value);
      };
    }
  }
}

function wideInteger(
  value: unknown,
  dtype: "int64" | "uint64",
  refuse: (expected: string) => InputError,
): bigint {
  if (typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw refuse(
      `an integer below 2^53 (${dtype}), or its digits in quotes, as larger numbers of JSON are not exact`,
    );
  }
  const isDigits = typeof value === "string" && /^-?\d{1,20}$/.test(value);
  if (!isDigits && !Number.isSafeInteger(value)) throw refuse(`an integer (${dtype})`);
  const wide = BigInt(value as string | number);
  const exact = dtype === "int64" ? BigInt.asIntN(64, wide) : BigInt.asUintN(64, wide);
  if (exact === wide) return wide;
  throw refuse(`an integer of 64 bits (${dtype})`);
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function shownValue(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
