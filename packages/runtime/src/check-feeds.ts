import { elementCount, storageLength, type Tensor } from "@nasty/core";
import { RuntimeError } from "./runtime-error.js";
import type { ValueInfo } from "./session.js";

const list = (names: readonly string[]): string => (names.length === 0 ? "none" : names.join(", "));

const shapeText = (shape: readonly (number | string)[]): string =>
  `[${shape.map((size) => (size === "" ? "?" : size)).join(", ")}]`;

const checkShape = (input: ValueInfo, feed: Tensor): void => {
  const { name, shape } = input;
  const fits =
    // The runtime reports a scalar and an unknown rank alike as []; which of the two it is, only it knows.
    shape.length === 0 ||
    (feed.shape.length === shape.length &&
      shape.every((size, axis) => typeof size === "string" || size === feed.shape[axis]));
  if (!fits) {
    throw new RuntimeError(
      "wrong-shape",
      `run: input ${name}: shape: expected ${shapeText(shape)}, got ${shapeText(feed.shape)}`,
      { value: name },
    );
  }
  const length = storageLength(feed.dtype, elementCount(feed.shape));
  if (feed.data.length !== length) {
    throw new RuntimeError(
      "wrong-shape",
      `run: input ${name}: data length: expected ${length} for shape ${shapeText(feed.shape)}, got ${feed.data.length}`,
      { value: name },
    );
  }
};

/**
 * Checks names, element types and shapes of feeds against what the model declares.
 *
 * @throws RuntimeError `unknown-input`, `missing-input`, `wrong-dtype`, `wrong-shape`; messages list expected and got.
 */
export const checkFeeds = (inputs: readonly ValueInfo[], feeds: Readonly<Record<string, Tensor>>): void => {
  const expected = inputs.map((input) => input.name);
  const got = Object.keys(feeds);
  const unknown = got.find((name) => !expected.includes(name));
  if (unknown !== undefined) {
    throw new RuntimeError(
      "unknown-input",
      `run: input ${unknown}: no such input: expected ${list(expected)}, got ${list(got)}`,
      { value: unknown },
    );
  }
  for (const input of inputs) {
    const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
    if (feed === undefined) {
      throw new RuntimeError(
        "missing-input",
        `run: input ${input.name}: not fed: expected ${list(expected)}, got ${list(got)}`,
        { value: input.name },
      );
    }
    if (feed.dtype !== input.dtype) {
      throw new RuntimeError(
        "wrong-dtype",
        `run: input ${input.name}: element type: expected ${input.dtype}, got ${feed.dtype}`,
        { value: input.name },
      );
    }
    checkShape(input, feed);
  }
};

/** @throws RuntimeError `unknown-output` naming the outputs that exist. */
export const checkOutputs = (outputs: readonly ValueInfo[], wanted: readonly string[]): void => {
  const existing = outputs.map((output) => output.name);
  const unknown = wanted.find((name) => !existing.includes(name));
  if (unknown !== undefined) {
    throw new RuntimeError(
      "unknown-output",
      `run: output ${unknown}: no such output: expected some of ${list(existing)}, got ${list(wanted)}`,
      { value: unknown },
    );
  }
};

/**
 * Checks tensors that results are written into.
 *
 * @throws RuntimeError `unknown-output` for one that is not wanted, `wrong-dtype`, `wrong-shape` for storage of another
 *   length than its shape needs.
 */
export const checkOut = (
  outputs: readonly ValueInfo[],
  wanted: readonly string[],
  out: Readonly<Record<string, Tensor>>,
): void => {
  for (const [name, { dtype, shape, data }] of Object.entries(out)) {
    if (!wanted.includes(name)) {
      throw new RuntimeError(
        "unknown-output",
        `run: out ${name}: not computed: expected some of ${list(wanted)}, got ${name}`,
        { value: name },
      );
    }
    const declared = outputs.find((output) => output.name === name)?.dtype;
    // Elements of 4 bits go through the binding as bytes, so they cannot be written in place.
    if (dtype !== declared || dtype === "int4" || dtype === "uint4") {
      throw new RuntimeError(
        "wrong-dtype",
        `run: out ${name}: element type: expected ${declared === "int4" || declared === "uint4" ? "one of at least 8 bits" : declared}, got ${dtype}`,
        { value: name },
      );
    }
    const length = storageLength(dtype, elementCount(shape));
    if (data.length !== length) {
      throw new RuntimeError(
        "wrong-shape",
        `run: out ${name}: data length: expected ${length} for shape ${shapeText(shape)}, got ${data.length}`,
        { value: name },
      );
    }
  }
};
