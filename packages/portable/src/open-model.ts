import { dataConstructor, type DType, elementCount, storageLength, type Tensor } from "@nasty/core";
import { webAssembly } from "@nasty/core/wasm";
import { type ModelProto, parseModel } from "@nasty/formats/onnx";
import { type Kernels, kernelModule } from "./kernels/module.js";
import { bytesOf, Heap } from "./memory/heap.js";
import { compile, type Plan } from "./plan/compile.js";
import type { DeclaredValue } from "./plan/graph-reading.js";
import type { Feeds } from "./plan/planner.js";
import { type Program, readProgram } from "./plan/program.js";
import type { Value } from "./plan/value.js";
import { PortableError } from "./portable-error.js";

/** An input or output of a model; a dimension that varies is its symbolic name (`""` when it has none). */
export interface PortableValue {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly (number | string)[];
}

export interface OpenModelOptions {
  /**
   * The compiled module of the kernels, for hosts that may not compile while they run; its bytes are those of
   * `kernelModule()` and of the file `@nasty/portable/kernels.wasm`.
   */
  readonly kernels?: object;
  /** Shapes of inputs whose plans are kept. Default 64. */
  readonly keptPlans?: number;
}

/** A model that is ready to run, on the thread that calls. */
export interface PortableModel {
  readonly inputs: readonly PortableValue[];
  readonly outputs: readonly PortableValue[];
  /**
   * Computes the named outputs (all of them when none are named).
   *
   * @param out tensors that results are written into, by output name
   * @throws PortableError `wrong-feed` for a tensor that is missing, unknown or of another type or shape, or an `out`
   *   that does not fit; `unknown-output`; `run-failed` naming the node, for shapes and values that do not fit;
   *   `out-of-memory`; `closed`
   */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    outputs?: readonly string[],
    out?: Readonly<Record<string, Tensor>>,
  ): Record<string, Tensor>;
  /** Gives up the memory; a run after it is refused. */
  close(): void;
}

let compiled: Promise<object> | undefined;

/** The kernels' module, compiled once a process. */
const compiledKernels = async (): Promise<object> => {
  const api = webAssembly();
  if (api === undefined)
    throw new PortableError(
      "no-webassembly",
      "openModel: WebAssembly: expected an engine that has it, got none",
    );
  compiled ??= api.compile(kernelModule());
  try {
    return await compiled;
  } catch (cause) {
    compiled = undefined;
    throw new PortableError(
      "no-webassembly",
      `openModel: WebAssembly: expected an engine with vectors that may compile, got: ${(cause as Error).message}`,
      { cause },
    );
  }
};

/**
 * Opens a model on the portable engine: WebAssembly kernels of our own, without native code, whose results have the
 * same bits on every machine.
 *
 * Every node is checked, and weights are packed, before it returns.
 *
 * @param model the bytes of an `.onnx` file, or a parsed model with its weights inside
 * @throws PortableError `unsupported-operator` and `unsupported-type` naming every node that cannot be run;
 *   `unsupported-model` for functions, sparse weights and operator sets before 7; `not-a-model`; `no-webassembly`;
 *   `out-of-memory`. FormatError for bytes that are no model.
 * @example
 * ```ts
 * const model = await openModel(bytes);
 * const { logits } = model.run({ input_ids: tensor("int64", [1, 3], BigInt64Array.of(2n, 7n, 3n)) });
 * model.close();
 * ```
 */
export const openModel = async (
  model: Uint8Array | ModelProto,
  { kernels, ...options }: OpenModelOptions = {},
): Promise<PortableModel> => {
  const module = kernels ?? (await compiledKernels());
  return openParsedModel(model instanceof Uint8Array ? parseModel(model) : model, module, options);
};

/**
 * {@link openModel} of a parsed model with compiled kernels, at once. A bundle of this function has neither the reader
 * of ONNX files nor what makes the kernels.
 *
 * @param kernels the compiled module of the bytes of `kernelModule()`
 * @throws PortableError as {@link openModel}
 */
export const openParsedModel = (
  model: ModelProto,
  kernels: object,
  { keptPlans = 64 }: Pick<OpenModelOptions, "keptPlans"> = {},
): PortableModel => {
  const heap = new Heap();
  const program = readProgram(model, heap);
  const api = webAssembly() as NonNullable<ReturnType<typeof webAssembly>>;
  const instance = new api.Instance(kernels, { nasty: { memory: heap.memory } });
  return runnable(program, { heap, kernels: instance.exports as Kernels, keptPlans });
};

interface Machine {
  readonly heap: Heap;
  readonly kernels: Kernels;
  readonly keptPlans: number;
}

const runnable = (program: Program, { heap, kernels, keptPlans }: Machine): PortableModel => {
  const feeds: Feeds = { current: [] };
  const plans = new Map<string, Plan>();
  let isClosed = false;

  const planFor = (shapes: readonly (readonly number[])[]): Plan => {
    // How many rows a table has changes nothing.
    const key = shapes
      .map((shape, index) => (program.isLookedUp[index] === true ? shape.slice(1) : shape).join(","))
      .join(";");
    const known = plans.get(key);
    if (known !== undefined) {
      plans.delete(key);
      plans.set(key, known);
      return known;
    }
    const plan = compile(program, { kernels, heap, feeds }, shapes);
    heap.grow(plan.end);
    plans.set(key, plan);
    if (plans.size > keptPlans) plans.delete(plans.keys().next().value as string);
    return plan;
  };

  return {
    inputs: program.inputs.map(described),
    outputs: program.outputs.map(described),
    run(given, wanted = program.outputs.map(({ name }) => name), out = {}) {
      if (isClosed)
        throw new PortableError("closed", "run: model: state: expected an open model, got a closed one");
      const tensors = checkedFeeds(program.inputs, given);
      const places = wanted.map((name) => outputPlace(program, name));
      const plan = planFor(tensors.map(({ shape }) => shape));
      feeds.current = tensors as Feeds["current"];
      try {
        execute(plan);
      } finally {
        feeds.current = [];
      }
      const results = Object.create(null) as Record<string, Tensor>;
      for (const [index, name] of wanted.entries())
        results[name] = taken(heap, plan.outputs[places[index] as number] as Value, {
          name,
          into: Object.hasOwn(out, name) ? out[name] : undefined,
        });
      return results;
    },
    close() {
      isClosed = true;
      plans.clear();
    },
  };
};

const described = ({ name, dtype, shape }: DeclaredValue): PortableValue => ({ name, dtype, shape });

const execute = ({ steps, labels }: Plan): void => {
  let at = 0;
  try {
    for (; at < steps.length; at++) (steps[at] as () => void)();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new PortableError("run-failed", `run: ${labels[at]}: ${error.message}`, { cause: error });
  }
};

const wrongFeed = (name: string, what: string): PortableError =>
  new PortableError("wrong-feed", `run: input ${name}: ${what}`, { value: name });

/** What is fed, in the order of the inputs. */
const checkedFeeds = (
  inputs: readonly DeclaredValue[],
  given: Readonly<Record<string, Tensor>>,
): readonly Tensor[] => {
  for (const name of Object.keys(given))
    if (!inputs.some((input) => input.name === name))
      throw wrongFeed(
        name,
        `no such input: expected ${inputs.map((input) => input.name).join(", ") || "none"}`,
      );
  return inputs.map(({ name, dtype, shape, hasShape }) => {
    const tensor = Object.hasOwn(given, name) ? given[name] : undefined;
    if (tensor === undefined) throw wrongFeed(name, "expected a tensor, got none");
    if (tensor.dtype !== dtype) throw wrongFeed(name, `element type: expected ${dtype}, got ${tensor.dtype}`);
    const isFit =
      !hasShape ||
      (tensor.shape.length === shape.length &&
        shape.every((size, axis) => typeof size === "string" || size === tensor.shape[axis]));
    if (!isFit)
      throw wrongFeed(name, `shape: expected [${shape.join(", ")}], got [${tensor.shape.join(", ")}]`);
    const length = storageLength(dtype, elementCount(tensor.shape));
    if (tensor.data.length !== length)
      throw wrongFeed(name, `data length: expected ${length}, got ${tensor.data.length}`);
    return tensor;
  });
};

const outputPlace = ({ outputs }: Program, name: string): number => {
  const place = outputs.findIndex((output) => output.name === name);
  if (place < 0)
    throw new PortableError(
      "unknown-output",
      `run: output ${name}: no such output: expected some of ${outputs.map((output) => output.name).join(", ")}`,
      { value: name },
    );
  return place;
};

/** A result out of the model's memory. */
const taken = (
  heap: Heap,
  { dtype, shape, known, at }: Value,
  { name, into }: { readonly name: string; readonly into: Tensor | undefined },
): Tensor => {
  const length = storageLength(dtype, elementCount(shape));
  if (into !== undefined && (into.dtype !== dtype || into.data.length !== length))
    throw new PortableError(
      "wrong-feed",
      `run: out ${name}: expected ${dtype} [${shape.join(", ")}], got ${into.dtype} [${into.shape.join(", ")}]`,
      { value: name },
    );
  const data = into?.data ?? new (dataConstructor(dtype))(length);
  const target = bytesOf(data);
  if (known !== undefined) target.set(bytesOf(known.data));
  else target.set(heap.u8.subarray(at as number, (at as number) + target.length));
  return into ?? { dtype, shape, data };
};
