import {
  copyMessage,
  dataTypeName,
  type GraphProto,
  intAttribute,
  type ModelProto,
  type NodeProto,
  TensorProto_DataType as DataType,
  type TensorProto,
  type ValueInfoProto,
} from "@nasty/formats/onnx";
import type { Graph } from "../graph.js";
import { inlineFunctions } from "../functions/inline-functions.js";
import { GraphError } from "../graph-error.js";
import { inferShapes } from "../inference/infer-shapes.js";
import { ModelGraph } from "../model-graph.js";
import { isStandard } from "../operators/traits.js";
import { isHalf, liftedAttributes, liftedTensor, liftedType } from "./lifted-attributes.js";

/** A model that computes in float32, and what was lifted. */
export interface LiftedFloats {
  readonly model: ModelProto;
  /** `float16`, `bfloat16`, or both. */
  readonly from: readonly string[];
  /** Stored tensors that were widened. */
  readonly tensors: number;
}

/**
 * Lets a graph of float16 or bfloat16 compute in float32: weights are widened, which is exact, and casts to 16 bits go.
 *
 * Inputs and outputs of the model keep their types, by a Cast at the boundary, so that callers go on feeding what they
 * fed; other values keep their names. Nested graphs and functions change throughout. Initializers that are listed as
 * inputs become constants. float64 is left as it is.
 *
 * @param model not changed; tensors of other types are shared
 * @returns undefined for a model without 16-bit floats
 * @throws GraphError `unsupported-type` for sequences of 16-bit floats among the model's inputs and outputs, and for
 *   sparse tensors of them; FormatError for a tensor whose bytes are malformed
 */
export function liftToFloat32(model: ModelProto): LiftedFloats | undefined {
  const plain = inlineFunctions(model);
  if (plain.graph === undefined) return undefined;
  const seen: Seen = { from: new Set(), tensors: 0 };
  const graph = liftedGraph(plain.graph, seen);
  const boundary = [...graph.input, ...graph.output].filter(({ name, type }) => isLiftable(name, type, seen));
  if (seen.from.size === 0) return undefined;
  const opened = ModelGraph.from(copyMessage(plain, { graph }), { listedInitializers: "constant" });
  castBoundary(opened.main, new Set(boundary.map(({ name }) => name)));
  dropIdleCasts(opened);
  const from = [...seen.from].sort((a, b) => a - b).map((type) => dataTypeName(type).toLowerCase());
  return { model: opened.toModel(), from, tensors: seen.tensors };
}

interface Seen {
  readonly from: Set<number>;
  tensors: number;
}

const liftedGraph = (graph: GraphProto, seen: Seen, isMain = true): GraphProto => {
  const lift = (tensor: TensorProto): TensorProto => {
    if (!isHalf(tensor.dataType)) return tensor;
    count(tensor, seen);
    return liftedTensor(tensor);
  };
  for (const { values } of graph.sparseInitializer) {
    if (values === undefined || !isHalf(values.dataType)) continue;
    const got = dataTypeName(values.dataType).toLowerCase();
    throw unsupported(values.name, `a sparse tensor of another element type than 16-bit floats`, got);
  }
  const stored = new Set(graph.initializer.map(({ name }) => name));
  const info = (one: ValueInfoProto): ValueInfoProto => liftedInfo(one, seen);
  return copyMessage(graph, {
    initializer: graph.initializer.map(lift),
    node: graph.node.map((node) => liftedNode(node, seen)),
    valueInfo: graph.valueInfo.map(info),
    input: graph.input.map((one) => (!isMain || stored.has(one.name) ? info(one) : one)),
    ...(!isMain && { output: graph.output.map(info) }),
  });
};

const count = (tensor: TensorProto, seen: Seen): void => {
  seen.from.add(tensor.dataType);
  seen.tensors += 1;
};

const liftedInfo = (info: ValueInfoProto, seen: Seen): ValueInfoProto => {
  if (info.type === undefined) return info;
  const type = liftedType(info.type);
  if (type === info.type) return info;
  if (info.type.value.case === "tensorType") seen.from.add(info.type.value.value.elemType);
  return copyMessage(info, { type });
};

const liftedNode = (node: NodeProto, seen: Seen): NodeProto => {
  const to = node.opType === "Cast" && isStandard(node) ? Number(intAttribute(node, "to", 0)) : 0;
  if (isHalf(to)) seen.from.add(to);
  const { attributes, tensors } = liftedAttributes(node);
  for (const tensor of tensors) count(tensor, seen);
  const attribute = attributes.map((one) =>
    one.g === undefined && one.graphs.length === 0
      ? one
      : copyMessage(one, {
          g: one.g === undefined ? undefined : liftedGraph(one.g, seen, false),
          graphs: one.graphs.map((graph) => liftedGraph(graph, seen, false)),
        }),
  );
  return copyMessage(node, { attribute });
};

/** Whether an input or output of the model is a tensor of 16-bit floats. */
const isLiftable = (name: string, type: ValueInfoProto["type"], seen: Seen): boolean => {
  if (type === undefined || liftedType(type) === type) return false;
  if (type.value.case !== "tensorType") {
    throw unsupported(
      name,
      "a tensor at the boundary of the model",
      `a ${type.value.case ?? "value"} of 16-bit floats`,
    );
  }
  seen.from.add(type.value.value.elemType);
  return true;
};

const unsupported = (name: string, expected: string, got: string): GraphError =>
  new GraphError(
    "unsupported-type",
    `liftToFloat32: value ${JSON.stringify(name)}: type: expected ${expected}, got ${got}; export the model in float32`,
    { value: name },
  );

const elemTypeOf = (graph: Graph, name: string): number => {
  const type = graph.declaredType(name)?.type?.value;
  return type?.case === "tensorType" ? type.value.elemType : DataType.FLOAT;
};

/** Casts the model's inputs to float32 and its outputs back. */
const castBoundary = (main: Graph, names: ReadonlySet<string>): void => {
  const inputs = new Set(main.inputs.map(({ name }) => name));
  const [first] = main.nodes;
  for (const { name } of main.inputs) {
    if (!names.has(name)) continue;
    const wide = main.uniqueName(`${name}_float32`);
    main.replaceUses(name, wide);
    const cast = { opType: "Cast", inputs: [name], outputs: [wide], attributes: { to: DataType.FLOAT } };
    main.addNode(cast, first === undefined ? {} : { before: first });
  }
  for (const { name } of main.outputs) {
    if (!names.has(name) || inputs.has(name)) continue;
    const wide = main.uniqueName(`${name}_float32`);
    const to = elemTypeOf(main, name);
    main.replaceUses(name, wide);
    const maker = main.producer(name);
    const stored = main.constant(name);
    if (maker !== undefined) main.setOutput(maker, maker.output.indexOf(name), wide);
    else if (stored !== undefined) {
      main.removeInitializer(name);
      main.setInitializer(wide, stored);
    } else continue;
    main.addNode({ opType: "Cast", inputs: [wide], outputs: [name], attributes: { to } });
  }
};

/** A cast to float32 of what is float32 already stands between a weight and its product. */
const dropIdleCasts = (model: ModelGraph): void => {
  const types = inferShapes(model);
  for (const graph of model.allGraphs()) {
    for (const node of graph.nodes) {
      if (node.opType !== "Cast" || !isStandard(node)) continue;
      const [input = "", output = ""] = [node.input[0], node.output[0]];
      const isIdle =
        Number(intAttribute(node, "to", 0)) === DataType.FLOAT &&
        types.typeOf(graph, input)?.dtype === "float32" &&
        !graph.isOutput(output);
      if (isIdle) graph.bypassNode(node);
    }
  }
};
