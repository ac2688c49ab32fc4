import { seededRandom, type Tensor } from "@nasty/core";
import { parseEncoderConfig } from "./encoder-config.js";
import { expectedTensors } from "./expected-tensors.js";
import { sequenceHeadOf } from "./families.js";

export interface RandomCheckpointOptions {
  readonly seed: number;
  /** Standard deviation of tables and linear layers. Default 0.02. */
  readonly deviation?: number;
  /** Adds the family's head for whole texts with this many labels. */
  readonly labels?: number;
}

/**
 * A checkpoint of random weights: tables and linear layers normal(0, deviation), biases 0, normalisation 1.
 *
 * @param config the parsed `config.json`, whose form holds
 * @returns float32 tensors under the family's names in a task model; the same for the same seed
 * @throws TaggerError `config` naming the key.
 * @see J. Devlin et al., "BERT" (2019), and `initializer_range` of its published code
 * @example
 * ```ts
 * const tensors = randomCheckpoint(config, { seed: 1, labels: 5 });
 * const classifier = buildEncoder(config, tensors, { head: "sequence" });
 * ```
 */
export function randomCheckpoint(
  config: Readonly<Record<string, unknown>>,
  { seed, deviation = 0.02, labels }: RandomCheckpointOptions,
): Map<string, Tensor<"float32">> {
  const random = seededRandom(seed);
  const tensors = new Map<string, Tensor<"float32">>();
  const add = (name: string, shape: readonly number[]): void => {
    const data = new Float32Array(shape.reduce((product, length) => product * length, 1));
    if (shape.length > 1) for (let i = 0; i < data.length; i++) data[i] = random.normal() * deviation;
    else if (/norm\.weight$/i.test(name)) data.fill(1);
    tensors.set(name, { dtype: "float32", shape, data });
  };
  const settings = parseEncoderConfig(config);
  const { family, hidden } = settings;
  for (const { name, shape } of expectedTensors(settings)) add(family.prefix + name, shape);
  if (labels === undefined) return tensors;
  const head = sequenceHeadOf(String(config["model_type"]));
  for (const [name, outputs] of [
    [head.dense, hidden],
    [head.output, labels],
  ] as const) {
    add(`${name}.weight`, [outputs, hidden]);
    add(`${name}.bias`, [outputs]);
  }
  return tensors;
}
