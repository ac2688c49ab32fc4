import type { Tensor } from "@nasty/core";
import { intAttribute, stringAttribute, stringsAttribute } from "@nasty/formats/onnx";
import { quantizedRows as rowsBehindParameters } from "../kernels/lstm.js";
import { parameterBytes } from "../kernels/quantize.js";
import type { OpenNode, Operator } from "../plan/operator.js";
import type { Planner } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import { checked, checkType, constant, input, onlyAttributes, weightOf } from "./checks.js";
import { floatStep } from "./float-products.js";
import { centredStride, productStep, quantizedRows } from "./integer-products.js";
import {
  biasOf,
  checkShape,
  type Direction,
  floatWeights,
  integerWeights,
  type LstmWeights,
  type Sizes,
  sizesOfGates,
} from "./lstm-weights.js";

const directionsOf = (open: OpenNode): readonly boolean[] => {
  const direction = stringAttribute(open.node, "direction", "forward");
  switch (direction) {
    case "forward":
      return [false];
    case "reverse":
      return [true];
    case "bidirectional":
      return [false, true];
    default:
      checked(false, `attribute direction: expected forward, reverse or bidirectional, got ${direction}`);
      return [];
  }
};

const checkAttributes = (open: OpenNode, directions: number): void => {
  onlyAttributes(open, ["direction", "hidden_size", "activations", "layout", "input_forget"]);
  const { node } = open;
  const activations = stringsAttribute(node, "activations");
  const usual = Array.from({ length: directions }, () => ["Sigmoid", "Tanh", "Tanh"]).flat();
  checked(
    activations === undefined || activations.join() === usual.join(),
    `attribute activations: expected ${usual.join(", ")}, got ${activations?.join(", ")}`,
  );
  checked(intAttribute(node, "layout", 0) === 0, "attribute layout: expected 0");
  checked(intAttribute(node, "input_forget", 0) === 0, "attribute input_forget: expected 0");
  checked(open.inputs[7] === undefined, "input 7: expected no peepholes");
  checkType(open, 0, ["float32"]);
  checkType(open, 3, ["float32"]);
  checkType(open, 4, ["int32"]);
  checkType(open, 5, ["float32"]);
  checkType(open, 6, ["float32"]);
  input(open, 0);
};

/** What the inputs give to the gates of a direction, [steps·batch, 4·width]. */
const inputProducts = (
  planner: Planner,
  x: Value,
  { rows, weights, sizes }: { rows: number; weights: LstmWeights; sizes: Sizes },
  quantized: ReturnType<typeof quantizedRows> | undefined,
): number => {
  const columns = 4 * sizes.width;
  const to = planner.scratch(rows * columns * 4);
  if (weights.kind === "float") {
    const { at, depth } = weights;
    floatStep(planner, {
      from: planner.address(x),
      rows,
      to,
      weights: { at, depth, columns, scale: 1, bias: 0 },
    });
    return to;
  }
  const left = quantized as NonNullable<typeof quantized>;
  const scales = { left: left.parameters + parameterBytes.scale, columns: weights.scales };
  productStep(planner, { left, weights: weights.packed, rows, to, scales });
  return to;
};

interface Batch {
  readonly steps: number;
  readonly batch: number;
  /** Address of the lengths, 32-bit integers. */
  readonly lengths: number;
}

/** A state [directions, batch, units] in the rows of a direction, [batch, width], or zeros; and back. */
const stateCopies = (
  planner: Planner,
  state: Value | undefined,
  { batch }: Batch,
  { direction, sizes, to }: { direction: number; sizes: Sizes; to: number },
): (() => void) => {
  const { heap } = planner;
  const { units, width } = sizes;
  const from = state === undefined ? undefined : planner.address(state);
  return () => {
    heap.f32.fill(0, to / 4, to / 4 + batch * width);
    if (from === undefined) return;
    for (let row = 0; row < batch; row++) {
      const start = from / 4 + (direction * batch + row) * units;
      heap.f32.copyWithin(to / 4 + row * width, start, start + units);
    }
  };
};

const node =
  (
    sizesOf: (open: OpenNode) => {
      sizes: Sizes;
      directions: readonly Direction[];
      packed: readonly number[];
    },
  ): Operator =>
  (open) => {
    checkAttributes(open, directionsOf(open).length);
    const { sizes, directions, packed } = sizesOf(open);
    const { heap } = open;
    return {
      outputs: ["float32", "float32", "float32"],
      packed,
      plan(planner, [value, , , , lengthsValue, hidden0, cell0]) {
        const x = value as Value;
        const [steps, batch, inputs] = x.shape;
        if (steps === undefined || batch === undefined || inputs !== sizes.inputs)
          throw new RangeError(
            `input 0: shape: expected [steps, batch, ${sizes.inputs}], got [${x.shape.join(", ")}]`,
          );
        if (lengthsValue !== undefined && lengthsValue.shape.join() !== `${batch}`)
          throw new RangeError(`input 4: shape: expected [${batch}], got [${lengthsValue.shape.join(", ")}]`);
        for (const state of [hidden0, cell0])
          if (state !== undefined && state.shape.join() !== `${directions.length},${batch},${sizes.units}`)
            throw new RangeError(`states: shape: expected [${directions.length}, ${batch}, ${sizes.units}]`);
        const lengths =
          lengthsValue === undefined
            ? planner.address({
                dtype: "int32",
                shape: [batch],
                known: { dtype: "int32", shape: [batch], data: new Int32Array(batch).fill(steps) },
              })
            : planner.address(lengthsValue);
        const run: Batch = { steps, batch, lengths };
        const out = planner.result("float32", [steps, directions.length, batch, sizes.units]);
        const lasts = [0, 1].map(() => planner.result("float32", [directions.length, batch, sizes.units]));
        const outBytes = steps * directions.length * batch * sizes.units * 4;
        planner.step(() => {
          const given = heap.i32;
          for (let row = 0; row < batch; row++) {
            const length = given[lengths / 4 + row] as number;
            if (length < 0 || length > steps)
              throw new RangeError(`input 4: length ${row}: expected 0 to ${steps}, got ${length}`);
          }
          heap.u8.fill(0, out.at, out.at + outBytes);
        });
        const isInteger = directions[0]?.input.kind === "integer";
        const quantized = isInteger ? quantizedInputs(planner, x, run) : undefined;
        for (const [index, direction] of directions.entries())
          directionSteps(planner, {
            ...run,
            direction,
            index,
            sizes,
            products: inputProducts(
              planner,
              x,
              { rows: steps * batch, weights: direction.input, sizes },
              quantized,
            ),
            out: out.at + index * batch * sizes.units * 4,
            outStep: directions.length * batch * sizes.units * 4,
            hidden0,
            cell0,
            lasts: lasts.map(({ at }) => at),
          });
        return [out, ...lasts];
      },
    };
  };

/** The inputs of the longest sequence's steps are one range, as in ONNX Runtime; what follows is padding. */
const quantizedInputs = (
  planner: Planner,
  x: Value,
  { steps, batch, lengths }: Batch,
): ReturnType<typeof quantizedRows> => {
  const columns = x.shape[2] as number;
  const stride = centredStride(columns);
  const parameters = planner.scratch(parameterBytes.size);
  const at = planner.scratch(steps * batch * stride);
  const from = planner.address(x);
  const { range, centre } = planner.kernels;
  const { heap } = planner;
  planner.step(() => {
    let longest = 0;
    for (let row = 0; row < batch; row++) longest = Math.max(longest, heap.i32[lengths / 4 + row] as number);
    range(from, longest * batch * columns, parameters);
    centre(from, longest * batch, columns, parameters, at, stride);
  });
  return { at, stride, parameters };
};

interface DirectionRun extends Batch {
  readonly direction: Direction;
  readonly index: number;
  readonly sizes: Sizes;
  readonly products: number;
  readonly out: number;
  readonly outStep: number;
  readonly hidden0: Value | undefined;
  readonly cell0: Value | undefined;
  /** Addresses of the last outputs and states of the cells. */
  readonly lasts: readonly number[];
}

const directionSteps = (planner: Planner, run: DirectionRun): void => {
  const { steps, batch, lengths, direction, index, sizes, products, out, outStep } = run;
  const { units, width } = sizes;
  const { heap } = planner;
  const stateBytes = batch * width * 4;
  const [cell, hidden, current] = [stateBytes, stateBytes, stateBytes].map((bytes) =>
    planner.scratch(bytes),
  ) as [number, number, number];
  const gates = planner.scratch(4 * stateBytes);
  const stride = centredStride(width);
  const room = planner.scratch(rowsBehindParameters + batch * stride);
  const [setHidden, setCell] = [
    stateCopies(planner, run.hidden0, run, { direction: index, sizes, to: hidden }),
    stateCopies(planner, run.cell0, run, { direction: index, sizes, to: cell }),
  ];
  const { recurrent, bias, isBackward } = direction;
  const hasState = run.hidden0 !== undefined;
  const kernel = kernelOf(planner, recurrent);
  const { at, scales, depth } = operandsOf(recurrent);
  planner.step(() => {
    setHidden();
    setCell();
    heap.u8.copyWithin(current, hidden, hidden + stateBytes);
    if (!hasState) heap.u8.fill(0, gates, gates + 4 * stateBytes);
    kernel(
      products,
      at,
      scales,
      bias,
      lengths,
      steps,
      batch,
      units,
      width,
      isBackward ? 1 : 0,
      hasState ? 1 : 0,
      out,
      outStep,
      cell,
      hidden,
      current,
      gates,
      room,
      stride,
      depth,
    );
    for (const [k, from] of [hidden, cell].entries())
      for (let row = 0; row < batch; row++) {
        const to = (run.lasts[k] as number) / 4 + (index * batch + row) * units;
        const start = from / 4 + row * width;
        const isEmpty = (heap.i32[lengths / 4 + row] as number) === 0;
        if (isEmpty) heap.f32.fill(0, to, to + units);
        else heap.f32.copyWithin(to, start, start + units);
      }
  });
};

const kernelOf = ({ kernels }: Planner, { kind }: LstmWeights): ((...values: number[]) => void) =>
  kind === "float" ? kernels.lstmFloat : kernels.lstmInteger;

const operandsOf = (weights: LstmWeights): { at: number; scales: number; depth: number } =>
  weights.kind === "float"
    ? { at: weights.at, scales: 0, depth: weights.depth }
    : { at: weights.packed.at, scales: weights.scales, depth: weights.packed.pairs };

const lstm = node((open) => {
  const [w, r, bias] = [weightOf(open, 1), weightOf(open, 2), constant(open, 3)] as [
    Tensor,
    Tensor,
    Tensor | undefined,
  ];
  checkType(open, 1, ["float32"]);
  checkType(open, 2, ["float32"]);
  const backward = directionsOf(open);
  const units = intAttribute(open.node, "hidden_size", r.shape[2] ?? 0);
  const sizes = sizesOfGates(w.shape[2] ?? 0, units, w.shape[1] ?? 0);
  checkShape("W", w, [backward.length, 4 * units, sizes.inputs]);
  checkShape("R", r, [backward.length, 4 * units, units]);
  checkShape("B", bias, [backward.length, 8 * units]);
  const directions = backward.map((isBackward, index) => ({
    isBackward,
    input: floatWeights(open.heap, w, index, sizes),
    recurrent: floatWeights(open.heap, r, index, sizes),
    bias: biasOf(open.heap, bias, index, sizes),
  }));
  return { sizes, directions, packed: [1, 2, 3] };
});

const dynamicQuantizeLstm = node((open) => {
  const [w, r, bias] = [weightOf(open, 1), weightOf(open, 2), constant(open, 3)] as [
    Tensor,
    Tensor,
    Tensor | undefined,
  ];
  const [wScale, wZero, rScale, rZero] = [8, 9, 10, 11].map((index) => constant(open, index)) as [
    Tensor,
    Tensor | undefined,
    Tensor,
    Tensor | undefined,
  ];
  checkType(open, 1, ["int8", "uint8"]);
  checkType(open, 2, ["int8", "uint8"]);
  checkType(open, 8, ["float32"]);
  checkType(open, 10, ["float32"]);
  checked(
    wScale !== undefined && rScale !== undefined,
    "inputs 8 and 10: expected the scales of the weights",
  );
  const backward = directionsOf(open);
  const units = intAttribute(open.node, "hidden_size", r.shape[1] ?? 0);
  const sizes = sizesOfGates(w.shape[1] ?? 0, units, w.shape[2] ?? 0);
  checkShape("W", w, [backward.length, sizes.inputs, 4 * units]);
  checkShape("R", r, [backward.length, units, 4 * units]);
  checkShape("B", bias, [backward.length, 8 * units]);
  const directions = backward.map((isBackward, index) => ({
    isBackward,
    input: integerWeights(open.heap, { weight: w, scale: wScale, zeroPoint: wZero }, index, sizes),
    recurrent: integerWeights(open.heap, { weight: r, scale: rScale, zeroPoint: rZero }, index, sizes),
    bias: biasOf(open.heap, bias, index, sizes),
  }));
  return { sizes, directions, packed: [1, 2, 3, 8, 9, 10, 11] };
});

export const lstmOperators: Readonly<Record<string, Operator>> = {
  LSTM: lstm,
  "com.microsoft.DynamicQuantizeLSTM": dynamicQuantizeLstm,
};
