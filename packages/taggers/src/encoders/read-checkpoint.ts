import { type Tensor, toFloat32 } from "@nasty/core";
import { TaggerError } from "../tagger-error.js";
import type { EncoderConfig } from "./encoder-config.js";
import { type ExpectedTensor, expectedTensors } from "./expected-tensors.js";
import { type EncoderFamily, families } from "./families.js";

/** A linear layer of a checkpoint that gives each token a score a label. */
export interface ClassifierTensors {
  /** float32 [labels, hidden]. */
  readonly weight: Tensor<"float32">;
  /** float32 [labels]. */
  readonly bias: Tensor<"float32">;
}

/** The tensors of a checkpoint that an encoder is built of. */
export interface EncoderCheckpoint {
  /** What stands before the names in the checkpoint: `bert.`, …, or nothing in a bare encoder's. */
  readonly prefix: string;
  /** By name without prefix, in the order of {@link expectedTensors}; float32, shaped as in the checkpoint. */
  readonly tensors: ReadonlyMap<string, ExpectedTensor & { readonly value: Tensor<"float32"> }>;
  readonly classifier: ClassifierTensors | undefined;
}

const firstTensor = "embeddings.word_embeddings.weight";

/** Parts that token classification does not use, and buffers that old versions saved. */
const ignored = /^(pooler\.|embeddings\.(position_ids|token_type_ids)$)/;

/**
 * Finds the encoder's tensors in a checkpoint and checks their shapes.
 *
 * `LayerNorm.gamma` and `.beta` of old checkpoints count as `.weight` and `.bias`; float16 and bfloat16 become float32;
 * pooler and pretraining heads are left out.
 *
 * @throws TaggerError `checkpoint` naming the tensor: another family's, missing, mis-shaped, not a float, not finite,
 *   or one more than the configuration has a place for.
 */
export function readEncoderCheckpoint(
  tensors: ReadonlyMap<string, Tensor>,
  config: EncoderConfig,
): EncoderCheckpoint {
  const byName = new Map<string, Tensor>();
  for (const [name, tensor] of tensors) byName.set(currentName(name), tensor);
  const prefix = prefixOf(byName, config.family);
  const found = new Map<string, ExpectedTensor & { readonly value: Tensor<"float32"> }>();
  for (const expected of expectedTensors(config)) {
    const name = prefix + expected.name;
    found.set(expected.name, { ...expected, value: floatsOf(byName.get(name), name, expected.shape) });
  }
  for (const name of byName.keys()) {
    if (!name.startsWith(prefix)) continue;
    const own = name.slice(prefix.length);
    const parts = ["embeddings", `${config.family.layers.split(".")[0]}.`];
    if (found.has(own) || ignored.test(own) || !parts.some((part) => own.startsWith(part))) continue;
    throw refuse(
      name,
      `no such tensor (config.json has ${config.layers} layers, width ${config.hidden})`,
      "one",
    );
  }
  return { prefix, tensors: found, classifier: classifierOf(byName, config) };
}

/**
 * The tensors without what an exporter's wrapping module put before the family's own prefix (`m.bert.` becomes
 * `bert.`).
 *
 * @returns the same map where there is no such wrapper
 */
export function withoutWrapper(
  tensors: ReadonlyMap<string, Tensor>,
  { prefix }: EncoderFamily,
): ReadonlyMap<string, Tensor> {
  const first = [...tensors.keys()].find((name) => name.endsWith(`.${prefix}${firstTensor}`));
  if (first === undefined) return tensors;
  const wrapper = first.slice(0, -(prefix + firstTensor).length);
  return new Map(
    [...tensors].map(([name, tensor]) => [
      name.startsWith(wrapper) ? name.slice(wrapper.length) : name,
      tensor,
    ]),
  );
}

const currentName = (name: string): string =>
  name.replace(/LayerNorm\.gamma$/, "LayerNorm.weight").replace(/LayerNorm\.beta$/, "LayerNorm.bias");

function prefixOf(tensors: ReadonlyMap<string, Tensor>, family: EncoderFamily): string {
  if (tensors.has(family.prefix + firstTensor)) return family.prefix;
  const names = [...tensors.keys()];
  const other = families.find(({ prefix }) => names.some((name) => name.startsWith(prefix)));
  if (other !== undefined && other !== family) throw anotherFamily(family, other, names);
  const bare = tensors.has(firstTensor);
  const layerPrefix = families.find(({ layers }) => names.some((name) => name.startsWith(layers)))?.layers;
  if (bare && layerPrefix !== undefined && layerPrefix !== family.layers) {
    throw anotherFamily(
      family,
      families.find(({ layers }) => layers === layerPrefix) as EncoderFamily,
      names,
    );
  }
  if (bare) return "";
  const got = names.length === 0 ? "no tensors at all" : `${names.length} others, such as ${names[0]}`;
  throw refuse(family.prefix + firstTensor, `the word embeddings of a ${family.name} encoder`, got);
}

function anotherFamily(family: EncoderFamily, other: EncoderFamily, names: readonly string[]): TaggerError {
  const example = names.find((name) => name.startsWith(other.prefix) || name.startsWith(other.layers)) ?? "";
  return refuse(
    example,
    `tensors of the family ${family.name} that config.json names ("${family.prefix}…")`,
    `those of ${other.name}`,
  );
}

function classifierOf(
  tensors: ReadonlyMap<string, Tensor>,
  { hidden }: EncoderConfig,
): ClassifierTensors | undefined {
  const weight = tensors.get("classifier.weight");
  const bias = tensors.get("classifier.bias");
  if (weight === undefined || bias === undefined) return undefined;
  const labels = weight.shape[0] ?? 0;
  return {
    weight: floatsOf(weight, "classifier.weight", [labels, hidden]),
    bias: floatsOf(bias, "classifier.bias", [labels]),
  };
}

function floatsOf(found: Tensor | undefined, name: string, shape: readonly number[]): Tensor<"float32"> {
  const expected = `[${shape.join(", ")}]`;
  if (found === undefined) throw refuse(name, `a tensor ${expected}`, "none of that name");
  if (found.shape.length !== shape.length || found.shape.some((size, i) => size !== shape[i]))
    throw refuse(name, `shape ${expected} as config.json has it`, `[${found.shape.join(", ")}]`);
  if (!["float32", "float64", "float16", "bfloat16"].includes(found.dtype))
    throw refuse(name, "floating-point numbers", found.dtype);
  const data = toFloat32(found);
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) throw refuse(name, "finite numbers", `${data[i]} at element ${i}`);
  }
  return { dtype: "float32", shape, data };
}

function refuse(name: string, expected: string, got: string): TaggerError {
  return new TaggerError(
    "checkpoint",
    `buildEncoder: tensor ${JSON.stringify(name)}: expected ${expected}, got ${got}`,
    { name },
  );
}
