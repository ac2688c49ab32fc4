import {
  type AttributeProto,
  copyMessage,
  type FunctionProto,
  type GraphProto,
  makeNode,
  type NodeProto,
  type ValueInfoProto,
} from "@nasty/formats/onnx";
import type { NameRegistry } from "../name-registry.js";

/** The body of a function for one call of it. */
export interface Instance {
  readonly nodes: readonly NodeProto[];
  readonly valueInfo: readonly ValueInfoProto[];
}

/** What a name of the body is called in the graph of the call; an empty name leaves an optional value out. */
interface Scope {
  readonly own: ReadonlyMap<string, string>;
  readonly outer: Scope | undefined;
}

interface Call {
  readonly names: NameRegistry;
  /** What new names begin with. */
  readonly prefix: string;
  /** The values of the function's attributes in this call. */
  readonly bound: ReadonlyMap<string, AttributeProto>;
}

/** New names are made of that of the call and that of the body: with long ones a small file could grow to gigabytes. */
const longest = 200;
const cut = (name: string): string => (name.length > longest ? name.slice(0, longest) : name);

const uniqueIn = ({ names, prefix }: Call, name: string): string =>
  names.unique(cut(prefix === "" ? name : `${prefix}/${cut(name)}`));

/**
 * Copies the body of a function for one call: values and nodes get names that nothing else has, inputs and outputs
 * those of the call, and attributes that refer to the function's get their value, its default or nothing.
 *
 * Graphs in the body see the values around them; what they define themselves is renamed too, so that it hides no value
 * of the caller.
 */
export function instantiate(body: FunctionProto, node: NodeProto, names: NameRegistry): Instance {
  const bound = new Map<string, AttributeProto>();
  for (const attribute of [...body.attributeProto, ...node.attribute]) bound.set(attribute.name, attribute);
  const call: Call = { names, prefix: cut(node.name || (node.output[0] ?? "")), bound };

  const renamed = new Map<string, string>();
  for (const [index, name] of body.input.entries()) renamed.set(name, node.input[index] ?? "");
  const made = new Set(body.node.flatMap(({ output }) => output));
  made.delete("");
  const copies: NodeProto[] = [];
  for (const [index, name] of body.output.entries()) {
    const wanted = node.output[index] ?? "";
    if (wanted === "") continue;
    // An input that is handed out as it is, or a value that is handed out twice, needs a node to get the other name.
    if (made.has(name) && !renamed.has(name)) renamed.set(name, wanted);
    else
      copies.push(
        makeNode("Identity", [renamed.get(name) ?? name], [wanted], { name: uniqueIn(call, "Identity") }),
      );
  }
  for (const name of made) if (!renamed.has(name)) renamed.set(name, uniqueIn(call, name));
  const scope: Scope = { own: renamed, outer: undefined };
  return {
    nodes: [...body.node.map((one) => nodeOf(one, scope, call)), ...copies],
    valueInfo: body.valueInfo.flatMap((info) => {
      const name = made.has(info.name) ? (renamed.get(info.name) ?? "") : "";
      return name === "" ? [] : [withoutSymbols(copyMessage(info, { name }))];
    }),
  };
}

/** A name that the body does not define stays: validation says that it is missing. */
const meaningOf = (name: string, scope: Scope | undefined): string => {
  for (let at = scope; at !== undefined; at = at.outer) {
    const meaning = at.own.get(name);
    if (meaning !== undefined) return meaning;
  }
  return name;
};

const nodeOf = (node: NodeProto, scope: Scope, call: Call): NodeProto => {
  const input = node.input.map((name) => meaningOf(name, scope));
  const output = node.output.map((name) => meaningOf(name, scope));
  const attribute = node.attribute.flatMap((one) => attributeOf(one, scope, call));
  const name = node.name === "" ? "" : uniqueIn(call, node.name);
  return copyMessage(node, { input, output, attribute, name });
};

const attributeOf = (attribute: AttributeProto, scope: Scope, call: Call): readonly AttributeProto[] => {
  if (attribute.refAttrName !== "") {
    const value = call.bound.get(attribute.refAttrName);
    return value === undefined ? [] : [copyMessage(value, { name: attribute.name })];
  }
  if (attribute.g === undefined && attribute.graphs.length === 0) return [attribute];
  return [
    copyMessage(attribute, {
      g: attribute.g === undefined ? undefined : graphOf(attribute.g, scope, call),
      graphs: attribute.graphs.map((graph) => graphOf(graph, scope, call)),
    }),
  ];
};

const graphOf = (graph: GraphProto, outer: Scope, call: Call): GraphProto => {
  const own = new Map<string, string>();
  const defined = [
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.sparseInitializer.map(({ values }) => values?.name ?? ""),
    ...graph.node.flatMap(({ output }) => output),
  ];
  for (const name of defined) if (name !== "" && !own.has(name)) own.set(name, uniqueIn(call, name));
  const scope: Scope = { own, outer };
  const renamed = <M extends ValueInfoProto>(info: M): M =>
    copyMessage<ValueInfoProto>(info, { name: meaningOf(info.name, scope) }) as M;
  return copyMessage(graph, {
    node: graph.node.map((node) => nodeOf(node, scope, call)),
    input: graph.input.map(renamed),
    output: graph.output.map(renamed),
    valueInfo: graph.valueInfo.map(renamed),
    initializer: graph.initializer.map((tensor) =>
      copyMessage(tensor, { name: meaningOf(tensor.name, scope) }),
    ),
    sparseInitializer: graph.sparseInitializer.map((sparse) =>
      sparse.values === undefined
        ? sparse
        : copyMessage(sparse, {
            values: copyMessage(sparse.values, { name: meaningOf(sparse.values.name, scope) }),
          }),
    ),
    quantizationAnnotation: [],
  });
};

/** Names of dimensions are those of the function: in the graph of the call the same name may stand for another size. */
const withoutSymbols = (info: ValueInfoProto): ValueInfoProto => {
  const tensorType = info.type?.value;
  if (info.type === undefined || tensorType?.case !== "tensorType" || tensorType.value.shape === undefined) {
    return info;
  }
  const { shape } = tensorType.value;
  const dim = shape.dim.map((one) =>
    one.value.case === "dimParam" ? copyMessage(one, { value: { case: undefined } }) : one,
  );
  const value = copyMessage(tensorType.value, { shape: copyMessage(shape, { dim }) });
  return copyMessage(info, { type: copyMessage(info.type, { value: { case: "tensorType", value } }) });
};
