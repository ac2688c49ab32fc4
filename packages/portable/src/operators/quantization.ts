import {
  type DequantizableDType,
  dequantizeLinear,
  dynamicQuantizeLinear,
  cast,
  elementCount,
  type Granularity,
  integerRange,
  perBlock,
  perChannel,
  perTensor,
  type QuantizationParameters,
  type QuantizedDType,
  quantizeLinear,
  type Tensor,
  tensor,
  toFloat32,
} from "@nasty/core";
import { dtypeOf, intAttribute } from "@nasty/formats/onnx";
import { parameterBytes } from "../kernels/quantize.js";
import type { BuiltNode, OpenNode, Operator } from "../plan/operator.js";
import { type Planner, sizeOf } from "../plan/planner.js";
import type { Value } from "../plan/value.js";
import { checked, checkType, input, integersOf, onlyAttributes } from "./checks.js";
import { centredStride, takesCentred } from "./integer-products.js";
import { onHost } from "./on-host.js";

/**
 * Whether an output is only read by products that take the zero point of output (or input) `zero` off it: then it is
 * stored without, and the bytes are never written.
 */
const isForProducts = (open: OpenNode, zero: string | undefined): boolean => {
  const readers = open.consumers(0);
  return (
    !open.isGraphOutput(0) &&
    readers.length > 0 &&
    readers.every(
      ({ node, input: place }) =>
        place === 0 && takesCentred(node, open.constantOf) && (node.input[2] || undefined) === zero,
    )
  );
};

/** The quantized values of x by parameters that lie in memory, as they are or less the zero point. */
const quantized = (
  planner: Planner,
  x: Value,
  { dtype, parameters, centred }: { dtype: QuantizedDType; parameters: number; centred: boolean },
): Value => {
  const from = planner.address(x);
  if (!centred) {
    const result = planner.result(dtype, x.shape);
    const [count, run] = [sizeOf(x), planner.kernels.quantize];
    planner.step(() => run(from, count, parameters, result.at));
    return result;
  }
  const columns = x.shape.at(-1) ?? 1;
  const rows = columns === 0 ? 0 : sizeOf(x) / columns;
  const stride = centredStride(columns);
  const result = planner.place(dtype, x.shape, rows * stride);
  const run = planner.kernels.centre;
  planner.step(() => run(from, rows, columns, parameters, result.at, stride));
  return { ...result, centred: stride };
};

const dynamicQuantize: Operator = (open) => {
  onlyAttributes(open, []);
  checkType(open, 0, ["float32"]);
  input(open, 0);
  const centred = isForProducts(open, open.node.output[2]);
  return {
    outputs: ["uint8", "float32", "uint8"],
    host([x]) {
      const { y, scale, zeroPoint } = dynamicQuantizeLinear(x as Tensor<"float32">);
      return [
        y,
        tensor("float32", [], Float32Array.of(scale)),
        tensor("uint8", [], Uint8Array.of(zeroPoint)),
      ];
    },
    plan(planner, [given]) {
      const x = given as Value;
      const block = planner.place("float32", [], parameterBytes.size);
      // Scale and zero point lie in one block.
      block.room.users += 1;
      const [from, count, run] = [planner.address(x), sizeOf(x), planner.kernels.range];
      planner.step(() => run(from, count, block.at));
      const zero: Value = { ...block, dtype: "uint8", at: block.at + parameterBytes.integerZeroPoint };
      return [quantized(planner, x, { dtype: "uint8", parameters: block.at, centred }), block, zero];
    },
  };
};

const granularityOf = ({ node }: OpenNode, scale: Tensor): Granularity => {
  if (elementCount(scale.shape) === 1 && scale.shape.length <= 1) return perTensor;
  const axis = intAttribute(node, "axis", 1);
  return scale.shape.length === 1 ? perChannel(axis) : perBlock(axis, intAttribute(node, "block_size", 0));
};

const parametersOf = (
  open: OpenNode,
  dtype: DequantizableDType,
  [scale, zeroPoint]: readonly [Tensor, Tensor | undefined],
): QuantizationParameters => {
  const scales = toFloat32(scale);
  return {
    dtype: dtype as QuantizedDType,
    granularity: granularityOf(open, scale),
    scale: scales,
    zeroPoint:
      zeroPoint === undefined
        ? new Int32Array(scales.length)
        : Int32Array.from(
            zeroPoint.dtype === "int4" || zeroPoint.dtype === "uint4"
              ? toFloat32(zeroPoint)
              : integersOf(zeroPoint),
          ),
  };
};

const quantizable = ["int8", "uint8", "int4", "uint4", "int16", "uint16"] as const;
const floats = ["float32", "float16"] as const;

const isQuantizable = (dtype: string): dtype is QuantizedDType =>
  (quantizable as readonly string[]).includes(dtype);

const shapeOfFirst = ([x]: readonly (Value | undefined)[]): readonly (readonly number[])[] => [
  (x as Value).shape,
];

const quantize: Operator = (open) => {
  onlyAttributes(open, ["axis", "block_size", "output_dtype", "saturate", "precision"]);
  checkType(open, 0, floats);
  checkType(open, 1, floats);
  checkType(open, 2, quantizable);
  const wanted = intAttribute(open.node, "output_dtype", 0);
  const dtype = open.inputs[2]?.dtype ?? (wanted === 0 ? "uint8" : dtypeOf(wanted));
  checked(isQuantizable(dtype), `attribute output_dtype: expected ${quantizable.join(" or ")}, got ${dtype}`);
  checked(intAttribute(open.node, "precision", 0) <= 1, "attribute precision: expected float32");
  input(open, 0);
  input(open, 1);
  const inJavaScript = onHost(
    [dtype],
    ([x, scale, zero]) => [
      quantizeLinear(
        cast(x as Tensor, "float32"),
        parametersOf(open, dtype as QuantizedDType, [scale as Tensor, zero]),
      ),
    ],
    shapeOfFirst,
  );
  return fastQuantize(open, dtype as QuantizedDType) ?? inJavaScript;
};

/** One weight of a scale and 8 bits: by the kernel. */
const fastQuantize = (open: OpenNode, dtype: QuantizedDType): BuiltNode | undefined => {
  const scale = open.inputs[1]?.constant;
  const zeroPoint = open.inputs[2];
  const isPlain =
    open.inputs[0]?.dtype === "float32" &&
    (dtype === "int8" || dtype === "uint8") &&
    scale !== undefined &&
    scale.dtype === "float32" &&
    elementCount(scale.shape) === 1 &&
    (zeroPoint === undefined || zeroPoint.constant !== undefined);
  if (!isPlain) return undefined;
  const { min, max } = integerRange(dtype);
  const zero = zeroPoint?.constant === undefined ? 0 : Number(zeroPoint.constant.data[0]);
  const parameters = open.heap.reserve(parameterBytes.size);
  open.heap.f32.set([scale.data[0] as number, zero, min - zero, max - zero], parameters / 4);
  open.heap.i32[(parameters + parameterBytes.integerZeroPoint) / 4] = zero;
  const centred = isForProducts(open, open.node.input[2] || undefined);
  return {
    outputs: [dtype],
    host: ([x, given, givenZero]) => [
      quantizeLinear(x as Tensor<"float32">, parametersOf(open, dtype, [given as Tensor, givenZero])),
    ],
    plan: (planner, [x]) => [quantized(planner, x as Value, { dtype, parameters, centred })],
  };
};

const dequantize: Operator = (open) => {
  onlyAttributes(open, ["axis", "block_size", "output_dtype"]);
  checkType(open, 0, [...quantizable, "int32"]);
  checkType(open, 1, floats);
  const { dtype } = input(open, 0);
  const scale = input(open, 1);
  checkType(open, 2, [dtype]);
  const wanted = intAttribute(open.node, "output_dtype", 0);
  const result = wanted === 0 ? scale.dtype : dtypeOf(wanted);
  checked(
    result === "float32" || result === "float16",
    `attribute output_dtype: expected floats, got ${result}`,
  );
  return onHost(
    [result],
    ([x, scales, zero]) => [
      cast(
        dequantizeLinear(
          x as Tensor<DequantizableDType>,
          parametersOf(open, dtype as DequantizableDType, [scales as Tensor, zero]),
        ),
        result,
      ),
    ],
    shapeOfFirst,
  );
};

export const quantizationOperators: Readonly<Record<string, Operator>> = {
  DynamicQuantizeLinear: dynamicQuantize,
  QuantizeLinear: quantize,
  DequantizeLinear: dequantize,
};
