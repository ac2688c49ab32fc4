/** A dense row-major array of float64; the reference that gradients are checked against uses nothing else. */
export interface Nd {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
export const nd = (shape: readonly number[], data: ArrayLike<number>): Nd => ({
  shape,
  data: Float64Array.from(data),
});
export const at = (x: Nd, i: number): number => x.data[i] as number;

export function strides(shape: readonly number[]): number[] {
  const out = shape.map(() => 1);
  for (let i = shape.length - 2; i >= 0; i--) out[i] = (out[i + 1] as number) * (shape[i + 1] as number);
  return out;
}

/** An array of a shape, each element a function of its index. */
export function build(shape: readonly number[], f: (index: readonly number[]) => number): Nd {
  const index = shape.map(() => 0);
  const data = new Float64Array(size(shape));
  for (let k = 0; k < data.length; k++) {
    data[k] = f(index);
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d] = (index[d] as number) + 1;
      if ((index[d] as number) < (shape[d] as number)) break;
      index[d] = 0;
    }
  }
  return { shape, data };
}

export function read(x: Nd, index: readonly number[]): number {
  const s = strides(x.shape);
  let offset = 0;
  for (let d = 0; d < s.length; d++) offset += (index[d] as number) * (s[d] as number);
  return at(x, offset);
}

export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) =>
    shapes.reduce((size, shape) => {
      const own = shape[i - rank + shape.length] ?? 1;
      return size === 1 ? own : size;
    }, 1),
  );
}

/** Reads an array as if it were broadcast to a shape of higher or equal rank. */
export function readBroadcast(x: Nd, index: readonly number[]): number {
  const from = index.length - x.shape.length;
  return read(
    x,
    x.shape.map((length, d) => (length === 1 ? 0 : (index[from + d] as number))),
  );
}

export function mapAll(inputs: readonly Nd[], f: (values: readonly number[]) => number): Nd {
  return build(broadcastShape(inputs.map(({ shape }) => shape)), (index) =>
    f(inputs.map((x) => readBroadcast(x, index))),
  );
}

export function reduce(
  x: Nd,
  { axes, keep, f }: { axes: readonly number[]; keep: boolean; f: (values: number[]) => number },
): Nd {
  const rank = x.shape.length;
  const over = new Set(
    (axes.length === 0 ? x.shape.map((_, i) => i) : axes).map((a) => (a < 0 ? a + rank : a)),
  );
  const kept = x.shape.map((length, i) => (over.has(i) ? 1 : length));
  const groups = Array.from({ length: size(kept) }, (): number[] => []);
  const s = strides(kept);
  build(x.shape, (index) => {
    const group = index.reduce((sum, value, d) => sum + (over.has(d) ? 0 : value * (s[d] as number)), 0);
    groups[group]?.push(read(x, index));
    return 0;
  });
  return nd(keep ? kept : kept.filter((_, i) => !over.has(i)), groups.map(f));
}

export function transpose(x: Nd, perm: readonly number[]): Nd {
  return build(
    perm.map((p) => x.shape[p] as number),
    (index) => {
      const source = x.shape.map(() => 0);
      for (const [i, p] of perm.entries()) source[p] = index[i] as number;
      return read(x, source);
    },
  );
}

export function matmul(a: Nd, b: Nd): Nd {
  const left = a.shape.length === 1 ? nd([1, ...a.shape], a.data) : a;
  const right = b.shape.length === 1 ? nd([...b.shape, 1], b.data) : b;
  const batch = broadcastShape([left.shape.slice(0, -2), right.shape.slice(0, -2)]);
  const inner = left.shape.at(-1) as number;
  const full = build([...batch, left.shape.at(-2) as number, right.shape.at(-1) as number], (index) => {
    const [row = 0, column = 0] = index.slice(-2);
    const of = (x: Nd, i: number, j: number): number => {
      const own = x.shape.slice(0, -2);
      const outer = index.slice(0, -2).slice(batch.length - own.length);
      return read(x, [...own.map((length, d) => (length === 1 ? 0 : (outer[d] as number))), i, j]);
    };
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += of(left, row, k) * of(right, k, column);
    return sum;
  });
  const shape = [...full.shape];
  if (b.shape.length === 1) shape.pop();
  if (a.shape.length === 1) shape.splice(shape.length - (b.shape.length === 1 ? 1 : 2), 1);
  return nd(shape, full.data);
}

/** A function of the vectors along an axis. */
export function alongAxis(x: Nd, axis: number, f: (values: number[]) => number[]): Nd {
  const last = axis < 0 ? axis + x.shape.length : axis;
  const perm = [...x.shape.map((_, i) => i).filter((i) => i !== last), last];
  const moved = transpose(x, perm);
  const length = x.shape[last] as number;
  const out = new Float64Array(moved.data.length);
  for (let k = 0; k < out.length; k += length) out.set(f(Array.from(moved.data.subarray(k, k + length))), k);
  return transpose(
    nd(moved.shape, out),
    perm.map((_, i) => perm.indexOf(i)),
  );
}
