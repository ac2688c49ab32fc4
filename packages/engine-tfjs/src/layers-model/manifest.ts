import * as v from "valibot";
import { TfjsError } from "../tfjs-error.js";
import { checkedPart } from "./checked-part.js";

/** How the values of a weight lie in the shards, where that is not in its own type. */
export type WeightQuantization =
  | { readonly dtype: "uint8" | "uint16"; readonly scale: number; readonly min: number }
  | { readonly dtype: "float16" };

/** One weight of the manifest, and where its bytes are. */
export interface WeightEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32" | "bool";
  readonly quantization: WeightQuantization | undefined;
  /** Offset in all shards, one after the other. */
  readonly offset: number;
  readonly byteLength: number;
  /** Whether it is a state of the optimizer, which a model that only predicts does without. */
  readonly isOptimizer: boolean;
}

/** Shards that hold the bytes of some weights together. */
export interface WeightGroup {
  readonly paths: readonly string[];
  readonly byteLength: number;
}

/** What a manifest says about names and sizes; nothing has been read or allocated for it. */
export interface WeightManifest {
  readonly entries: readonly WeightEntry[];
  readonly groups: readonly WeightGroup[];
  readonly byteLength: number;
}

const Finite = v.pipe(v.number(), v.finite());

const Quantization = v.variant("dtype", [
  v.object({ dtype: v.picklist(["uint8", "uint16"]), scale: Finite, min: Finite }),
  v.object({ dtype: v.literal("float16") }),
]);

const Weight = v.object({
  name: v.pipe(v.string(), v.nonEmpty()),
  shape: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  dtype: v.string(),
  quantization: v.nullish(Quantization),
  group: v.nullish(v.string()),
});

const Manifest = v.array(v.object({ paths: v.array(v.string()), weights: v.array(Weight) }));

const valueBytes = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 } as const;

/**
 * Reads the `weightsManifest` of a `model.json`: names, shapes, types, and how many bytes each group of shards must
 * have.
 *
 * @param json content of the key `weightsManifest`
 * @throws TfjsError `invalid-weights` for a manifest of another form, a name that occurs twice, sizes beyond 2^53, a
 *   type that no weight of a model has
 */
export function readManifest(json: unknown): WeightManifest {
  const checked = checkedPart(Manifest, json, { code: "invalid-weights", where: "weightsManifest" });
  const entries: WeightEntry[] = [];
  const names = new Set<string>();
  let offset = 0;
  const groups = checked.map(({ paths, weights }) => {
    const start = offset;
    for (const weight of weights) {
      if (names.has(weight.name)) throw refuse(weight.name, "name", "each name once", "it twice");
      names.add(weight.name);
      const entry = entryOf(weight, offset);
      entries.push(entry);
      offset += entry.byteLength;
    }
    return { paths, byteLength: offset - start };
  });
  return { entries, groups, byteLength: offset };
}

function entryOf(weight: v.InferOutput<typeof Weight>, offset: number): WeightEntry {
  const { name, shape, dtype, quantization, group } = weight;
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
    throw refuse(name, "dtype", "float32, int32 or bool", JSON.stringify(dtype));
  }
  const stored = quantization?.dtype ?? dtype;
  if (quantization?.dtype === "float16" && dtype !== "float32") {
    throw refuse(name, "quantization", "float32 for float16 values", dtype);
  }
  const byteLength = shape.reduce((product, size) => product * size, valueBytes[stored]);
  if (!Number.isSafeInteger(offset + byteLength)) {
    throw refuse(name, "shape", "a size below 2^53 bytes", `[${shape.join(", ")}]`);
  }
  return {
    name,
    shape,
    dtype,
    quantization: quantization ?? undefined,
    offset,
    byteLength,
    isOptimizer: group === "optimizer",
  };
}

function refuse(name: string, what: string, expected: string, got: string): TfjsError {
  return new TfjsError(
    "invalid-weights",
    `importLayersModel: weight ${JSON.stringify(name)}: ${what}: expected ${expected}, got ${got}`,
    { tensor: name },
  );
}
