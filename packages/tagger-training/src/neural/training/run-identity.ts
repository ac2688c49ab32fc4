import { hashText } from "@nasty/taggers/neural";
import type { EncodedVectors } from "../../word-codes/encode-vectors.js";
import type { ArchitecturePreset } from "../architecture.js";
import { pretrainingIdentity } from "../pretraining/pretrain.js";
import type { LabelSets } from "./label-sets.js";
import type { Recipe } from "./recipe.js";
import { hashTargets } from "./soft-targets.js";
import type { TrainTaggerOptions } from "./train-tagger-options.js";

/** What a checkpoint must agree on to be gone on from: settings, and the text by length and hash. */
export function identityOf(
  {
    task,
    train,
    chain,
    soft,
    seed = 1,
    engine,
    modifiers,
    quantizationAware,
    qatOptions,
    wordCodes,
    pretraining,
  }: TrainTaggerOptions,
  made: { recipe: Recipe; preset: ArchitecturePreset; sets: LabelSets },
): string {
  let text = 0;
  for (const { words, labels, weight = 1, corpus = "" } of train) {
    text = hashText(`${words.join(" ")}\t${labels.join(" ")}\t${weight}\t${corpus}`, { seed: text });
  }
  return JSON.stringify({
    task,
    seed,
    chain,
    sentences: train.length,
    text,
    ...made,
    ...(wordCodes === undefined ? {} : { wordCodes: hashCodes(wordCodes) }),
    ...(pretraining === undefined ? {} : { pretraining: pretrainingIdentity(pretraining) }),
    engine: engine?.name,
    modifiers: modifiers?.map(({ name }) => name),
    ...(quantizationAware === true ? { qat: qatOptions ?? {} } : {}),
    soft: soft && {
      temperature: soft.temperature,
      alpha: soft.alpha,
      targets: hashTargets([...soft.targets, ...(soft.pairs ?? [])]),
    },
  });
}

/** A hash of the words and of their codes. */
const hashCodes = ({ words, codes, width }: EncodedVectors): number =>
  hashText(words.join(" "), { seed: hashText(new TextDecoder("latin1").decode(codes), { seed: width }) });
