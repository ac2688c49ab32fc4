import {
  type AttributeValue,
  type Dimension,
  makeNode,
  makeTensor,
  type NodeProto,
  type TensorProto,
} from "@nasty/formats/onnx";

/**
 * What is known of a value of the graph. The shape is the layer's, batch first; the value itself may lie with time first, as recurrent
 * operators give it, so that layers on top of each other need no transposition between them.
 */
export interface Value {
  readonly name: string;
  /** [batch, time, …, channels] */
  readonly shape: readonly Dimension[];
  readonly dtype: "float32" | "int32";
  readonly layout: "batch-first" | "time-first";
  /** int32 [batch], how many steps of each row are real, where a mask says so. */
  readonly lengths?: string;
  /** The function that was applied last, by its name in TensorFlow. */
  readonly activation?: string;
}

interface PlannedNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  /** Results before `output`, empty ones left out: an LSTM's last state comes second. */
  readonly skipped: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

export interface OpOptions {
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly skipped?: number;
}

/** Collects nodes and weights; what leads to no output is left out at the end. */
export interface GraphWriter {
  /** Adds a node named `NAME/OP`, and returns its output. */
  op(name: string, op: string, inputs: readonly string[], options?: OpOptions): string;
  /** Adds a float32 weight once; a later call with the same name is the same weight. */
  weight(name: string, shape: readonly number[], values: () => Float32Array): string;
  /** int64 numbers that belong to the form of the graph. */
  ints(...values: readonly number[]): string;
  scalar(dtype: "float32" | "int32", value: number): string;
  /** The value in another layout, transposed once. */
  inLayout(value: Value, layout: Value["layout"]): string;
  /** Nodes in an order in which they can run, and their weights, for outputs given as [value, name]. */
  finish(outputs: readonly (readonly [value: string, name: string])[]): {
    readonly nodes: NodeProto[];
    readonly initializers: TensorProto[];
  };
}

export function makeGraphWriter(inputs: ReadonlySet<string>): GraphWriter {
  const nodes: PlannedNode[] = [];
  const initializers = new Map<string, TensorProto>();
  const names = new Set(inputs);
  const turned = new Map<string, string>();

  const unique = (wanted: string): string => {
    let name = wanted;
    for (let i = 1; names.has(name); i++) name = `${wanted}_${i}`;
    names.add(name);
    return name;
  };

  const writer: GraphWriter = {
    op(name, op, from, { attributes = {}, skipped = 0 } = {}) {
      const output = unique(`${name}/${op}`);
      nodes.push({ op, inputs: from, output, skipped, attributes });
      return output;
    },
    weight(name, shape, values) {
      if (!initializers.has(name)) {
        names.add(name);
        initializers.set(name, makeTensor(name, "float32", { values: values(), shape }));
      }
      return name;
    },
    ints(...values) {
      const name = `ints/${values.join(",")}`;
      if (!initializers.has(name)) initializers.set(name, makeTensor(name, "int64", { values }));
      return name;
    },
    scalar(dtype, value) {
      const name = `${dtype}/${value}`;
      if (!initializers.has(name)) {
        initializers.set(name, makeTensor(name, dtype, { values: [value], shape: [] }));
      }
      return name;
    },
    inLayout({ name, layout, shape }, wanted) {
      if (layout === wanted || shape.length < 2) return name;
      const known = turned.get(name);
      if (known !== undefined) return known;
      const perm = shape.map((_, axis) => (axis === 0 ? 1 : axis === 1 ? 0 : axis));
      const other = writer.op(name, "Transpose", [name], { attributes: { perm } });
      turned.set(name, other);
      turned.set(other, name);
      return other;
    },
    finish(outputs) {
      const renamed = new Map<string, string>();
      for (const [value, name] of outputs) {
        const isNode = nodes.some(({ output }) => output === value);
        if (isNode && !renamed.has(value)) renamed.set(value, name);
        // An input given back as it is, or one value under two names.
        else nodes.push({ op: "Identity", inputs: [value], output: name, skipped: 0, attributes: {} });
      }
      const nameOf = (value: string): string => renamed.get(value) ?? value;
      const needed = new Set(outputs.map(([, name]) => name));
      const kept: NodeProto[] = [];
      for (const { op, inputs: from, output, skipped, attributes } of nodes.toReversed()) {
        if (!needed.has(nameOf(output))) continue;
        for (const input of from) needed.add(nameOf(input));
        kept.push(
          makeNode(op, from.map(nameOf), [...Array<string>(skipped).fill(""), nameOf(output)], {
            name: output,
            attributes,
          }),
        );
      }
      return {
        nodes: kept.toReversed(),
        initializers: [...initializers.values()].filter(({ name }) => needed.has(name)),
      };
    },
  };
  return writer;
}

/** A layer's result in the layout of its input; the mask goes on. */
export function following(input: Value, name: string, changed: Partial<Value> = {}): Value {
  const { activation: _activation, ...rest } = input;
  return { ...rest, name, ...changed };
}
