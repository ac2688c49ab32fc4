import { type AttributeProto, copyMessage, type GraphProto, type NodeProto } from "@nasty/formats/onnx";

/** A graph held by an attribute of a node. */
export interface GraphSlot {
  readonly attribute: string;
  /** Position in an attribute that holds a list of graphs. */
  readonly index?: number;
  readonly graph: GraphProto;
}

/** The graphs that a node's attributes hold, in the order of the attributes. */
export const graphSlots = (node: NodeProto): readonly GraphSlot[] => {
  const slots: GraphSlot[] = [];
  for (const { name, g, graphs } of node.attribute) {
    if (g !== undefined) slots.push({ attribute: name, graph: g });
    for (const [index, graph] of graphs.entries()) slots.push({ attribute: name, index, graph });
  }
  return slots;
};

/** A copy of a node with lists of its own; `replace` gives the graphs that stand in for those of its attributes. */
export const copyNode = (node: NodeProto, replace?: (slot: GraphSlot) => GraphProto): NodeProto => {
  const attribute = node.attribute.map((one) => copyAttribute(one, replace));
  return copyMessage(node, { input: [...node.input], output: [...node.output], attribute });
};

const copyAttribute = (
  attribute: AttributeProto,
  replace: ((slot: GraphSlot) => GraphProto) | undefined,
): AttributeProto => {
  if (replace === undefined || (attribute.g === undefined && attribute.graphs.length === 0)) return attribute;
  const { name, g } = attribute;
  return copyMessage(attribute, {
    g: g === undefined ? undefined : replace({ attribute: name, graph: g }),
    graphs: attribute.graphs.map((graph, index) => replace({ attribute: name, index, graph })),
  });
};
