import { isStandard } from "@nasty/graph";
import { elementCount } from "@nasty/core";
import type { NodeProto } from "@nasty/formats/onnx";
import { nodeLabel } from "../plan/weight-sites.js";
import { shapeOf } from "./head-axis.js";
import type { SizedReshape } from "./resize-reshape.js";
import {
  isOwn,
  keepsLastAxis,
  matrixOf,
  type Mismatch,
  type Projection,
  projectionOf,
  type TypedGraph,
  withBiasAfter,
} from "./trace.js";

/** A constant with an entry for each neuron along its last axis. */
export interface PerNeuronInput {
  readonly node: NodeProto;
  readonly index: number;
}

/**
 * Two products with only element-wise operators between them: neuron i is column i of the first and row i of the
 * second.
 */
export interface FeedForwardBlock {
  readonly neurons: number;
  /** One first product, or several where one gates another. */
  readonly ups: readonly Projection[];
  readonly down: Projection;
  /** Biases and other vectors between the two. */
  readonly perNeuron: readonly PerNeuronInput[];
  /** Reshapes between the two that keep the neurons' axis: rows [batch·length, neurons] and back. */
  readonly reshapes: readonly SizedReshape[];
}

export interface FeedForwardSite {
  /** Label of the second product. */
  readonly name: string;
  readonly found: FeedForwardBlock | Mismatch;
}

const elementwise = new Set([
  "Abs",
  "Add",
  "Cast",
  "Celu",
  "Clip",
  "Div",
  "Dropout",
  "Elu",
  "Erf",
  "Exp",
  "Gelu",
  "HardSigmoid",
  "HardSwish",
  "Identity",
  "LeakyRelu",
  "Log",
  "Max",
  "Min",
  "Mish",
  "Mul",
  "Neg",
  "Pow",
  "Relu",
  "Selu",
  "Sigmoid",
  "Softplus",
  "Softsign",
  "Sqrt",
  "Sub",
  "Swish",
  "Tanh",
  "ThresholdedRelu",
]);

/** ONNX Runtime's own element-wise activations. */
const contributed = new Set(["Gelu", "FastGelu", "QuickGelu"]);

const isElementwise = (node: NodeProto): boolean =>
  isStandard(node)
    ? elementwise.has(node.opType)
    : node.domain === "com.microsoft" && contributed.has(node.opType);

/**
 * Finds feed-forward layers: a product with a constant matrix, an activation in any decomposition (Relu, Gelu by Erf or
 * Tanh, gated ones), and another product with a constant matrix.
 */
export function findFeedForward(typed: TypedGraph): FeedForwardSite[] {
  const sites: FeedForwardSite[] = [];
  for (const node of typed.graph.nodes) {
    const down = matrixOf(typed.graph, node) === undefined ? undefined : withBiasAfter(typed.graph, node);
    const found = down === undefined ? undefined : blockBefore(typed, down);
    if (found !== undefined) {
      sites.push({ name: nodeLabel(node), found });
    }
  }
  return sites;
}

interface Region {
  readonly nodes: Set<NodeProto>;
  readonly ups: Map<NodeProto, Projection>;
  readonly perNeuron: PerNeuronInput[];
  readonly reshapes: SizedReshape[];
}

/** Undefined where no feed-forward layer is; a reason where one is that cannot be made smaller. */
function blockBefore(typed: TypedGraph, down: Projection): FeedForwardBlock | Mismatch | undefined {
  const region: Region = { nodes: new Set(), ups: new Map(), perNeuron: [], reshapes: [] };
  const neurons = down.inputs;
  // Without an activation in between, two products are one.
  const first = typed.graph.producer(down.input);
  if (first === undefined || !collect(typed, down.input, neurons, region)) {
    return undefined;
  }
  const ups = [...region.ups.values()];
  const idle = ups.filter(({ bias }) => bias !== undefined).length + region.reshapes.length;
  if (ups.length === 0 || region.nodes.size === idle) {
    return undefined;
  }
  const weights = [...ups, down].map(({ weight }) => weight);
  if (
    new Set(weights.map(({ name }) => name)).size < weights.length ||
    weights.some((weight) => !isOwn(weight))
  ) {
    return { reason: "its weights are read elsewhere too" };
  }
  const leak = leakOf(typed, region, down.matMul);
  return leak === undefined
    ? { neurons, ups, down, perNeuron: region.perNeuron, reshapes: region.reshapes }
    : { reason: `its inner value ${leak} is read elsewhere too` };
}

/** Walks up from a value through element-wise nodes; false as soon as something else is met. */
function collect(typed: TypedGraph, start: string, neurons: number, region: Region): boolean {
  const { graph } = typed;
  const pending = [start];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const node = graph.producer(name);
    if (node === undefined || graph.scopeOf(name) !== graph) {
      return false;
    }
    if (region.nodes.has(node) || region.ups.has(node)) {
      continue;
    }
    if (matrixOf(graph, node) !== undefined) {
      const up = projectionOf(graph, name);
      if (up?.outputs !== neurons) {
        return false;
      }
      region.ups.set(node, up);
      continue;
    }
    if (keepsLastAxis(typed, node)) {
      const rank = shapeOf(typed, name)?.length ?? 1;
      region.nodes.add(node);
      region.reshapes.push({ node, position: rank - 1, unit: 1 });
      pending.push(node.input[0] ?? "");
      continue;
    }
    if (!isElementwise(node)) {
      return false;
    }
    region.nodes.add(node);
    for (const [index, input] of node.input.entries()) {
      const constant = input === "" ? undefined : graph.constant(input);
      if (input === "" || (constant !== undefined && elementCount(constant.shape) === 1)) {
        continue;
      }
      if (constant === undefined) {
        pending.push(input);
      } else if (constant.shape.at(-1) === neurons) {
        region.perNeuron.push({ node, index });
      } else {
        return false;
      }
    }
  }
  return true;
}

function leakOf({ graph }: TypedGraph, { nodes, ups }: Region, down: NodeProto): string | undefined {
  for (const node of [...nodes, ...ups.keys()]) {
    for (const output of node.output) {
      if (graph.isOutput(output)) {
        return output;
      }
      for (const use of graph.consumers(output)) {
        const { opType } = use.node;
        const isInside = nodes.has(use.node) || use.node === down;
        if (!isInside && opType !== "Shape" && opType !== "Size") {
          return output;
        }
      }
    }
  }
  return undefined;
}
