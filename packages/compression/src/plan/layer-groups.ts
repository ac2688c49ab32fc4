import type { KeptInFloat, PlannedTensor, QuantizationPlan } from "./plan.js";

/** Weights that become integers together or not at all: those of one LSTM, a table and the layer that is tied to it. */
export interface LayerGroup {
  /** Name of its first weight. */
  readonly name: string;
  readonly tensors: readonly PlannedTensor[];
}

/** Cuts a plan into the smallest parts that can be left in float by themselves, in the plan's order. */
export function layerGroups(plan: QuantizationPlan): LayerGroup[] {
  const groupOf = new Map<string, PlannedTensor[]>();
  const groups = new Set<PlannedTensor[]>();
  for (const planned of plan.tensors) {
    const keys = [
      `weight ${planned.graph}\0${planned.name}`,
      ...planned.sites.map(({ graph, output }) => `node ${graph}\0${output}`),
    ];
    const joined = [...new Set(keys.flatMap((key) => groupOf.get(key) ?? []))];
    for (const key of keys) groups.delete(groupOf.get(key) ?? []);
    const group = [...joined, planned];
    groups.add(group);
    for (const member of group) {
      groupOf.set(`weight ${member.graph}\0${member.name}`, group);
      for (const { graph, output } of member.sites) groupOf.set(`node ${graph}\0${output}`, group);
    }
  }
  const order = new Map(plan.tensors.map((planned, index) => [planned, index]));
  const position = (group: readonly PlannedTensor[]): number => order.get(group[0] as PlannedTensor) ?? 0;
  return [...groups]
    .sort((a, b) => position(a) - position(b))
    .map((tensors) => ({ name: tensors[0]?.name ?? "", tensors }));
}

/**
 * The plan without some of its groups: their nodes move to `keptInFloat`.
 *
 * @param names of groups, as {@link layerGroups} names them
 * @param reason why, for the report
 * @example keepInFloat(plan, [ranking[0].name], "accuracy gate")
 */
export function keepInFloat<Plan extends QuantizationPlan>(
  plan: Plan,
  names: readonly string[],
  reason: string,
): Plan {
  const wanted = new Set(names);
  const kept = layerGroups(plan).filter(({ name }) => wanted.has(name));
  const tensors = new Set(kept.flatMap((group) => group.tensors));
  const nodes = new Map<string, KeptInFloat>();
  for (const { sites } of tensors) {
    for (const { graph, output, node, op } of sites) {
      nodes.set(`${graph}\0${output}`, { name: node, op, reason });
    }
  }
  return {
    ...plan,
    tensors: plan.tensors.filter((planned) => !tensors.has(planned)),
    keptInFloat: [...plan.keptInFloat, ...nodes.values()],
  };
}
