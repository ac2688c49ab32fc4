import {
  type Code,
  copyBytes,
  f32,
  f32x4,
  fillBytes,
  i32,
  type Local,
  type Scope,
  upTo,
  v128,
  type WasmFunction,
  type WasmModule,
  when,
} from "@nasty/core/wasm";
import { sigmoid, tanh } from "./numbers.js";
import { parameterBytes } from "./quantize.js";
import { productMode, storeSome } from "./tile.js";

/*
 * Gates stand in the order of ONNX: input, output, forget, cell. Each takes `width` columns, the number of units
 * rounded up to whole vectors; the columns beyond the units are of weights that are zero.
 */

/** cell(x, recurrent, bias, cell, hidden, out, units, width): one step of one sequence. */
const defineCell = (module: WasmModule): WasmFunction => {
  const parameters = {
    x: "i32",
    recurrent: "i32",
    bias: "i32",
    cell: "i32",
    hidden: "i32",
    out: "i32",
    units: "i32",
    width: "i32",
  } as const;
  return module.define("cell", { parameters }, (f) => {
    const [bytes, offset, value, state] = [f.local("i32"), f.local("i32"), f.local("v128"), f.local("v128")];
    const at = (base: Local, gate = 0): Code =>
      i32.add(i32.add(base.get, offset.get), gate === 0 ? i32.const(0) : i32.mul(bytes.get, i32.const(gate)));
    const gateSum = (gate: number): Code =>
      f32x4.add(
        f32x4.add(v128.load(at(f.x, gate)), v128.load(at(f.recurrent, gate))),
        v128.load(at(f.bias, gate)),
      );
    const [input, output, forget, candidate] = [0, 1, 2, 3].map(gateSum) as [Code, Code, Code, Code];
    const left = i32.sub(f.units.get, i32.shiftRight(offset.get, i32.const(2)));
    return [
      bytes.set(i32.shiftLeft(f.width.get, i32.const(2))),
      upTo(offset, i32.shiftLeft(f.units.get, i32.const(2)), 16, [
        state.set(f32x4.mul(v128.load(at(f.cell)), sigmoid(f, forget))),
        state.set(f32x4.add(state.get, f32x4.mul(sigmoid(f, input), tanh(f, candidate)))),
        v128.store(at(f.cell), state.get),
        value.set(f32x4.mul(sigmoid(f, output), tanh(f, state.get))),
        v128.store(at(f.hidden), value.get),
        storeSome(i32.add(f.out.get, offset.get), value, left),
      ]),
    ];
  });
};

const sequenceParameters = {
  /** [steps, batch, 4·width]: what the inputs give to the gates. */
  x: "i32",
  weights: "i32",
  scales: "i32",
  bias: "i32",
  /** Steps of each sequence, 32-bit integers. */
  lengths: "i32",
  steps: "i32",
  batch: "i32",
  units: "i32",
  width: "i32",
  backward: "i32",
  /** Whether there are outputs before the first step; else `products` are zeros for it, and are not computed. */
  hasState: "i32",
  /** [steps, batch, units] in steps of `outStep` bytes, zeros at first. */
  out: "i32",
  outStep: "i32",
  /** [batch, width]: the state of the cells, and the last outputs, as they are at first; they become the last ones. */
  cell: "i32",
  hidden: "i32",
  /** [batch, width]: the last outputs of the sequences that go on, zeros for the others. */
  current: "i32",
  /** [batch, 4·width] for the products, and room for what they multiply. */
  products: "i32",
  quantized: "i32",
  /** Bytes from row to row there. */
  stride: "i32",
  /** The depth of the packed weights. */
  depth: "i32",
} as const;

type SequenceScope = Scope & { readonly [K in keyof typeof sequenceParameters]: Local };

/**
 * lstm(…): one direction over a batch of sequences.
 *
 * @param multiply writes the products of the current outputs with the weights
 */
const defineSequence = (
  module: WasmModule,
  name: string,
  cell: WasmFunction,
  multiply: (f: SequenceScope) => Code,
): void => {
  module.define(name, { parameters: sequenceParameters }, (f) => {
    const [step, row, time, length] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    const [current, bytes] = [f.local("i32"), f.local("i32")];
    const rowOf = (base: Local, size: Code): Code => i32.add(base.get, i32.mul(row.get, size));
    const gateBytes = i32.shiftLeft(bytes.get, i32.const(2));
    const place = i32.add(i32.mul(time.get, f.batch.get), row.get);
    const unitBytes = i32.shiftLeft(f.units.get, i32.const(2));
    return [
      bytes.set(i32.shiftLeft(f.width.get, i32.const(2))),
      upTo(step, f.steps.get, 1, [
        when(i32.or(step.get, f.hasState.get), multiply(f)),
        row.set(i32.const(0)),
        upTo(row, f.batch.get, 1, [
          length.set(i32.load(i32.add(f.lengths.get, i32.shiftLeft(row.get, i32.const(2))))),
          current.set(rowOf(f.current, bytes.get)),
          when(
            i32.less(step.get, length.get),
            [
              time.set(step.get),
              when(f.backward.get, time.set(i32.sub(i32.sub(length.get, i32.const(1)), step.get))),
              cell(
                i32.add(f.x.get, i32.mul(place, gateBytes)),
                rowOf(f.products, gateBytes),
                f.bias.get,
                rowOf(f.cell, bytes.get),
                current.get,
                i32.add(i32.add(f.out.get, i32.mul(time.get, f.outStep.get)), i32.mul(row.get, unitBytes)),
                f.units.get,
                f.width.get,
              ),
              when(
                i32.equal(i32.add(step.get, i32.const(1)), length.get),
                copyBytes(rowOf(f.hidden, bytes.get), current.get, bytes.get),
              ),
            ],
            fillBytes(current.get, i32.const(0), bytes.get),
          ),
        ]),
      ]),
    ];
  });
};

/**
 * lstmInteger and lstmFloat: with recurrent weights that are packed as 16 bits, whose operand is quantized anew at each
 * step, over all sequences of the batch, or of float32.
 */
export const defineLstm = (
  module: WasmModule,
  kernels: Readonly<Record<"range" | "centre" | "wideProduct" | "floatProduct", WasmFunction>>,
): void => {
  const cell = defineCell(module);
  const columns = (f: SequenceScope): Code => i32.shiftLeft(f.width.get, i32.const(2));
  const rowBytes = (f: SequenceScope): Code => i32.shiftLeft(f.width.get, i32.const(4));
  defineSequence(module, "lstmInteger", cell, (f) => {
    // The parameters of the quantization lie in front of the quantized rows.
    const parameters = f.quantized.get;
    const rows = i32.add(f.quantized.get, i32.const(quantizedRows));
    return [
      kernels.range(f.current.get, i32.mul(f.batch.get, f.width.get), parameters),
      kernels.centre(f.current.get, f.batch.get, f.width.get, parameters, rows, f.stride.get),
      kernels.wideProduct(
        rows,
        f.stride.get,
        f.weights.get,
        f.depth.get,
        f.batch.get,
        columns(f),
        f.products.get,
        rowBytes(f),
        f32.load(parameters, parameterBytes.scale),
        f.scales.get,
        i32.const(0),
        i32.const(productMode.scaled),
      ),
    ];
  });
  defineSequence(module, "lstmFloat", cell, (f) =>
    kernels.floatProduct(
      f.current.get,
      i32.shiftLeft(f.width.get, i32.const(2)),
      f.weights.get,
      f.depth.get,
      f.batch.get,
      columns(f),
      f.products.get,
      rowBytes(f),
      f32.const(1),
      i32.const(0),
      i32.const(0),
      i32.const(productMode.scaled),
    ),
  );
};

/** Bytes from the parameters of quantized rows to the rows. */
export const quantizedRows = 32;
