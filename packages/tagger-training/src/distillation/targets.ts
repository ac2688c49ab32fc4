import { openSession } from "@nasty/runtime";
import { openNeuralTagger, TaggerError } from "@nasty/taggers";
import { constrainChain } from "@nasty/taggers/neural";
import { subwordBatches } from "@nasty/taggers/transformer";
import { makeTrainingEncoder } from "../fine-tuning/training-rows.js";
import { chainMarginals } from "./marginals.js";
import type { NeuralTeacher, Teacher, TransformerTeacher } from "./teacher.js";

export interface TargetOptions {
  /** Labels in the student's order; every teacher's must be among them. */
  readonly labels: readonly string[];
  readonly temperature: number;
  readonly threads: number;
  /** Called with how many sentences the teacher under way has done. */
  readonly onProgress?: ((sentences: number) => void) | undefined;
}

/**
 * What the teachers think of every word: log q, times the temperature, so that a softmax at that temperature gives q
 * back; q is the mean of the teachers' softmax(logits / temperature).
 *
 * Teachers read whole sentences, no word hidden. A neural tagger with scores of label sequences gives the marginals of
 * its sequences, with all scores divided by the temperature. Memory: 4 bytes a word and label.
 *
 * @returns for each sentence float32 [words · labels], row-major
 * @throws TaggerError `teacher` without a teacher, or for a label that is not among `labels`; `output` for NaN.
 */
export async function teacherTargets(
  teachers: readonly Teacher[],
  sentences: readonly (readonly string[])[],
  { labels, temperature, threads, onProgress }: TargetOptions,
): Promise<Float32Array[]> {
  if (teachers.length === 0)
    throw new TaggerError("teacher", "teacherTargets: teachers: expected at least 1, got 0");
  const targets = sentences.map((words) => new Float32Array(words.length * labels.length));
  for (const [i, teacher] of teachers.entries()) {
    const vote: Vote = {
      targets,
      sentences,
      places: teacher.settings.labels.map((label) => placeOfLabel(label, labels, i)),
      count: labels.length,
      temperature,
      threads,
      onProgress,
    };
    await (teacher.settings.kind === "neural"
      ? addNeural(teacher as NeuralTeacher, vote)
      : addTransformer(teacher as TransformerTeacher, vote));
  }
  for (const target of targets) {
    for (let i = 0; i < target.length; i++)
      target[i] = temperature * Math.log(Math.max((target[i] as number) / teachers.length, 1e-30));
  }
  return targets;
}

function placeOfLabel(label: string, labels: readonly string[], teacher: number): number {
  const place = labels.indexOf(label);
  if (place >= 0) return place;
  throw new TaggerError(
    "teacher",
    `teacherTargets: teacher ${teacher + 1}: labels: expected some of ${labels.join(", ")}, got ${JSON.stringify(label)}`,
    { name: label },
  );
}

/** One teacher's share of the targets. */
interface Vote extends Omit<TargetOptions, "labels"> {
  /** Sums of probabilities. */
  readonly targets: readonly Float32Array[];
  readonly sentences: readonly (readonly string[])[];
  /** Where each of the teacher's labels stands among the student's. */
  readonly places: readonly number[];
  /** How many labels the student has. */
  readonly count: number;
}

/** Adds the softmax of one word's scores. */
function addWord(
  { targets, places, count, temperature }: Vote,
  { sentence, word }: { readonly sentence: number; readonly word: number },
  { data, at }: { readonly data: Float32Array; readonly at: number },
): void {
  const target = targets[sentence] as Float32Array;
  let highest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < places.length; i++) highest = Math.max(highest, data[at + i] as number);
  // Math.max is NaN if one score is.
  if (!Number.isFinite(highest))
    throw new TaggerError("output", `teacherTargets: model: logits: expected numbers, got ${highest}`);
  let total = 0;
  for (let i = 0; i < places.length; i++)
    total += Math.exp(((data[at + i] as number) - highest) / temperature);
  for (let i = 0; i < places.length; i++) {
    const into = word * count + (places[i] as number);
    const share = Math.exp(((data[at + i] as number) - highest) / temperature) / total;
    target[into] = (target[into] as number) + share;
  }
}

async function addNeural({ model, settings }: NeuralTeacher, vote: Vote): Promise<void> {
  const { targets, places, count, sentences, temperature, threads, onProgress } = vote;
  const tagger = await openNeuralTagger(model, settings, (part) => openSession(part, { threads }));
  // What the tagger decodes with: entity labels in the order of their scheme.
  const chain =
    tagger.chain === undefined || settings.task === "pos"
      ? tagger.chain
      : constrainChain(tagger.chain, settings.labels, tagger.labelling?.form);
  let sentence = 0;
  try {
    for await (const scores of tagger.scores(sentences)) {
      if (chain === undefined) {
        for (let word = 0; word < scores.length; word++)
          addWord(vote, { sentence, word }, { data: scores.data, at: scores.start + word * places.length });
      } else {
        const target = targets[sentence] as Float32Array;
        chainMarginals(scores, chain, temperature).forEach((share, i) => {
          if (Number.isNaN(share))
            throw new TaggerError("output", "teacherTargets: model: logits: expected numbers, got NaN");
          const word = Math.floor(i / places.length);
          const into = word * count + (places[i % places.length] as number);
          target[into] = (target[into] as number) + share;
        });
      }
      sentence++;
      if (sentence % progressEvery === 0 || sentence === sentences.length) onProgress?.(sentence);
    }
  } finally {
    await tagger.close();
  }
}

const progressEvery = 256;

async function addTransformer({ model, settings }: TransformerTeacher, vote: Vote): Promise<void> {
  const { sentences, places, threads, onProgress } = vote;
  const encoder = makeTrainingEncoder(model, settings);
  const session = await openSession(model, { threads });
  const names = session.outputs.map(({ name }) => name);
  const output = names.includes("logits") ? "logits" : (names[0] as string);
  try {
    for (let start = 0; start < sentences.length; start += progressEvery) {
      const rows = sentences
        .slice(start, start + progressEvery)
        .flatMap((words, i) => encoder.encode(words, new Int32Array(words.length), start + i));
      for (const batch of subwordBatches(rows, {
        batchSize: encoder.feeder.fixedRows ?? 16,
        batchTokens: 2048,
      })) {
        const { feeds, mask } = encoder.feeder.feed(batch);
        const data = (await session.run(feeds, [output]))[output]?.data as Float32Array;
        const length = mask.shape[1] as number;
        batch.forEach(({ sentence, positions, firstOwned }, r) => {
          positions.forEach((position, i) => {
            const at = (r * length + position) * places.length;
            addWord(vote, { sentence, word: firstOwned + i }, { data, at });
          });
        });
      }
      onProgress?.(Math.min(start + progressEvery, sentences.length));
    }
  } finally {
    await session.close();
  }
}
