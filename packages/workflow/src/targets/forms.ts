import { intAttribute, type ModelProto, type NodeProto } from "@nasty/formats/onnx";
import { type Graph, ModelGraph } from "@nasty/graph";

/** Ways to write a quantized operator that not every version of ONNX Runtime has, by name. */
export type FormName = keyof typeof nodeForms | "opset" | "IR version";

/** A node written in such a way; of an operator set or IR version the whole model is. */
export interface FoundForm {
  readonly form: FormName;
  /** Its name, or that of its first output; undefined for the whole model. */
  readonly node: string | undefined;
  /** Version of the operator set or of the IR; undefined of a node. */
  readonly version?: number;
}

type Recognize = (node: NodeProto, graph: Graph) => boolean;

const isMicrosoft = ({ domain, opType }: NodeProto, operator: string): boolean =>
  domain === "com.microsoft" && opType === operator;

const isMatMulOf8Bits: Recognize = (node) =>
  isMicrosoft(node, "MatMulNBits") && intAttribute(node, "bits", 4) === 8;

/** int8 activations, which is what the quantizers write unless told otherwise. */
const int8Level = 4;

const nodeForms = {
  GatherBlockQuantized: (node: NodeProto) => isMicrosoft(node, "GatherBlockQuantized"),
  "GatherBlockQuantized over bytes": (node: NodeProto) =>
    isMicrosoft(node, "GatherBlockQuantized") && node.attribute.some(({ name }) => name === "bits"),
  "MatMulNBits with 8 bits": isMatMulOf8Bits,
  "MatMulNBits with 8 bits and float activations": (node: NodeProto, graph: Graph) =>
    isMatMulOf8Bits(node, graph) && intAttribute(node, "accuracy_level", 0) !== int8Level,
} as const satisfies Record<string, Recognize>;

/** The forms that a model is written in, those of bodies of If, Loop and Scan too. */
export function formsOf(model: ModelProto): readonly FoundForm[] {
  const opened = ModelGraph.from(model);
  const found: FoundForm[] = [
    { form: "opset", node: undefined, version: opened.opset() },
    { form: "IR version", node: undefined, version: opened.irVersion },
  ];
  for (const graph of opened.allGraphs()) {
    for (const node of graph.nodes) {
      for (const [form, recognize] of Object.entries(nodeForms)) {
        if (!(recognize as Recognize)(node, graph)) continue;
        found.push({ form: form as FormName, node: node.name || node.output[0] });
      }
    }
  }
  return found;
}
