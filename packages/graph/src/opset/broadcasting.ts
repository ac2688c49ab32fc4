import { intAttribute } from "@nasty/formats/onnx";
import { cannotRaise, dropping, type RaisedNode, type RaiseRule, type VersionRule } from "./rule.js";

/** Puts trailing axes of size 1 after those of an operand, so that its axes meet those of the other. */
function widen(raised: RaisedNode, index: number, rank: number, count: number): void {
  const { graph, node } = raised;
  const name = node.input[index] ?? "";
  const made = graph.uniqueName(`${name}/wide`);
  const axes = Array.from({ length: count }, (_, axis) => rank + axis);
  graph.addNode(
    { opType: "Unsqueeze", inputs: [name], outputs: [made], attributes: { axes } },
    { before: node },
  );
  graph.setInput(node, index, made);
}

/** B met the axes of A from `axis` on; from version 7 it meets the last ones. */
const explicitAxis: RaiseRule = (raised) => {
  const { node, typeOf } = raised;
  const axis = intAttribute(node, "axis");
  if (intAttribute(node, "broadcast", 0) !== 0 && axis !== undefined) {
    const [a, b] = [typeOf(node.input[0] ?? "").shape?.length, typeOf(node.input[1] ?? "").shape?.length];
    if (b !== 0) {
      if (a === undefined || b === undefined) {
        throw cannotRaise(
          raised,
          "broadcasting from an axis: expected operands of known rank, got an unknown one",
        );
      }
      const missing = a - b - (axis < 0 ? axis + a : axis);
      if (missing > 0) widen(raised, 1, b, missing);
    }
  }
  dropping("axis", "broadcast")(raised);
};

/** A slope a channel met axis 1; from version 7 it meets the last one. */
const slope: RaiseRule = (raised) => {
  const { node, typeOf } = raised;
  const shape = typeOf(node.input[1] ?? "").shape;
  if (shape?.length !== 1 || shape[0] === 1) return;
  const rank = typeOf(node.input[0] ?? "").shape?.length;
  if (rank === undefined)
    throw cannotRaise(raised, "slope: expected an input of known rank, got an unknown one");
  if (rank > 2) widen(raised, 1, 1, rank - 2);
};

/** How operands of unlike shapes met before version 7. */
export const broadcastingRules: readonly VersionRule[] = [
  {
    ops: ["Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less"],
    since: 7,
    rule: explicitAxis,
  },
  { ops: ["PRelu"], since: 7, rule: slope },
  { ops: ["Gemm"], since: 7, rule: dropping("broadcast") },
];
