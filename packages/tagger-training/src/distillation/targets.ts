import { openSession } from "@nasty/runtime";
import { openNeuralTagger, TaggerError } from "@nasty/taggers";
import { constrainChain } from "@nasty/taggers/neural";
import { subwordBatches } from "@nasty/taggers/transformer";
import { makeTrainingEncoder } from "../fine-tuning/training-rows.js";
import { chainMarginals, freeMarginals, type Marginals } from "./marginals.js";
import type { NeuralTeacher, Teacher, TransformerTeacher } from "./teacher.js";

export interface TargetOptions {
  /** Labels in the student's order; every teacher's must be among them. */
  readonly labels: readonly string[];
  readonly temperature: number;
  readonly threads: number;
  /** Called with how many sentences the teacher under way has done. */
  readonly onProgress?: ((sentences: number) => void) | undefined;
}

/** What teachers think of sentences. */
export interface Targets {
  /** Of each word, for each sentence float32 [words · labels]: see {@link teacherTargets}. */
  readonly targets: readonly Float32Array[];
  /**
   * For each sentence float32 [(words − 1) · labels · labels]: the probability of each label of a word with each one of
   * the word behind it; undefined unless asked for.
   */
  readonly pairs: readonly Float32Array[] | undefined;
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
  options: TargetOptions,
): Promise<readonly Float32Array[]> {
  return (await targetsOfWords(teachers, sentences, options)).targets;
}

/** {@link teacherTargets}, and what the teachers think of words side by side if `withPairs`. */
export async function targetsOfWords(
  teachers: readonly Teacher[],
  sentences: readonly (readonly string[])[],
  { labels, temperature, threads, onProgress, withPairs = false }: TargetOptions & { withPairs?: boolean },
): Promise<Targets> {
  if (teachers.length === 0)
    throw new TaggerError("teacher", "teacherTargets: teachers: expected at least 1, got 0");
  const count = labels.length;
  const targets = sentences.map((words) => new Float32Array(words.length * count));
  const pairs = withPairs
    ? sentences.map((words) => new Float32Array(Math.max(0, words.length - 1) * count * count))
    : undefined;
  for (const [i, teacher] of teachers.entries()) {
    const vote: Vote = {
      targets,
      pairs,
      sentences,
      places: teacher.settings.labels.map((label) => placeOfLabel(label, labels, i)),
      count,
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
  for (const pair of pairs ?? [])
    for (let i = 0; i < pair.length; i++) pair[i] = (pair[i] as number) / teachers.length;
  return { targets, pairs };
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
  readonly pairs: readonly Float32Array[] | undefined;
  readonly sentences: readonly (readonly string[])[];
  /** Where each of the teacher's labels stands among the student's. */
  readonly places: readonly number[];
  /** How many labels the student has. */
  readonly count: number;
}

/** Adds what a teacher thinks of a sentence. */
function addSentence(vote: Vote, sentence: number, { words, pairs }: Marginals): void {
  const { places, count } = vote;
  const own = places.length;
  const target = vote.targets[sentence] as Float32Array;
  words.forEach((share, i) => {
    if (Number.isNaN(share))
      throw new TaggerError("output", "teacherTargets: model: logits: expected numbers, got NaN");
    const into = Math.floor(i / own) * count + (places[i % own] as number);
    target[into] = (target[into] as number) + share;
  });
  const pair = vote.pairs?.[sentence];
  if (pair === undefined) return;
  pairs?.forEach((share, i) => {
    const [word, from, to] = [Math.floor(i / own / own), Math.floor(i / own) % own, i % own];
    const into = (word * count + (places[from] as number)) * count + (places[to] as number);
    pair[into] = (pair[into] as number) + share;
  });
}

async function addNeural({ model, settings }: NeuralTeacher, vote: Vote): Promise<void> {
  const { places, sentences, temperature, threads, onProgress } = vote;
  const options = { temperature, pairs: vote.pairs !== undefined };
  const tagger = await openNeuralTagger(model, settings, (part) => openSession(part, { threads }));
  // What the tagger decodes with: entity labels in the order of their scheme.
  const chain =
    tagger.chain === undefined || settings.task === "pos"
      ? tagger.chain
      : constrainChain(tagger.chain, settings.labels, tagger.labelling?.form);
  let sentence = 0;
  try {
    for await (const scores of tagger.scores(sentences)) {
      const marginals =
        chain === undefined
          ? freeMarginals(scores, places.length, options)
          : chainMarginals(scores, chain, options);
      addSentence(vote, sentence, marginals);
      sentence++;
      if (sentence % progressEvery === 0 || sentence === sentences.length) onProgress?.(sentence);
    }
  } finally {
    await tagger.close();
  }
}

const progressEvery = 256;

async function addTransformer({ model, settings }: TransformerTeacher, vote: Vote): Promise<void> {
  const { sentences, places, temperature, threads, onProgress } = vote;
  const options = { temperature, pairs: vote.pairs !== undefined };
  const encoder = makeTrainingEncoder(model, settings);
  const session = await openSession(model, { threads });
  const names = session.outputs.map(({ name }) => name);
  const output = names.includes("logits") ? "logits" : (names[0] as string);
  try {
    for (let start = 0; start < sentences.length; start += progressEvery) {
      const part = sentences.slice(start, start + progressEvery);
      const logits = part.map((words) => new Float32Array(words.length * places.length));
      const rows = part.flatMap((words, i) => encoder.encode(words, new Int32Array(words.length), i));
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
            logits[sentence]?.set(data.subarray(at, at + places.length), (firstOwned + i) * places.length);
          });
        });
      }
      logits.forEach((scores, i) => {
        const whole = { data: scores, start: 0, length: scores.length / places.length };
        addSentence(vote, start + i, freeMarginals(whole, places.length, options));
      });
      onProgress?.(Math.min(start + progressEvery, sentences.length));
    }
  } finally {
    await session.close();
  }
}
