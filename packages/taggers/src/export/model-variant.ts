import { elementCount } from "@nasty/core";
import type { ModelVariant } from "@nasty/formats/hf";
import { dataTypeName, intAttribute, type ModelProto } from "@nasty/formats/onnx";
import { type Graph, ModelGraph } from "@nasty/graph";
import { TaggerError } from "../tagger-error.js";

/** How the weights of a model are stored, as far as names of files tell. */
type Storage = "float32" | "float16" | "8 bits" | "4 bits" | "4 bits and float16";

/** Names that a model of each storage may have; the first is what transformers.js asks for by itself. */
const variantsOf: Readonly<Record<Storage, readonly [ModelVariant, ...ModelVariant[]]>> = {
  float32: ["fp32"],
  float16: ["fp16"],
  "8 bits": ["q8", "int8", "uint8"],
  "4 bits": ["q4", "bnb4"],
  "4 bits and float16": ["q4f16", "q4"],
};

/** Operators whose weights are packed into bytes, several numbers each. */
const blockOperators = new Set(["MatMulNBits", "GatherBlockQuantized"]);

/**
 * Scales of weights in blocks that are stored in 16 bits and read as float32: the model computes in float32 all the
 * same.
 */
function widenedScales(graph: Graph): ReadonlySet<string> {
  const scales = graph.nodes
    .filter(({ opType }) => blockOperators.has(opType))
    .map((node) => graph.producer(node.input[2] ?? ""))
    .filter((node) => node?.opType === "Cast");
  return new Set(scales.map((node) => node?.input[0] ?? ""));
}

function storageOf(model: ModelProto): Storage {
  const elements = { float32: 0, float16: 0, eight: 0, four: 0 };
  for (const graph of ModelGraph.from(model).allGraphs()) {
    const widened = widenedScales(graph);
    for (const { name, dims, dataType } of graph.initializers.values()) {
      if (dims.length < 2 || widened.has(name)) continue;
      const count = elementCount(dims.map(Number));
      switch (dataTypeName(dataType)) {
        case "FLOAT":
          elements.float32 += count;
          break;
        case "FLOAT16":
          elements.float16 += count;
          break;
        case "INT8":
        case "UINT8":
          elements.eight += count;
          break;
        case "INT4":
        case "UINT4":
          elements.four += count;
          break;
        default:
      }
    }
    for (const node of graph.nodes) {
      if (blockOperators.has(node.opType) && intAttribute(node, "bits", 4) === 4) elements.four += 1;
    }
  }
  const half = elements.float16 > elements.float32;
  if (elements.four > 0) return half ? "4 bits and float16" : "4 bits";
  if (elements.eight > 0) return "8 bits";
  return half ? "float16" : "float32";
}

/**
 * Which of the files of a Hugging Face directory a model is: fp32, fp16, q8 (any weights of 8 bits), q4 (any of 4 bits)
 * or q4f16 (these, and most of the rest is float16, with which it computes).
 *
 * @param wanted another name that fits it too, such as `int8` for a model of 8 bits
 * @throws TaggerError `option` for a name that does not fit the weights
 * @example modelVariantOf(await readModelFile("pos_int8.onnx")) // "q8"
 */
export function modelVariantOf(model: ModelProto, wanted?: ModelVariant): ModelVariant {
  const storage = storageOf(model);
  const fitting = variantsOf[storage];
  if (wanted === undefined) return fitting[0];
  if (fitting.includes(wanted)) return wanted;
  throw new TaggerError(
    "option",
    `exportTagger: dtype: expected ${fitting.join(" or ")} for weights of ${storage}, got ${wanted}`,
    { name: "dtype" },
  );
}
