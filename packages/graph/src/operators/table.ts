import type { NodeProto } from "@nasty/formats/onnx";
import { controlFlow } from "./control-flow.js";
import { convolution, microsoftConvolution } from "./convolution.js";
import { elementwise } from "./elementwise.js";
import { generation } from "./generation.js";
import { layout } from "./layout.js";
import { matrix, microsoftMatrix } from "./matrix.js";
import { microsoftNormalization, normalization } from "./normalization.js";
import { microsoftQuantization, quantization } from "./quantization.js";
import { microsoftRecurrence, recurrence } from "./recurrence.js";
import { reduction } from "./reduction.js";
import type { OperatorSchema } from "./schema.js";
import { microsoftSelection, selection } from "./selection.js";

const domains: ReadonlyMap<string, ReadonlyMap<string, OperatorSchema>> = new Map([
  [
    "",
    new Map(
      Object.entries({
        ...controlFlow,
        ...convolution,
        ...elementwise,
        ...generation,
        ...layout,
        ...matrix,
        ...normalization,
        ...quantization,
        ...recurrence,
        ...reduction,
        ...selection,
      }),
    ),
  ],
  [
    "com.microsoft",
    new Map(
      Object.entries({
        ...microsoftConvolution,
        ...microsoftMatrix,
        ...microsoftNormalization,
        ...microsoftQuantization,
        ...microsoftRecurrence,
        ...microsoftSelection,
      }),
    ),
  ],
]);

/** What is known about an operator, or undefined for one that is not in the table. */
export function operatorSchema(opType: string, domain = ""): OperatorSchema | undefined {
  return domains.get(domain === "ai.onnx" ? "" : domain)?.get(opType);
}

/** What is known about the operator of a node. */
export function schemaOf(node: NodeProto): OperatorSchema | undefined {
  return operatorSchema(node.opType, node.domain);
}
