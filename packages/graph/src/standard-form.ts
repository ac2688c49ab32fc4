import type { ModelProto } from "@nasty/formats/onnx";
import { ModelGraph } from "./model-graph.js";
import { raiseOpset } from "./opset/raise-opset.js";
import { isStandard } from "./operators/traits.js";

/** Below this version of the default operator set, operators mean what none of our rules expects. */
const oldestUnderstood = 7;
/** What older models become: the first version with all standard operators that quantization writes. */
const modern = 13;

/** A model of operators that every step here understands, and what was done to it, in sentences. */
export interface StandardForm {
  readonly model: ModelProto;
  readonly changes: readonly string[];
}

/**
 * Brings a model into the form that planning, rewriting and validation expect: calls of its functions expanded, and
 * operator sets below 7 raised to 13. The outputs stay what they were.
 *
 * @returns the model itself, without changes, if it has that form
 * @throws GraphError as `inlineFunctions` and `raiseOpset`
 */
export function standardForm(model: ModelProto): StandardForm {
  const changes: string[] = [];
  if (model.graph === undefined) return { model, changes };
  const opset = model.opsetImport.find(isStandard)?.version;
  const isOld = opset !== undefined && opset > 0n && opset < oldestUnderstood;
  if (model.functions.length === 0 && !isOld) return { model, changes };
  const opened = ModelGraph.from(model);
  if (model.functions.length > 0) {
    const count = model.functions.length;
    changes.push(
      `the calls of ${count} model-local function${count === 1 ? "" : "s"} were replaced by their operators`,
    );
  }
  if (opened.opset() < oldestUnderstood) {
    raiseOpset(opened, modern);
    changes.push(
      `operator set ${opset} was raised to ${modern}: its operators have other forms now, and mean the same`,
    );
  }
  return { model: opened.toModel(), changes };
}
