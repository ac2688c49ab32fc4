import * as fc from "fast-check";
import { perBlock, perChannel, perTensor, tensor, type Granularity, type Tensor } from "../src/index.js";

/** Float32 tensors of rank 1 to 3 with a granularity that fits. */
export const tensorWithGranularity: fc.Arbitrary<{ x: Tensor<"float32">; granularity: Granularity }> = fc
  .array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 3 })
  .chain((shape) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const value = fc.float({ min: -1000, max: 1000, noNaN: true });
    const axis = fc.integer({ min: -shape.length, max: shape.length - 1 });
    return fc.record({
      x: fc
        .array(value, { minLength: size, maxLength: size })
        .map((v) => tensor("float32", shape, Float32Array.from(v))),
      granularity: fc.oneof(
        fc.constant(perTensor),
        axis.map(perChannel),
        fc.tuple(axis, fc.integer({ min: 1, max: 8 })).map(([a, size]) => perBlock(a, size)),
      ),
    });
  });

/** The group of every element by the definition of the granularity, computed one element at a time. */
export function groupOfEach(shape: readonly number[], granularity: Granularity): number[] {
  const count = shape.reduce((a, b) => a * b, 1);
  return Array.from({ length: count }, (_, index) => {
    if (granularity.kind === "per-tensor") return 0;
    let rest = index;
    const position = [...shape].reverse().map((size) => {
      const at = rest % size;
      rest = Math.floor(rest / size);
      return at;
    });
    position.reverse();
    const axis = granularity.axis < 0 ? granularity.axis + shape.length : granularity.axis;
    if (granularity.kind === "per-channel") return position[axis] as number;
    let group = 0;
    for (let d = 0; d < shape.length; d++) {
      const along = d === axis;
      const size = along ? Math.ceil((shape[d] as number) / granularity.blockSize) : (shape[d] as number);
      const at = along
        ? Math.floor((position[d] as number) / granularity.blockSize)
        : (position[d] as number);
      group = group * size + at;
    }
    return group;
  });
}
