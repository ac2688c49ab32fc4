import * as v from "valibot";
import { TfjsError } from "../tfjs-error.js";
import { checkedPart } from "./checked-part.js";

/** The result of a call of a layer. */
export interface LayerResult {
  readonly layer: string;
  /** Which of its calls: a layer that is shared is called several times. */
  readonly call: number;
}

/** A layer and what it is called on. */
export interface Layer {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** One list of inputs for each call; none for an input of the model. */
  readonly calls: readonly (readonly LayerResult[])[];
}

/** A model as a graph of layers. */
export interface Topology {
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly outputs: readonly LayerResult[];
}

const Config = v.record(v.string(), v.unknown());
const Described = v.object({ class_name: v.string(), config: Config });
const Reference = v.tuple([v.string(), v.number(), v.number()]);
const References = v.union([
  v.array(Reference),
  v.pipe(
    Reference,
    v.transform((one) => [one]),
  ),
]);
const Inbound = v.array(v.array(v.looseTuple([v.string(), v.number(), v.number()])));
const FunctionalConfig = v.object({
  name: v.nullish(v.string()),
  layers: v.array(v.object({ ...Described.entries, name: v.string(), inbound_nodes: Inbound })),
  input_layers: References,
  output_layers: References,
});
const SequentialConfig = v.union([
  v.array(Described),
  v.object({ name: v.nullish(v.string()), layers: v.array(Described) }),
]);

/**
 * Reads the `modelTopology` of a `model.json`: a Sequential or a Functional model, written by tfjs or by the converter
 * from Keras (then in its `model_config`).
 *
 * @throws TfjsError `invalid-model`, `unsupported-layer` (a model of another class), `unsupported-option` (a call with
 *   arguments that are no results of layers)
 */
export function readTopology(json: unknown): Topology {
  const code = "invalid-model";
  const outer = checkedPart(v.looseObject({}), json, { code, where: "modelTopology" }) as Record<
    string,
    unknown
  >;
  const isWrapped = outer["model_config"] !== undefined && outer["model_config"] !== null;
  const where = isWrapped ? "modelTopology.model_config" : "modelTopology";
  if (!isWrapped && "node" in outer) {
    throw new TfjsError(
      code,
      `importLayersModel: model.json: ${where}: expected the layers of a LayersModel, got a GraphModel; convert the Keras model with the output format tfjs_layers_model`,
    );
  }
  const { class_name: className, config } = checkedPart(
    v.object({ class_name: v.string(), config: v.unknown() }),
    isWrapped ? outer["model_config"] : outer,
    { code, where },
  );
  switch (className) {
    case "Sequential":
      return sequential(checkedPart(SequentialConfig, config, { code, where: `${where}.config` }));
    case "Model":
    case "Functional":
      return functional(checkedPart(FunctionalConfig, config, { code, where: `${where}.config` }));
    default:
      throw new TfjsError(
        "unsupported-layer",
        `importLayersModel: model.json: ${where}.class_name: expected Sequential, Model or Functional, got ${JSON.stringify(className)}`,
        { operator: className },
      );
  }
}

function sequential(config: v.InferOutput<typeof SequentialConfig>): Topology {
  const described = Array.isArray(config) ? config : config.layers;
  const name = Array.isArray(config) ? undefined : config.name;
  const layers: Layer[] = [];
  described.forEach(({ class_name: className, config: options }, place) => {
    const layerName = nameOf(options, className, place);
    const before = layers.at(-1);
    if (before === undefined && className !== "InputLayer") {
      layers.push(impliedInput(layerName, className, options));
    }
    const last = layers.at(-1);
    const calls = last === undefined ? [] : [[{ layer: last.name, call: 0 }]];
    layers.push({ name: layerName, className, config: options, calls });
  });
  const last = layers.at(-1);
  if (last === undefined) {
    throw new TfjsError(
      "invalid-model",
      "importLayersModel: model.json: modelTopology.config.layers: expected at least 1 layer, got 0",
    );
  }
  return checkNames({ name: name ?? "sequential", layers, outputs: [{ layer: last.name, call: 0 }] });
}

/** A Sequential model begins with the shape that its first layer wants, not with a layer for it. */
function impliedInput(name: string, className: string, config: Readonly<Record<string, unknown>>): Layer {
  const { dtype, input_dtype: inputDtype } = config;
  const shape =
    config["batch_input_shape"] ??
    (className === "Embedding" ? [null, config["input_length"] ?? null] : undefined);
  return {
    name: `${name}_input`,
    className: "InputLayer",
    config: { batch_input_shape: shape, dtype: inputDtype ?? dtype ?? "float32" },
    calls: [],
  };
}

function nameOf(config: Readonly<Record<string, unknown>>, className: string, place: number): string {
  const { name } = config;
  if (typeof name === "string" && name !== "") return name;
  throw new TfjsError(
    "invalid-model",
    `importLayersModel: model.json: layer ${place} (${className}): name: expected a text, got ${JSON.stringify(name) ?? "nothing"}`,
    { operator: className },
  );
}

function functional(config: v.InferOutput<typeof FunctionalConfig>): Topology {
  const layers = config.layers.map(
    ({ name, class_name: className, config: options, inbound_nodes: calls }): Layer => ({
      name,
      className,
      config: options,
      calls: calls.map((inputs) => inputs.map((input) => resultOf(input, name, className))),
    }),
  );
  const outputs = config.output_layers.map((output) => resultOf(output, "output_layers", "Model"));
  if (outputs.length === 0) {
    throw new TfjsError(
      "invalid-model",
      "importLayersModel: model.json: modelTopology.config.output_layers: expected at least 1, got 0",
    );
  }
  return checkNames({ name: config.name ?? "model", layers, outputs });
}

function resultOf(reference: readonly unknown[], layer: string, className: string): LayerResult {
  const [name, call, tensor, kwargs] = reference as [string, number, number, unknown];
  const refuse = (what: string, expected: string, got: string): TfjsError =>
    new TfjsError(
      "unsupported-option",
      `importLayersModel: layer ${JSON.stringify(layer)} (${className}): ${what}: expected ${expected}, got ${got}`,
      { node: layer, operator: className },
    );
  if (tensor !== 0) throw refuse("input", `the only result of ${JSON.stringify(name)}`, `result ${tensor}`);
  const given = Object.entries((kwargs ?? {}) as Record<string, unknown>).filter(
    ([key, value]) => value !== null && !(key === "training" && value === false),
  );
  const [first] = given;
  if (first !== undefined) throw refuse("call", "no arguments beside the inputs", first[0]);
  return { layer: name, call };
}

function checkNames(topology: Topology): Topology {
  const names = new Set<string>();
  for (const { name, className } of topology.layers) {
    if (names.has(name)) {
      throw new TfjsError(
        "invalid-model",
        `importLayersModel: model.json: layer ${JSON.stringify(name)} (${className}): name: expected each name once, got it twice`,
        { node: name, operator: className },
      );
    }
    names.add(name);
  }
  return topology;
}
