import { floatAttribute, intAttribute, stringAttribute, stringsAttribute } from "@nasty/formats/onnx";
import type { TfTensor } from "../tensorflow.js";
import { integers, type Operator, type OperatorContext, sequence, unstacked } from "./context.js";
import { product } from "./matrix.js";

/**
 * A layer of long short-term memory in one or two directions, unrolled step by step on the tape.
 *
 * Gates i, o, f, c in the order of ONNX; padded steps keep the states as they were and give zeros.
 */
const lstm: Operator = (c) => {
  const { tf } = c;
  const sides = checkedSides(c);
  const lengths = c.optional(4) === undefined ? undefined : integers(c.input(4));
  const runs = sides.map((backwards, side) => direction(c, { side, backwards, lengths }));
  return [
    tf.stack(
      runs.map(({ y }) => y),
      1,
    ),
    tf.stack(
      runs.map(({ h }) => h),
      0,
    ),
    tf.stack(
      runs.map(({ cell }) => cell),
      0,
    ),
  ];
};

interface Run {
  /** [T, B, H]. */
  readonly y: TfTensor;
  readonly h: TfTensor;
  readonly cell: TfTensor;
}

interface Side {
  readonly side: number;
  readonly backwards: boolean;
  readonly lengths: readonly number[] | undefined;
}

function direction(c: OperatorContext, { side, backwards, lengths }: Side): Run {
  const { tf } = c;
  const x = c.input(0);
  const [steps = 0, batch = 0, width = 0] = x.shape;
  const ofSide = (value: TfTensor): TfTensor =>
    tf.reshape(tf.slice(value, [side], [1]), value.shape.slice(1));
  const [w, r] = [ofSide(c.input(1)), ofSide(c.input(2))];
  const hidden = r.shape[1] as number;
  const recurrent = tf.transpose(r);
  const projected = product(c, tf.reshape(x, [steps * batch, width]), tf.transpose(w));
  const bias = c.optional(3) === undefined ? undefined : ofSide(c.input(3));
  const biased =
    bias === undefined
      ? projected
      : tf.add(
          projected,
          tf.add(tf.slice(bias, [0], [4 * hidden]), tf.slice(bias, [4 * hidden], [4 * hidden])),
        );
  const gatesOf = unstacked(tf, tf.reshape(biased, [steps, batch, 4 * hidden]));

  const initial = (index: number): TfTensor =>
    c.optional(index) === undefined ? tf.zeros([batch, hidden]) : ofSide(c.input(index));
  let [h, cell] = [initial(5), initial(6)];
  const zeros = tf.zeros([batch, hidden]);
  const ys: TfTensor[] = [];
  const order = backwards ? sequence(steps).reverse() : sequence(steps);
  for (const t of order) {
    const gates = tf.add(gatesOf[t] as TfTensor, product(c, h, recurrent, r));
    const open = tf.sigmoid(tf.slice(gates, [0, 0], [batch, 3 * hidden]));
    const [i, o, f] = tf.split(open, 3, 1) as [TfTensor, TfTensor, TfTensor];
    const candidate = tf.tanh(tf.slice(gates, [0, 3 * hidden], [batch, hidden]));
    const nextCell = tf.add(tf.mul(f, cell), tf.mul(i, candidate));
    const next = tf.mul(o, tf.tanh(nextCell));
    const mask = maskAt(c, { t, hidden, lengths });
    if (mask === undefined) [h, cell, ys[t]] = [next, nextCell, next];
    else {
      [h, cell] = [tf.where(mask, next, h), tf.where(mask, nextCell, cell)];
      ys[t] = tf.where(mask, next, zeros);
    }
  }
  return { y: tf.stack(ys, 0), h, cell };
}

/** Which sequences have step t, as [B, H]; undefined if all have. */
function maskAt(
  { tf }: OperatorContext,
  { t, hidden, lengths }: { t: number; hidden: number; lengths: readonly number[] | undefined },
): TfTensor | undefined {
  if (lengths === undefined || lengths.every((length) => t < length)) return undefined;
  const data = new Uint8Array(lengths.length * hidden);
  for (const [row, length] of lengths.entries())
    if (t < length) data.fill(1, row * hidden, (row + 1) * hidden);
  return tf.tensor(data, [lengths.length, hidden], "bool");
}

/** For each side, whether it walks backwards; refuses variants of the operator that are not implemented. */
function checkedSides(c: OperatorContext): readonly boolean[] {
  const { node } = c;
  const name = stringAttribute(node, "direction", "forward");
  const sides = name === "bidirectional" ? [false, true] : [name === "reverse"];
  if (c.optional(7) !== undefined) c.refuse("peephole weights", "none", "an input");
  if (intAttribute(node, "layout", 0) !== 0) c.refuse("layout", "0 (sequence first)", "1");
  if (intAttribute(node, "input_forget", 0) !== 0) c.refuse("input_forget", "0", "1");
  if (floatAttribute(node, "clip", 0) !== 0)
    c.refuse("clip", "none", String(floatAttribute(node, "clip", 0)));
  const plain = sides.flatMap(() => ["Sigmoid", "Tanh", "Tanh"]);
  const activations = stringsAttribute(node, "activations", plain);
  const same = activations.length === plain.length && activations.every((one, i) => one === plain[i]);
  if (!same) c.refuse("activations", plain.join(", "), activations.join(", "));
  return sides;
}

export const recurrentOperators: Readonly<Record<string, Operator>> = { LSTM: lstm };
