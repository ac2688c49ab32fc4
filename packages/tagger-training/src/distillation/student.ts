import type { Tensor } from "@nasty/core";
import { TaggerError } from "@nasty/taggers";
import {
  type EncoderConfig,
  expectedTensors,
  parseEncoderConfig,
  readEncoderCheckpoint,
} from "@nasty/taggers/encoders";
import { type Random, seededRandom } from "@nasty/training";

export interface StudentOptions {
  /** Share of the teacher's layers (`depth`) or of its width (`width`). */
  readonly size: number;
  readonly by: "depth" | "width";
  readonly seed: number;
}

/** A checkpoint of a student of the teacher's family. */
export interface Student {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/**
 * Makes a student of a teacher's family.
 *
 * `depth`: round(size·layers) layers, at least one, each a copy of the teacher's layer at the same relative height;
 * embeddings are the teacher's. `width`: round(size·heads) heads of the teacher's head size and a feed-forward layer of
 * the same share; weights are normal with deviation `initializer_range`, seeded.
 *
 * @throws TaggerError `option` for a size that is not positive; `config`, `checkpoint` for a teacher that cannot be
 *   read.
 * @see V. Sanh et al., "DistilBERT" (2019), section 3, for the choice of layers
 */
export function makeStudent(
  config: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, Tensor>,
  { size, by, seed }: StudentOptions,
): Student {
  if (!(size > 0 && Number.isFinite(size))) {
    throw new TaggerError("option", `distill: studentSize: expected a positive number, got ${size}`, {
      name: "studentSize",
    });
  }
  const teacher = parseEncoderConfig(config);
  return by === "depth" ? shallower(config, tensors, teacher, size) : narrower(config, teacher, size, seed);
}

/**
 * Which layer of the teacher each of the student's layers is a copy of: evenly spaced, the first and the last among
 * them.
 */
export function copiedLayers(teacherLayers: number, studentLayers: number): number[] {
  if (studentLayers === 1) return [0];
  return Array.from({ length: studentLayers }, (_, i) =>
    Math.round((i * (teacherLayers - 1)) / (studentLayers - 1)),
  );
}

function shallower(
  config: Readonly<Record<string, unknown>>,
  tensors: ReadonlyMap<string, Tensor>,
  teacher: EncoderConfig,
  size: number,
): Student {
  const layers = Math.max(1, Math.round(teacher.layers * size));
  const copied = copiedLayers(teacher.layers, layers);
  const { family } = teacher;
  const source = readEncoderCheckpoint(tensors, teacher).tensors;
  const out = new Map<string, Tensor>();
  for (const { name } of expectedTensors({ ...teacher, layers })) {
    const behind = name.startsWith(family.layers) ? name.slice(family.layers.length) : undefined;
    const [index = "", ...rest] = behind?.split(".") ?? [];
    const from = behind === undefined ? name : `${family.layers}${copied[Number(index)]}.${rest.join(".")}`;
    out.set(family.prefix + name, (source.get(from) as { value: Tensor }).value);
  }
  return {
    config: { ...config, [family.name === "distilbert" ? "n_layers" : "num_hidden_layers"]: layers },
    tensors: out,
  };
}

function narrower(
  config: Readonly<Record<string, unknown>>,
  teacher: EncoderConfig,
  size: number,
  seed: number,
): Student {
  const heads = Math.max(1, Math.round(teacher.heads * size));
  const hidden = heads * (teacher.hidden / teacher.heads);
  const intermediate = Math.max(1, Math.round(teacher.intermediate * size));
  const distilled = teacher.family.name === "distilbert";
  const student = {
    ...config,
    [distilled ? "n_heads" : "num_attention_heads"]: heads,
    [distilled ? "dim" : "hidden_size"]: hidden,
    [distilled ? "hidden_dim" : "intermediate_size"]: intermediate,
  };
  const deviation = config["initializer_range"];
  const random = seededRandom(seed);
  const tensors = new Map<string, Tensor>();
  for (const { name, shape } of expectedTensors(parseEncoderConfig(student))) {
    const data = firstValues(name, shape, random, typeof deviation === "number" ? deviation : 0.02);
    tensors.set(teacher.family.prefix + name, { dtype: "float32", shape, data });
  }
  return { config: student, tensors };
}

function firstValues(
  name: string,
  shape: readonly number[],
  random: Random,
  deviation: number,
): Float32Array {
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  if (shape.length === 1) return data.fill(/norm\.weight$/i.test(name) ? 1 : 0);
  for (let i = 0; i < data.length; i++) data[i] = random.normal() * deviation;
  return data;
}
