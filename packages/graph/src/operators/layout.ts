import {
  addDims,
  broadcastShapes,
  type Dim,
  divideDims,
  multiplyDims,
  productOfDims,
  subtractDims,
} from "../inference/dims.js";
import type { InferRule, RuleContext, SizeRule } from "../inference/rule.js";
import { all, many, operator, type OperatorSchema } from "./schema.js";
import { axesOf, axisOf, dtypeOnly, unknownDims, withDim } from "./shape-rules.js";

/** Sizes pass through unchanged, as far as the output is still a scalar or a vector. */
export const passSizes: SizeRule = (c) => c.sizes(0);

const vectorOfSizes: SizeRule = (c) => {
  const value = c.sizes(0);
  return value === undefined ? undefined : { scalar: false, elements: value.elements };
};

const shapeElements = (c: RuleContext): readonly Dim[] | undefined => {
  const shape = c.shape(0);
  if (shape === undefined) return undefined;
  // Negative positions and positions past the end mean the same to ONNX and to Array.slice.
  return shape.slice(c.int("start", 0), c.int("end", shape.length));
};

const reshape: InferRule = (c) => {
  const input = c.shape(0);
  const wanted = c.ints("shape") ?? c.sizes(1)?.elements;
  if (wanted === undefined) {
    const rank = c.shape(1)?.[0];
    return [{ dtype: c.dtype(0), shape: typeof rank === "number" ? unknownDims(rank) : undefined }];
  }
  const copiesZero = c.int("allowzero", 0) === 0;
  const copied = (axis: number): boolean => wanted[axis] === 0 && copiesZero;
  const dims = wanted.map((dim, axis) => (copied(axis) ? input?.[axis] : dim));
  const open = dims.indexOf(-1);
  if (open >= 0) {
    // Copied dimensions cancel even if nothing is known about them.
    const total = input && productOfDims(input.filter((_, axis) => !copied(axis)));
    const taken = productOfDims(dims.filter((_, axis) => axis !== open && !copied(axis)));
    dims[open] = divideDims(total, taken);
  }
  return [
    { dtype: c.dtype(0), shape: dims.map((dim) => (typeof dim === "number" && dim < 0 ? undefined : dim)) },
  ];
};

const flatten: InferRule = (c) => {
  const shape = c.shape(0);
  if (shape === undefined) return [{ dtype: c.dtype(0), shape: unknownDims(2) }];
  const axis = c.int("axis", 1);
  const split = axis < 0 ? axis + shape.length : axis;
  return [
    { dtype: c.dtype(0), shape: [productOfDims(shape.slice(0, split)), productOfDims(shape.slice(split))] },
  ];
};

const squeeze: InferRule = (c) => {
  const shape = c.shape(0);
  const list = c.list("axes", 1);
  if (shape === undefined || list === "unknown") return dtypeOnly(c);
  // Without axes every 1 goes, which only sizes that are all known tell.
  if (list === "absent") {
    const known = shape.every((dim) => typeof dim === "number");
    return [{ dtype: c.dtype(0), shape: known ? shape.filter((dim) => dim !== 1) : undefined }];
  }
  const axes = axesOf(list, shape.length);
  if (axes === undefined) return dtypeOnly(c);
  return [{ dtype: c.dtype(0), shape: shape.filter((_, axis) => !axes.includes(axis)) }];
};

const unsqueeze: InferRule = (c) => {
  const shape = c.shape(0);
  const list = c.list("axes", 1);
  if (shape === undefined || typeof list === "string") return dtypeOnly(c);
  const rank = shape.length + list.length;
  const axes = axesOf(list, rank);
  if (axes === undefined) return dtypeOnly(c);
  const rest = [...shape];
  return [
    {
      dtype: c.dtype(0),
      shape: Array.from({ length: rank }, (_, axis) => (axes.includes(axis) ? 1 : rest.shift())),
    },
  ];
};

const transpose: InferRule = (c) => {
  const shape = c.shape(0);
  const perm = c.ints("perm");
  if (shape === undefined) return [{ dtype: c.dtype(0), shape: perm && unknownDims(perm.length) }];
  const order = perm ?? shape.map((_, axis) => shape.length - 1 - axis);
  return [{ dtype: c.dtype(0), shape: order.map((axis) => shape[axis]) }];
};

const concat: InferRule = (c) => {
  const shapes = Array.from({ length: c.inputCount }, (_, index) => c.shape(index));
  const rank = shapes.find((shape) => shape !== undefined)?.length;
  const dtype = c.dtype(0);
  if (rank === undefined) return [{ dtype }];
  const axis = axisOf(c.int("axis", 1), rank);
  if (axis === undefined) return [{ dtype }];
  const dims = unknownDims(rank).map((_, position) => {
    const column = shapes.map((shape) => shape?.[position]);
    if (position === axis) return column.reduce<Dim>(addDims, 0);
    return column.find((dim) => typeof dim === "number") ?? column.find((dim) => dim !== undefined);
  });
  return [{ dtype, shape: dims }];
};

const concatSizes: SizeRule = (c) => {
  const elements: Dim[] = [];
  for (let index = 0; index < c.inputCount; index++) {
    const value = c.sizes(index);
    const length = c.shape(index)?.[0];
    if (value !== undefined) elements.push(...value.elements);
    else if (c.shape(index)?.length === 1 && typeof length === "number" && length <= 64)
      elements.push(...unknownDims(length));
    else return undefined;
  }
  return { scalar: false, elements };
};

const split: InferRule = (c) => {
  const shape = c.shape(0);
  const dtype = c.dtype(0);
  const sizes = c.list("split", 1);
  const count = c.outputCount;
  if (shape === undefined) return Array.from({ length: count }, () => ({ dtype }));
  const axis = axisOf(c.int("axis", 0), shape.length);
  if (axis === undefined) return [];
  const total = shape[axis];
  const parts = c.int("num_outputs", count);
  return Array.from({ length: count }, (_, index) => {
    let size: Dim;
    if (sizes === "absent") {
      const chunk = typeof total === "number" ? Math.ceil(total / parts) : divideDims(total, parts);
      size =
        typeof total === "number" && typeof chunk === "number"
          ? Math.min(chunk, total - chunk * index)
          : chunk;
    } else if (sizes !== "unknown") size = sizes[index];
    return { dtype, shape: withDim(shape, axis, size) };
  });
};

/** Start, end and step of each sliced axis, from attributes (operator set < 10) or inputs. */
const sliceSpans = (
  c: RuleContext,
  rank: number,
): ReadonlyMap<number, readonly [Dim, Dim, Dim]> | undefined => {
  const starts = c.ints("starts") ?? c.sizes(1)?.elements;
  const ends = c.ints("ends") ?? c.sizes(2)?.elements;
  const list = c.list("axes", 3);
  const length = starts?.length ?? ends?.length;
  if (list === "unknown" || (length === undefined && list === "absent")) return undefined;
  const axes = list === "absent" ? Array.from({ length: length ?? 0 }, (_, axis) => axis) : list;
  const steps = c.has(4) ? c.sizes(4)?.elements : axes.map(() => 1);
  const spans = new Map<number, readonly [Dim, Dim, Dim]>();
  for (const [position, axis] of axes.entries()) {
    const positive = axisOf(axis, rank);
    if (positive === undefined) return undefined;
    spans.set(positive, [starts?.[position], ends?.[position], steps?.[position]]);
  }
  return spans;
};

/** Ends of this size and above are how exporters write "to the end". */
const endless = 2 ** 31 - 1;

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

const slicedDim = (dim: Dim, [start, end, step]: readonly [Dim, Dim, Dim]): Dim => {
  if (typeof step !== "number" || step === 0) return undefined;
  if (typeof dim === "number" && typeof start === "number" && typeof end === "number") {
    const from = clamp(start < 0 ? start + dim : start, 0, step > 0 ? dim : dim - 1);
    const to = clamp(end < 0 ? end + dim : end, step > 0 ? 0 : -1, dim);
    return Math.max(0, Math.ceil((to - from) / step));
  }
  if (step !== 1)
    return start === -1 && typeof end === "number" && end < -endless && step === -1 ? dim : undefined;
  const toEnd = typeof end === "number" ? end >= endless : end !== undefined && end === dim;
  if (toEnd && typeof start === "number") return start >= 0 ? subtractDims(dim, start) : undefined;
  if (typeof start === "string" && toEnd) return subtractDims(dim, start);
  // A symbol as end of a slice from 0 is taken to lie within the axis, as masks and position tables are cut.
  if (start === 0 && typeof end === "string") return typeof dim === "number" ? end : undefined;
  if (start === 0 && typeof end === "number" && end < 0) return addDims(dim, end);
  return undefined;
};

const slice: InferRule = (c) => {
  const shape = c.shape(0);
  if (shape === undefined) return dtypeOnly(c);
  const spans = sliceSpans(c, shape.length);
  if (spans === undefined) return [{ dtype: c.dtype(0), shape: unknownDims(shape.length) }];
  const dims = shape.map((dim, axis) => {
    const span = spans.get(axis);
    return span === undefined ? dim : slicedDim(dim, span);
  });
  return [{ dtype: c.dtype(0), shape: dims }];
};

const sliceSizes: SizeRule = (c) => {
  const value = c.sizes(0);
  if (value === undefined || value.scalar) return undefined;
  const span = sliceSpans(c, 1)?.get(0);
  if (span === undefined) return undefined;
  const [start, end, step] = span;
  if (typeof start !== "number" || typeof end !== "number" || (step !== 1 && step !== -1)) return undefined;
  if (step === 1) return { scalar: false, elements: value.elements.slice(start, end) };
  return start === -1 && end < -value.elements.length
    ? { scalar: false, elements: value.elements.toReversed() }
    : undefined;
};

const expand: InferRule = (c) => {
  const wanted = c.sizes(1)?.elements;
  const rank = c.shape(1)?.[0];
  const target = wanted ?? (typeof rank === "number" ? unknownDims(rank) : undefined);
  return [{ dtype: c.dtype(0), shape: broadcastShapes([c.shape(0), target]) }];
};

const expandSizes: SizeRule = (c) => {
  const value = c.sizes(0);
  const wanted = c.sizes(1)?.elements;
  if (value === undefined || wanted?.length !== 1 || value.elements.length !== 1) return undefined;
  const length = wanted[0];
  return typeof length === "number" && length > 0 && length <= 64
    ? { scalar: false, elements: Array.from({ length }, () => value.elements[0]) }
    : undefined;
};

const tile: InferRule = (c) => {
  const shape = c.shape(0);
  const repeats = c.sizes(1)?.elements;
  return [{ dtype: c.dtype(0), shape: shape?.map((dim, axis) => multiplyDims(dim, repeats?.[axis])) }];
};

const pad: InferRule = (c) => {
  const shape = c.shape(0);
  if (shape === undefined) return dtypeOnly(c);
  const pads = c.ints("pads") ?? c.sizes(1)?.elements;
  const list = c.has(3) ? c.list("axes", 3) : "absent";
  if (list === "unknown") return [{ dtype: c.dtype(0), shape: unknownDims(shape.length) }];
  const axes = list === "absent" ? shape.map((_, axis) => axis) : (axesOf(list, shape.length) ?? []);
  const dims = shape.map((dim, axis) => {
    const position = axes.indexOf(axis);
    return position < 0 ? dim : addDims(addDims(dim, pads?.[position]), pads?.[position + axes.length]);
  });
  return [{ dtype: c.dtype(0), shape: dims }];
};

const scale = (dim: Dim, by: number): Dim =>
  by >= 1 ? multiplyDims(dim, by) : divideDims(dim, Math.round(1 / by));

const blocks =
  (factor: (block: number) => readonly [number, number]): InferRule =>
  (c) => {
    const shape = c.shape(0);
    const [channels, space] = factor(c.int("blocksize", 1));
    if (shape?.length !== 4) return dtypeOnly(c);
    return [
      {
        dtype: c.dtype(0),
        shape: [shape[0], scale(shape[1], channels), scale(shape[2], space), scale(shape[3], space)],
      },
    ];
  };

const resize: InferRule = (c) => {
  const shape = c.shape(0);
  if (shape === undefined) return dtypeOnly(c);
  const scales = c.constant(c.opset < 11 ? 1 : 2);
  const sizes = c.sizes(3)?.elements;
  const whole =
    !c.has(3) &&
    scales?.dtype === "float32" &&
    scales.data.length === shape.length &&
    !c.node.attribute.some(({ name }) => name === "axes");
  const dims = shape.map((dim, axis) => {
    if (sizes?.length === shape.length) return sizes[axis];
    if (!whole || scales === undefined) return undefined;
    const scale = Number(scales.data[axis]);
    if (scale === 1) return dim;
    return typeof dim === "number"
      ? Math.floor(dim * scale)
      : Number.isInteger(scale)
        ? multiplyDims(dim, scale)
        : undefined;
  });
  return [{ dtype: c.dtype(0), shape: dims }];
};

/** Operators that only move or select elements by position. */
export const layout: Readonly<Record<string, OperatorSchema>> = {
  Identity: operator(1, 1, (c) => [{ dtype: c.dtype(0), shape: c.shape(0) }], { sizes: passSizes }),
  Shape: operator(
    1,
    1,
    (c) => {
      const elements = shapeElements(c);
      return [{ dtype: "int64", shape: [elements?.length] }];
    },
    {
      sizes: (c) => {
        const elements = shapeElements(c);
        return elements === undefined ? undefined : { scalar: false, elements };
      },
    },
  ),
  Size: operator(1, 1, () => [{ dtype: "int64", shape: [] }], {
    sizes: (c) => {
      const shape = c.shape(0);
      return shape === undefined ? undefined : { scalar: true, elements: [productOfDims(shape)] };
    },
  }),
  Reshape: operator([1, 2], 1, reshape, {
    sizes: (c) => (c.sizes(1)?.elements.length === 1 ? vectorOfSizes(c) : undefined),
  }),
  Flatten: operator(1, 1, flatten),
  Squeeze: operator([1, 2], 1, squeeze, {
    sizes: (c) => {
      const value = c.sizes(0);
      return value?.elements.length === 1 ? { scalar: true, elements: value.elements } : undefined;
    },
  }),
  Unsqueeze: operator([1, 2], 1, unsqueeze, {
    sizes: (c) => {
      const list = c.list("axes", 1);
      return c.sizes(0)?.scalar === true && typeof list !== "string" && list.length === 1
        ? vectorOfSizes(c)
        : undefined;
    },
  }),
  Transpose: operator(1, 1, transpose, { sizes: passSizes }),
  Concat: operator([1, many], 1, concat, { sizes: concatSizes }),
  Split: operator([1, 2], [1, many], split),
  Slice: operator([1, 5], 1, slice, { sizes: sliceSizes }),
  Expand: operator(2, 1, expand, { sizes: expandSizes }),
  Tile: operator([2, 3], 1, tile),
  Pad: operator([1, 4], 1, pad),
  DepthToSpace: operator(
    1,
    1,
    blocks((block) => [1 / block ** 2, block]),
  ),
  SpaceToDepth: operator(
    1,
    1,
    blocks((block) => [block ** 2, 1 / block]),
  ),
  ...all("Resize Upsample", operator([1, 4], 1, resize)),
  ReverseSequence: operator(2, 1, (c) => [{ dtype: c.dtype(0), shape: c.shape(0) }]),
};
