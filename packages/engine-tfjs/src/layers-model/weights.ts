import { elementCount, float16ToFloat32 } from "@nasty/core";
import { TfjsError } from "../tfjs-error.js";
import { readManifest, type WeightEntry } from "./manifest.js";

/** The weights of a model by name; each is decoded when a layer takes it. */
export interface Weights {
  /**
   * A layer's variable as float32, row-major.
   *
   * `SCOPE/VARIABLE`, or with one more scope before the variable: TensorFlow 2.2 and later name the cell of a recurrent
   * layer there (`lstm/lstm_cell/kernel`).
   *
   * @throws TfjsError `missing-weight`, `weight-shape`, `invalid-weights` (not float32), `not-finite`
   */
  take(scope: string, variable: string, shape: readonly number[]): Float32Array;
  /** Names that no layer has taken, those of the optimizer left out. */
  unused(): string[];
}

/**
 * Weights of a manifest and the bytes of its shards, one after the other in the manifest's order.
 *
 * @throws TfjsError `invalid-weights` as `readManifest`, `truncated-weights` where the bytes are not as many as
 *   declared
 */
export function openWeights(manifestJson: unknown, bytes: Uint8Array): Weights {
  const manifest = readManifest(manifestJson);
  if (manifest.byteLength !== bytes.byteLength) {
    throw new TfjsError(
      "truncated-weights",
      `importLayersModel: weights: size: expected ${manifest.byteLength} bytes (weightsManifest), got ${bytes.byteLength}`,
    );
  }
  const byName = new Map(manifest.entries.map((entry) => [entry.name, entry]));
  const byShortName = new Map<string, WeightEntry>();
  for (const entry of manifest.entries) {
    const parts = entry.name.split("/");
    if (parts.length > 2) byShortName.set([...parts.slice(0, -2), parts.at(-1)].join("/"), entry);
  }
  const taken = new Set<string>();
  return {
    take(scope, variable, shape) {
      const name = `${scope}/${variable}`;
      const entry = byName.get(name) ?? byShortName.get(name);
      if (entry === undefined) {
        throw new TfjsError(
          "missing-weight",
          `importLayersModel: layer ${JSON.stringify(scope)}: weight ${variable}: expected ${JSON.stringify(name)} [${shape.join(", ")}] in weightsManifest, got none`,
          { node: scope, tensor: name },
        );
      }
      checkEntry(entry, scope, shape);
      taken.add(entry.name);
      return decode(entry, bytes);
    },
    unused: () =>
      manifest.entries
        .filter(({ name, isOptimizer }) => !taken.has(name) && !isOptimizer)
        .map(({ name }) => name),
  };
}

function checkEntry(entry: WeightEntry, layer: string, shape: readonly number[]): void {
  const { name } = entry;
  const where = `importLayersModel: layer ${JSON.stringify(layer)}: weight ${JSON.stringify(name)}`;
  const fields = { node: layer, tensor: name };
  if (entry.shape.length !== shape.length || entry.shape.some((size, axis) => size !== shape[axis])) {
    throw new TfjsError(
      "weight-shape",
      `${where}: shape: expected [${shape.join(", ")}], got [${entry.shape.join(", ")}]`,
      fields,
    );
  }
  if (entry.dtype !== "float32") {
    throw new TfjsError("invalid-weights", `${where}: dtype: expected float32, got ${entry.dtype}`, fields);
  }
}

function decode(entry: WeightEntry, bytes: Uint8Array): Float32Array {
  const { name, shape, quantization, offset, byteLength } = entry;
  // A copy of its own: a view would have to start at a multiple of the element size.
  const { buffer } = Uint8Array.from(bytes.subarray(offset, offset + byteLength));
  const values = dequantized(quantization, buffer, elementCount(shape));
  const at = values.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return values;
  throw new TfjsError(
    "not-finite",
    `importLayersModel: weight ${JSON.stringify(name)}: value ${at}: expected a finite number, got ${values[at]}`,
    { tensor: name },
  );
}

/** q·scale + min in float64, rounded once to float32, as tfjs-core `io.decodeWeights` (4.22) has it. */
function dequantized(
  quantization: WeightEntry["quantization"],
  buffer: ArrayBufferLike,
  count: number,
): Float32Array {
  if (quantization === undefined) return new Float32Array(buffer);
  const stored = quantization.dtype === "uint8" ? new Uint8Array(buffer) : new Uint16Array(buffer);
  const values = new Float32Array(count);
  if (quantization.dtype === "float16") {
    for (let i = 0; i < count; i++) values[i] = float16ToFloat32(stored[i] as number);
    return values;
  }
  const { scale, min } = quantization;
  for (let i = 0; i < count; i++) values[i] = (stored[i] as number) * scale + min;
  return values;
}
