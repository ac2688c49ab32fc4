import { type DType, elementCount, tensor, type Tensor } from "@nasty/core";
import {
  floatAttribute,
  floatsAttribute,
  intAttribute,
  intsAttribute,
  type NodeProto,
  tensorAttribute,
  tensorFromProto,
} from "@nasty/formats/onnx";
import { type BuiltNode, type Operator, Refusal } from "../plan/operator.js";
import { checked, checkStatic, checkType, input, integersOf, onlyAttributes } from "./checks.js";
import { emptyTensor, onHost } from "./on-host.js";

/** A node whose results are known when a plan is made. */
const known = (outputs: readonly DType[], host: BuiltNode["host"]): BuiltNode => ({
  outputs,
  host,
  plan() {
    throw new Error("plan: a node whose result is known");
  },
});

const constantValue = (node: NodeProto): Tensor => {
  const name = node.attribute[0]?.name ?? "value";
  switch (name) {
    case "value": {
      const value = tensorAttribute(node, name);
      if (value === undefined) throw new Refusal("attribute value: expected a tensor, got none");
      return tensorFromProto(value);
    }
    case "value_float":
      return tensor("float32", [], Float32Array.of(floatAttribute(node, name, 0)));
    case "value_floats": {
      const values = Float32Array.from(floatsAttribute(node, name, []));
      return tensor("float32", [values.length], values);
    }
    case "value_int":
      return tensor("int64", [], BigInt64Array.of(BigInt(intAttribute(node, name, 0))));
    case "value_ints": {
      const values = BigInt64Array.from(intsAttribute(node, name, []), BigInt);
      return tensor("int64", [values.length], values);
    }
    default:
      throw new Refusal(`attribute ${name}: expected numbers`);
  }
};

const constantNode: Operator = ({ node }) => {
  const value = constantValue(node);
  return known([value.dtype], () => [value]);
};

/** Sizes from `start` to before `end`, as the attributes say. */
const shapeNode: Operator = (open) => {
  onlyAttributes(open, ["start", "end"]);
  input(open, 0);
  const [start, end] = [intAttribute(open.node, "start"), intAttribute(open.node, "end")];
  const node = known(["int64"], ([x]) => {
    const sizes = (x as Tensor).shape.slice(start, end);
    return [tensor("int64", [sizes.length], BigInt64Array.from(sizes, BigInt))];
  });
  return { ...node, isOfShapes: true };
};

const sizeNode: Operator = (open) => {
  input(open, 0);
  const node = known(["int64"], ([x]) => [
    tensor("int64", [], BigInt64Array.of(BigInt(elementCount((x as Tensor).shape)))),
  ]);
  return { ...node, isOfShapes: true };
};

const constantOfShape: Operator = (open) => {
  onlyAttributes(open, ["value"]);
  checkType(open, 0, ["int64"]);
  checkStatic(open, 0);
  const given = tensorAttribute(open.node, "value");
  const value = given === undefined ? tensor("float32", [], new Float32Array(1)) : tensorFromProto(given);
  checked(value.dtype !== "int4" && value.dtype !== "uint4", "attribute value: expected whole bytes");
  return known([value.dtype], ([shape]) => {
    const filled = emptyTensor(value.dtype, integersOf(shape as Tensor));
    (filled.data as Float32Array).fill(value.data[0] as number);
    return [filled];
  });
};

const range: Operator = (open) => {
  for (const index of [0, 1, 2]) {
    checkType(open, index, ["int64", "int32", "float32"]);
    checkStatic(open, index);
  }
  const { dtype } = input(open, 0);
  return known([dtype], (inputs) => {
    const [start, limit, delta] = inputs.map((one) => Number((one as Tensor).data[0])) as [
      number,
      number,
      number,
    ];
    const count = Math.max(0, Math.ceil((limit - start) / delta));
    const result = emptyTensor(dtype, [count]);
    const data = result.data as unknown as (number | bigint)[];
    for (let i = 0; i < count; i++) {
      const value = start + i * delta;
      data[i] = dtype === "int64" ? BigInt(value) : value;
    }
    return [result];
  });
};

/** Sums along an axis up to each element. */
const cumulativeSum: Operator = (open) => {
  onlyAttributes(open, ["exclusive", "reverse"]);
  checkType(open, 0, ["int32", "int64", "float32"]);
  checkStatic(open, 1);
  const { dtype } = input(open, 0);
  const isExclusive = intAttribute(open.node, "exclusive", 0) === 1;
  const isReverse = intAttribute(open.node, "reverse", 0) === 1;
  return onHost(
    [dtype],
    ([x, axisTensor]) => {
      const { shape, data } = x as Tensor;
      const given = Number((axisTensor as Tensor).data[0]);
      const axis = given < 0 ? given + shape.length : given;
      const inner = elementCount(shape.slice(axis + 1));
      const size = shape[axis] ?? 1;
      const result = emptyTensor(dtype, shape);
      const out = result.data as unknown as (number | bigint)[];
      const zero = dtype === "int64" ? 0n : 0;
      for (let i = 0; i < elementCount(shape); i++) {
        const position = Math.floor(i / inner) % size;
        if (position !== 0) continue;
        let sum: number | bigint = zero;
        for (let k = 0; k < size; k++) {
          const at = i + (isReverse ? size - 1 - k : k) * inner;
          const before: number | bigint = sum;
          sum = add(sum, data[at] as number | bigint);
          if (dtype === "float32") sum = Math.fround(sum as number);
          out[at] = isExclusive ? before : sum;
        }
      }
      return [result];
    },
    ([x]) => [(x as { shape: readonly number[] }).shape],
  );
};

const add = (a: number | bigint, b: number | bigint): number | bigint =>
  typeof a === "bigint" ? a + (b as bigint) : a + (b as number);

export const generationOperators: Readonly<Record<string, Operator>> = {
  Constant: constantNode,
  Shape: shapeNode,
  Size: sizeNode,
  ConstantOfShape: constantOfShape,
  Range: range,
  CumSum: cumulativeSum,
};
