import { castTo } from "../gradient/gradient-writer.js";
import { TrainingError } from "../training-error.js";
import type { CrossEntropyLoss, LossContext, LossNodes } from "./loss.js";

/** Emits the loss and its gradient w_row·softmax(logits) − target, both over the number (weight) of counted labels. */
export function crossEntropy({ writer, weight, ...c }: LossContext, loss: CrossEntropyLoss): LossNodes {
  const { op } = writer;
  const { ignoreIndex = -100, classWeights } = loss;
  const shape = c.dimensions(loss.logits);
  const classes = shape.at(-1);
  check(loss, classes);
  const labels = c.input(loss.labels, "int64", shape.slice(0, -1));

  const counted = op("Not", [op("Equal", [labels, writer.scalar(ignoreIndex, "int64")])]);
  const valid = op("Unsqueeze", [op("Cast", [counted], castTo("float32")), writer.ints([-1])]);
  const safe = op("Where", [counted, labels, writer.scalar(0, "int64")]);
  const depth = op("Squeeze", [writer.dimension(loss.logits, -1)]);
  const offOn = writer.scalars([offValue(loss, classes), onValue(loss, classes)]);
  const smooth = op("OneHot", [safe, depth, offOn], { axis: -1 });
  const weighted = classWeights === undefined ? smooth : op("Mul", [smooth, writer.scalars(classWeights)]);
  const target = op("Mul", [weighted, valid]);

  const last = writer.ints([-1]);
  const norm =
    classWeights === undefined
      ? valid
      : op("Mul", [op("Unsqueeze", [op("Gather", [writer.scalars(classWeights), safe]), last]), valid]);
  const total = op("Max", [op("ReduceSum", [norm], { keepdims: 0 }), writer.scalar(1e-30)]);

  const logProbabilities = op("LogSoftmax", [loss.logits], { axis: -1 });
  const sum = op("ReduceSum", [op("Mul", [target, logProbabilities])], { keepdims: 0 });
  const value = op("Neg", [op("Div", [sum, total])]);
  const rowWeight = classWeights === undefined ? valid : op("ReduceSum", [target, last], { keepdims: 1 });
  const expected = op("Mul", [op("Exp", [logProbabilities]), rowWeight]);
  const factor = op("Div", [writer.scalar(weight), total]);
  const gradient = op("Mul", [op("Sub", [expected, target]), factor]);
  return { value, gradients: [{ tensor: loss.logits, gradient }] };
}

/** Target of a class that is not the label: ε/C. */
function offValue({ labelSmoothing = 0 }: CrossEntropyLoss, classes: number | string | undefined): number {
  return typeof classes === "number" ? labelSmoothing / classes : 0;
}

function onValue(loss: CrossEntropyLoss, classes: number | string | undefined): number {
  return 1 - (loss.labelSmoothing ?? 0) + offValue(loss, classes);
}

function check(
  { labelSmoothing = 0, classWeights, logits }: CrossEntropyLoss,
  classes: number | string | undefined,
): void {
  const fail = (what: string, expected: string, got: string): never => {
    throw new TrainingError(
      "invalid-option",
      `buildTrainingGraph: loss of ${JSON.stringify(logits)}: ${what}: expected ${expected}, got ${got}`,
      { tensor: logits },
    );
  };
  if (!(labelSmoothing >= 0 && labelSmoothing < 1))
    fail("labelSmoothing", "a number in [0, 1)", String(labelSmoothing));
  const needsCount = labelSmoothing > 0 || classWeights !== undefined;
  if (needsCount && typeof classes !== "number") fail("number of classes", "a number", String(classes));
  if (classWeights !== undefined && classWeights.length !== classes) {
    fail("classWeights: length", String(classes), String(classWeights.length));
  }
}
