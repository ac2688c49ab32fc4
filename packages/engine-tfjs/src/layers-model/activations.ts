import type { AttributeValue } from "@nasty/formats/onnx";
import { following, type Value } from "./value.js";
import type { LayerContext } from "./layer-context.js";
import type { LayerOptions } from "./layer-options.js";

interface Operator {
  readonly op: string;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

const float = (value: number): AttributeValue => ({ kind: "float", value });

/** Activations that are one ONNX operator. */
const operators = new Map<string, Operator>(
  Object.entries<Operator>({
    relu: { op: "Relu" },
    tanh: { op: "Tanh" },
    sigmoid: { op: "Sigmoid" },
    hard_sigmoid: { op: "HardSigmoid", attributes: { alpha: float(0.2), beta: float(0.5) } },
    softmax: { op: "Softmax", attributes: { axis: -1 } },
    log_softmax: { op: "LogSoftmax", attributes: { axis: -1 } },
    elu: { op: "Elu", attributes: { alpha: float(1) } },
    selu: { op: "Selu" },
    softplus: { op: "Softplus" },
    softsign: { op: "Softsign" },
    gelu: { op: "Gelu" },
    gelu_new: { op: "Gelu", attributes: { approximate: "tanh" } },
    mish: { op: "Mish" },
  }),
);

/** Activations of other forms. */
const composed: readonly string[] = ["linear", "relu6", "swish", "silu"];

/** An activation inside of a recurrent operator. */
export interface RecurrentActivation {
  readonly name: string;
  readonly alpha?: number;
  readonly beta?: number;
}

const recurrent = new Map<string, RecurrentActivation>(
  Object.entries<RecurrentActivation>({
    tanh: { name: "Tanh" },
    sigmoid: { name: "Sigmoid" },
    hard_sigmoid: { name: "HardSigmoid", alpha: 0.2, beta: 0.5 },
    relu: { name: "Relu" },
    elu: { name: "Elu", alpha: 1 },
    softsign: { name: "Softsign" },
    softplus: { name: "Softplus" },
    linear: { name: "Affine", alpha: 1, beta: 0 },
  }),
);

/**
 * The name of an activation option: a text, or an object with the class; TensorFlow.js itself may write `hardSigmoid`.
 */
function nameOf(options: LayerOptions, key: string, otherwise: string): string {
  const given = options.value(key) ?? otherwise;
  const name =
    typeof given === "object" && given !== null && "class_name" in given ? given.class_name : given;
  return typeof name === "string"
    ? name.replace(/[A-Z]/g, (letter, at: number) => (at === 0 ? "" : "_") + letter.toLowerCase())
    : "";
}

/**
 * The activation that an option names.
 *
 * @throws TfjsError `unsupported-option`
 */
export function activationOf(options: LayerOptions, key = "activation"): string {
  const name = nameOf(options, key, "linear");
  if (operators.has(name) || composed.includes(name)) return name;
  throw options.unsupported(key, `one of ${[...composed, ...operators.keys()].join(", ")}`);
}

/** Applies an activation that {@link activationOf} has read. */
export function activate({ writer, layer }: LayerContext, name: string, input: Value): Value {
  const done = (output: string): Value => following(input, output, { activation: name });
  const single = operators.get(name);
  if (single !== undefined) {
    return done(writer.op(layer.name, single.op, [input.name], single.attributes));
  }
  switch (name) {
    case "relu6":
      return done(
        writer.op(layer.name, "Clip", [input.name, writer.scalar("float32", 0), writer.scalar("float32", 6)]),
      );
    case "swish":
    case "silu": {
      const gate = writer.op(layer.name, "Sigmoid", [input.name]);
      return done(writer.op(layer.name, "Mul", [input.name, gate]));
    }
    default:
      return input;
  }
}

/**
 * The activation inside of a recurrent layer that an option names.
 *
 * @throws TfjsError `unsupported-option`
 */
export function recurrentActivation(
  options: LayerOptions,
  key: string,
  otherwise: string,
): RecurrentActivation {
  const found = recurrent.get(nameOf(options, key, otherwise));
  if (found !== undefined) return found;
  throw options.unsupported(key, `one of ${[...recurrent.keys()].join(", ")}`);
}
