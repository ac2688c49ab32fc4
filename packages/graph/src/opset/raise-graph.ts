import type { Graph } from "../graph.js";
import { declaredType, storedType } from "../inference/declared-type.js";
import type { PartialType } from "../inference/rule.js";
import { isStandard } from "../operators/traits.js";
import { broadcastingRules } from "./broadcasting.js";
import { inputRules } from "./inputs.js";
import { meaningRules } from "./meanings.js";
import type { RaiseRule } from "./rule.js";

const rules: ReadonlyMap<number, ReadonlyMap<string, readonly RaiseRule[]>> = byVersion();

function byVersion(): Map<number, Map<string, RaiseRule[]>> {
  const found = new Map<number, Map<string, RaiseRule[]>>();
  for (const { ops, since, rule } of [...inputRules, ...broadcastingRules, ...meaningRules]) {
    const ofVersion = found.get(since) ?? new Map<string, RaiseRule[]>();
    found.set(since, ofVersion);
    for (const op of ops) ofVersion.set(op, [...(ofVersion.get(op) ?? []), rule]);
  }
  return found;
}

export interface RaiseSpan {
  readonly from: number;
  readonly to: number;
  /** What is known of a value's type; what the graph declares and stores if left out. */
  readonly typeOf?: (name: string) => PartialType | undefined;
}

/** What a graph says itself about a value's type. */
const statedType = (graph: Graph, name: string): PartialType => {
  const scope = graph.scopeOf(name) ?? graph;
  const stored = scope.initializers.get(name);
  return (stored === undefined ? declaredType(scope.declaredType(name)) : storedType(stored)) ?? {};
};

/**
 * Brings the operators of one graph, not those of graphs nested in it, from one version of the default operator set to
 * a later one.
 *
 * Versions are taken in turn: what one puts in, the next finds. Operators without a rule mean in the later version what
 * they meant.
 *
 * @throws GraphError `unsupported-opset` for a node that the later version cannot say
 * @see ONNX 1.22, docs/Changelog.md
 */
export function raiseGraph(graph: Graph, { from, to, typeOf }: RaiseSpan): void {
  for (let version = from + 1; version <= to; version++) {
    const ofVersion = rules.get(version);
    if (ofVersion === undefined) continue;
    for (const node of graph.nodes) {
      if (!isStandard(node)) continue;
      for (const rule of ofVersion.get(node.opType) ?? []) {
        rule({ graph, node, typeOf: (name) => typeOf?.(name) ?? statedType(graph, name) });
      }
    }
  }
}
