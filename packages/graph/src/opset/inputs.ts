import { cast, type Tensor } from "@nasty/core";
import { floatAttribute, intAttribute, intsAttribute } from "@nasty/formats/onnx";
import {
  cannotRaise,
  dropping,
  float32,
  inOrder,
  int64,
  moveToInput,
  type RaisedNode,
  type RaiseRule,
  replaceNode,
  type VersionRule,
} from "./rule.js";

/** A list of integers becomes an input. */
const ints =
  (name: string, index: number): RaiseRule =>
  (raised) => {
    const values = intsAttribute(raised.node, name);
    if (values !== undefined) moveToInput(raised, name, index, int64(values));
  };

/** Bounds and fill values have the type of the data: float32 where it is not known to be another. */
const likeData = ({ node, typeOf }: RaisedNode, value: number): Tensor => {
  const { dtype = "float32" } = typeOf(node.input[0] ?? "");
  return cast(float32([value], []), dtype);
};

const float =
  (name: string, index: number): RaiseRule =>
  (raised) => {
    const value = floatAttribute(raised.node, name);
    if (value !== undefined) moveToInput(raised, name, index, likeData(raised, value));
  };

const pad: RaiseRule = (raised) => {
  ints("pads", 1)(raised);
  float("value", 2)(raised);
};

const slice: RaiseRule = (raised) => {
  const axes = intsAttribute(raised.node, "axes");
  for (const [index, name] of ["starts", "ends"].entries()) ints(name, index + 1)(raised);
  if (axes !== undefined) moveToInput(raised, "axes", 3, int64(axes));
};

const topK: RaiseRule = (raised) => {
  const k = intAttribute(raised.node, "k");
  if (k !== undefined) moveToInput(raised, "k", 1, int64([k]));
};

/**
 * Whether random zeros are drawn was an attribute once; a model that is run draws none. The share stays for who trains.
 */
const dropout: RaiseRule = (raised) => {
  const ratio = floatAttribute(raised.node, "ratio");
  if (ratio !== undefined) moveToInput(raised, "ratio", 1, likeData(raised, ratio));
};

const dft: RaiseRule = (raised) => {
  moveToInput(raised, "axis", 2, int64([intAttribute(raised.node, "axis", 1)], []));
};

const splitParts: RaiseRule = ({ graph, node }) => {
  if ((node.input[1] ?? "") === "") graph.setAttribute(node, "num_outputs", node.output.length);
};

/** The first version of Split took its sizes from an input, which the next did not. */
const splitOfFirst: RaiseRule = (raised) => {
  const { graph, node } = raised;
  const name = node.input[1] ?? "";
  if (name === "") return;
  const sizes = graph.constant(name);
  if (sizes === undefined) throw cannotRaise(raised, "split: expected constant sizes, got computed ones");
  graph.setAttribute(node, "split", { kind: "ints", value: Array.from(sizes.data, Number) });
  replaceNode(raised, { inputs: node.input.slice(0, 1) });
};

const reduced = ["Max", "Mean", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"];

/** Operators that were told which inputs they might write over. */
const overwriting =
  "Abs Add BatchNormalization Ceil Clip Div Dropout Elu Exp Floor HardSigmoid InstanceNormalization LeakyRelu Log Max Mean Min Mul Neg PRelu Reciprocal Relu Selu Sigmoid Sqrt Sub Sum Tanh".split(
    " ",
  );

/** Attributes that became inputs. */
export const inputRules: readonly VersionRule[] = [
  { ops: ["Split"], since: 2, rule: splitOfFirst },
  { ops: ["Reshape"], since: 5, rule: ints("shape", 1) },
  { ops: ["Slice"], since: 10, rule: slice },
  { ops: ["TopK"], since: 10, rule: topK },
  { ops: ["Clip"], since: 11, rule: inOrder(float("min", 1), float("max", 2)) },
  { ops: ["Pad"], since: 11, rule: pad },
  { ops: ["Dropout"], since: 12, rule: dropout },
  { ops: ["Squeeze", "Unsqueeze", "ReduceSum"], since: 13, rule: ints("axes", 1) },
  { ops: ["Split"], since: 13, rule: ints("split", 1) },
  { ops: reduced.map((name) => `Reduce${name}`), since: 18, rule: ints("axes", 1) },
  { ops: ["Split"], since: 18, rule: splitParts },
  { ops: ["DFT"], since: 20, rule: dft },
  {
    ops: overwriting,
    since: 6,
    rule: dropping("consumed_inputs"),
  },
  { ops: ["Reshape"], since: 5, rule: dropping("consumed_inputs") },
  { ops: ["RNN", "LSTM", "GRU"], since: 7, rule: dropping("output_sequence") },
  { ops: ["Dropout"], since: 7, rule: dropping("is_test") },
];
