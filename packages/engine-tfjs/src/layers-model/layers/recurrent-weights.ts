import type { LayerContext } from "../layer-context.js";

/** A recurrent operator of ONNX and how its weights come out of those of TensorFlow. */
export interface Cell {
  readonly op: "LSTM" | "GRU" | "RNN";
  /** Which gate of TensorFlow stands at each place of ONNX: i f c o against i o f c, z r h in both. */
  readonly gates: readonly number[];
}

export const cells = new Map<string, Cell>(
  Object.entries({
    LSTM: { op: "LSTM", gates: [0, 3, 1, 2] },
    GRU: { op: "GRU", gates: [0, 1, 2] },
    SimpleRNN: { op: "RNN", gates: [0] },
  }),
);

/** Sizes of one direction of a recurrent layer. */
export interface CellSizes {
  readonly inputs: number;
  readonly units: number;
  readonly useBias: boolean;
  /** Whether the recurrent product has a bias of its own: GRU with `reset_after`. */
  readonly twoBiases: boolean;
}

/** Weights of the directions as ONNX has them, one direction after the other. */
export interface RecurrentWeights {
  /** [directions, gates·units, inputs] */
  readonly W: string;
  /** [directions, gates·units, units] */
  readonly R: string;
  /** [directions, 2·gates·units]: of the input, then of the recurrent product. */
  readonly B: string;
}

/** Adds the weights of a layer, `scopes` being one for each direction. */
export function recurrentWeights(
  { writer, weights, scope }: LayerContext,
  cell: Cell,
  scopes: readonly string[],
  { inputs, units, useBias, twoBiases }: CellSizes,
): RecurrentWeights {
  const { gates } = cell;
  const width = gates.length * units;
  const join = (count: number, of: (direction: string) => Float32Array): Float32Array => {
    const all = new Float32Array(scopes.length * count);
    scopes.forEach((direction, d) => all.set(of(direction), d * count));
    return all;
  };
  const matrix = (variable: string, rows: number) => () =>
    join(width * rows, (direction) =>
      gatesFirst(weights.take(direction, variable, [rows, width]), { gates, units, rows }),
    );
  const bias = (): Float32Array =>
    join(2 * width, (direction) => {
      const both = new Float32Array(2 * width);
      if (twoBiases) {
        const given = weights.take(direction, "bias", [2, width]);
        both.set(gatesFirst(given.subarray(0, width), { gates, units, rows: 1 }));
        both.set(gatesFirst(given.subarray(width), { gates, units, rows: 1 }), width);
      } else {
        both.set(gatesFirst(weights.take(direction, "bias", [width]), { gates, units, rows: 1 }));
      }
      return both;
    });
  const directions = scopes.length;
  return {
    W: writer.weight(`${scope}/W`, [directions, width, inputs], matrix("kernel", inputs)),
    R: writer.weight(`${scope}/R`, [directions, width, units], matrix("recurrent_kernel", units)),
    B: useBias ? writer.weight(`${scope}/B`, [directions, 2 * width], bias) : "",
  };
}

/** [rows, gates·units] to [gates·units, rows], gates in another order. */
function gatesFirst(
  values: Float32Array,
  { gates, units, rows }: { gates: readonly number[]; units: number; rows: number },
): Float32Array {
  const width = gates.length * units;
  const out = new Float32Array(values.length);
  gates.forEach((from, to) => {
    for (let unit = 0; unit < units; unit++) {
      const column = from * units + unit;
      const row = to * units + unit;
      for (let i = 0; i < rows; i++) out[row * rows + i] = values[i * width + column] as number;
    }
  });
  return out;
}
