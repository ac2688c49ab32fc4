import type { GraphProto, SparseTensorProto, TensorProto, ValueInfoProto } from "@nasty/formats/onnx";

/** What a graph takes in and gives out: inputs, initializers and outputs, and the types that the file declares. */
export class GraphBoundary {
  readonly inputs: Map<string, ValueInfoProto>;
  readonly initializers: Map<string, TensorProto>;
  readonly outputs: ValueInfoProto[];
  readonly #outputCounts = new Map<string, number>();
  readonly #declared: ReadonlyMap<string, ValueInfoProto>;
  readonly #sparse: readonly SparseTensorProto[];
  readonly #constantIfListed: boolean;

  /** @param constantIfListed whether an initializer that is listed as an input too is a constant all the same */
  constructor(proto: GraphProto, constantIfListed: boolean) {
    this.inputs = byName(proto.input);
    this.initializers = byName(proto.initializer);
    this.outputs = [...proto.output];
    for (const { name } of proto.output) this.#count(name, 1);
    this.#declared = byName(proto.valueInfo);
    this.#sparse = proto.sparseInitializer;
    this.#constantIfListed = constantIfListed;
  }

  /** True for what a graph defines without a node: inputs and initializers. */
  defines(name: string): boolean {
    return (
      this.inputs.has(name) ||
      this.initializers.has(name) ||
      this.#sparse.some(({ values }) => values?.name === name)
    );
  }

  isOutput(name: string): boolean {
    return this.#outputCounts.has(name);
  }

  /** True for an initializer that no caller may feed another value for. */
  isConstant(name: string): boolean {
    return this.initializers.has(name) && (this.#constantIfListed || !this.inputs.has(name));
  }

  isOverridable(name: string): boolean {
    return this.initializers.has(name) && !this.isConstant(name);
  }

  declaredType(name: string): ValueInfoProto | undefined {
    return (
      this.inputs.get(name) ?? this.#declared.get(name) ?? this.outputs.find((output) => output.name === name)
    );
  }

  removeInitializer(name: string): void {
    if (this.isConstant(name)) this.inputs.delete(name);
    this.initializers.delete(name);
  }

  addOutput(info: ValueInfoProto): void {
    this.outputs.push(info);
    this.#count(info.name, 1);
  }

  removeOutput(name: string): void {
    const position = this.outputs.findIndex((output) => output.name === name);
    if (position < 0) return;
    this.outputs.splice(position, 1);
    this.#count(name, -1);
  }

  /** Puts everything into a message that has its nodes; types and annotations of values that are gone are left out. */
  writeTo(proto: GraphProto): void {
    proto.initializer = [...this.initializers.values()];
    proto.input = [...this.inputs.values()];
    proto.output = [...this.outputs];
    const known = new Set([
      ...this.inputs.keys(),
      ...this.initializers.keys(),
      ...proto.node.flatMap(({ output }) => output),
    ]);
    proto.valueInfo = [...this.#declared.values()].filter(({ name }) => known.has(name));
    proto.quantizationAnnotation = proto.quantizationAnnotation.filter(({ tensorName }) =>
      known.has(tensorName),
    );
  }

  #count(name: string, change: number): void {
    const count = (this.#outputCounts.get(name) ?? 0) + change;
    if (count > 0) this.#outputCounts.set(name, count);
    else this.#outputCounts.delete(name);
  }
}

/** The first name that comes a second time. */
export function repeatedName(values: readonly { readonly name: string }[]): string | undefined {
  const seen = new Set<string>();
  return values.find(({ name }) => seen.size === seen.add(name).size)?.name;
}

function byName<T extends { readonly name: string }>(values: readonly T[]): Map<string, T> {
  return new Map(values.map((value) => [value.name, value]));
}
